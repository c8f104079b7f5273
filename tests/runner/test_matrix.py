"""The declared matrix: read strictly, every test can fail, and no two rows are equal."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from op_readiness.model.errors import UsageError
from op_readiness.runner import matrix
from op_readiness.runner.matrix import Expected
from op_readiness.simulator.faults.library import library

FOLDER = Path(__file__).parents[2] / "categories" / "core_network"
ERRORS = ("exec-never-returns", "image-cannot-be-pulled", "api-answers-500")


@pytest.fixture(scope="module")
def declared() -> matrix.Matrix:
    cases = yaml.safe_load((FOLDER / "spec.yaml").read_text())["testCases"]
    return matrix.read(FOLDER / "faults.yaml", [c["id"] for c in cases if not c.get("planned")], library())


def test_no_two_abilities_of_core_network_have_equal_rows(declared: matrix.Matrix) -> None:
    """For any two abilities some fault turns one red and leaves the other green."""
    assert matrix.equal_rows(declared) == []


def test_a_category_says_on_which_cluster_its_cells_are_run() -> None:
    """dualStack asks for both IP families; a misspelt word is refused."""
    faults = {"kube-proxy-stale": {"green": "nothing"}}
    made = matrix.matrix({"faults": faults, "cluster": {"dualStack": True}}, "f", (), library())
    assert made.dual_stack and not matrix.matrix({"faults": faults}, "f", (), library()).dual_stack
    with pytest.raises(UsageError, match="did you mean 'dualStack'"):
        matrix.matrix({"faults": faults, "cluster": {"dualstack": True}}, "f", (), library())


def test_every_ability_of_core_network_can_fail(declared: matrix.Matrix) -> None:
    """A test that no fault turns red shows nothing."""
    assert matrix.never_red(declared) == []


@pytest.mark.parametrize("fault", ERRORS)
def test_what_keeps_the_tool_from_asking_is_never_a_failure(declared: matrix.Matrix, fault: str) -> None:
    """exec that hangs, an image that is not there, an API server that answers 500: errors alone."""
    assert declared.reds(fault) == []
    assert any(cell.expected is Expected.ERROR for cell in declared.of_fault(fault))


def small(text: str) -> matrix.Matrix:
    return matrix.matrix(yaml.safe_load(text), "faults.yaml", ("net-a", "net-b"), ("stale", "lost"))


SMALL = """
category: Core.Network
faults:
  stale:
    red: [{abilities: [net-a], why: because}]
    either: [{abilities: [net-b], why: it depends}]
  lost:
    green: nobody asks
"""


def test_cells_are_red_either_or_green_with_their_reason() -> None:
    """What is not declared is green; a fault without cells keeps its reason."""
    read = small(SMALL)
    assert [read.expected("stale", a) for a in read.abilities] == [Expected.RED, Expected.EITHER]
    assert (read.expected("lost", "net-a"), read.why("lost", "net-a")) == (Expected.GREEN, "nobody asks")
    assert (read.reds("stale"), read.why("stale", "net-a")) == (["net-a"], "because")
    assert matrix.grid(read) == "stale  #?\nlost   .."


def test_equal_rows_are_named() -> None:
    """Two abilities that the same faults turn red are a pair; telling_apart is then empty."""
    read = small(
        SMALL.replace("[net-a]", "[net-a, net-b]").replace("    either: [{abilities: [net-b], why: it depends}]\n", "")
    )
    assert matrix.equal_rows(read) == [("net-a", "net-b")]
    assert matrix.telling_apart(read, "net-a", "net-b") == []
    assert matrix.telling_apart(small(SMALL), "net-a", "net-b") == ["stale"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stale:", "stail:", "'stail' is unknown; did you mean 'stale'?"),
        ("[net-a]", "[nett-a]", "'nett-a' is unknown; did you mean 'net-a'?"),
        ("red:", "reed:", "'reed' is unknown; did you mean 'red'?"),
        (", why: because", "", "needs abilities and a why"),
        ("[net-b]", "[net-a]", "net-a is declared twice"),
        ("    green: nobody asks", "    red: []", "no cell is declared"),
    ],
)
def test_a_wrong_word_in_the_matrix_is_a_usage_error(old: str, new: str, said: str) -> None:
    """File, fault and nearest word stand in the one line."""
    with pytest.raises(UsageError) as caught:
        small(SMALL.replace(old, new, 1))
    assert said in str(caught.value)
    assert str(caught.value).startswith("faults.yaml")
