"""The same cells under both control planes: what counts as a difference, and that every excuse has its reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from op_readiness.model.errors import UsageError
from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result
from op_readiness.model.timeouts import FLOORS
from op_readiness.runner.matrix import matrix
from op_readiness.runner.prove import planes
from op_readiness.runner.prove.cells import HEALTHY, Cell
from op_readiness.runner.prove.planes import CAUSES, FILE, Difference, differing, known
from op_readiness.simulator.faults.library import library

PACKAGE = Path(planes.__file__).parents[2]
DECLARED = matrix(
    {
        "category": "C",
        "faults": {
            "stale": {"red": [{"abilities": ["a"], "why": "w"}], "either": [{"abilities": ["b"], "why": "w"}]},
            "quiet": {"green": "nothing"},
        },
    },
    "faults.yaml",
    ("a", "b"),
    ("stale", "quiet"),
)


def results(**outcomes: str) -> dict[str, Result]:
    """Ability a's results by fault."""
    return {f"a@{fault}": Result("a", "C", "", Outcome(outcome)) for fault, outcome in outcomes.items()}


def compare(cells: list[Cell], embedded: dict[str, Result], real: dict[str, Result], *may: Difference):
    return differing(cells, DECLARED, {"embedded": embedded, "real": real}, may)


@pytest.mark.parametrize(
    ("real", "found"),
    [
        (results(stale="failed"), {}),
        (results(stale="error"), {"a@stale": "embedded: failed, real: error"}),
        (results(), {"a@stale": "embedded: failed, real: no result"}),
    ],
)
def test_another_outcome_and_none_are_differences(real, found):
    """Whatever was declared: it is the two that are compared."""
    assert compare([Cell("a", "stale")], results(stale="failed"), real) == (1, found)


def test_healthy_and_green_cells_are_compared_too():
    """A skip under one of them alone is a difference."""
    cells = [Cell("a", HEALTHY), Cell("a", "quiet")]
    embedded, real = results(healthy="passed", quiet="passed"), results(healthy="skipped", quiet="passed")
    assert compare(cells, embedded, real) == (2, {f"a@{HEALTHY}": "embedded: passed, real: skipped"})


def test_what_is_open_or_excused_is_not_compared():
    """`either` depends on time by declaration; an excuse names its cells."""
    assert compare([Cell("b", "stale")], {}, {}) == (0, {})
    may = Difference("stale", ("a",), "real-seconds", "because")
    assert compare([Cell("a", "stale")], results(stale="failed"), results(stale="error"), may) == (0, {})


def test_every_difference_is_whole_and_of_something_that_is_there():
    """Faults and abilities of cells, findings that the code can say, deadlines that have a floor."""
    given = yaml.safe_load(FILE.read_text())
    specs = [yaml.safe_load(path.read_text()) for path in PACKAGE.parent.glob("categories/*/spec.yaml")]
    abilities = {case["id"] for spec in specs for case in spec["testCases"]}
    for one in known():
        assert one.fault in library() and set(one.abilities) <= abilities
    code = "".join(path.read_text() for part in ("suite", "observe") for path in (PACKAGE / part).rglob("*.py"))
    for entry in given["never_shown"]:
        assert f'"{entry["says"]}"' in code
    assert {entry["deadline"] for entry in given["waits"]} <= set(FLOORS)
    for entry in [*given["never_shown"], *given["waits"]]:
        assert entry["cause"] in CAUSES and len(entry["why"]) > 20


@pytest.mark.parametrize("entry", ["{fault: f, abilities: [a], cause: moon, why: w}",
                                   "{fault: f, abilities: [], cause: real-seconds, why: w}"])  # fmt: skip
def test_an_excuse_without_a_known_cause_is_refused(entry, tmp_path):
    """Or without cells."""
    file = tmp_path / "differences.yaml"
    file.write_text(f"cells: [{entry}]")
    with pytest.raises(UsageError, match="needs abilities, a why, and a cause"):
        known(file)
