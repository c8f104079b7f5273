"""Which cells the proof runs, and which of them are holes."""

import random

import pytest

from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import Result
from op_readiness.runner.matrix import Expected, matrix
from op_readiness.runner.prove.cells import HEALTHY, Cell, cells_of, hole, in_order, picture

NODES = ["win-1", "win-2", "win-3"]
DECLARED = matrix(
    {"category": "C", "faults": {"stale": {"red": [{"abilities": ["a"], "why": "w"}]}, "quiet": {"green": "nothing"}}},
    "faults.yaml",
    ("a", "b"),
    ("stale", "quiet"),
)


def result(outcome, *nodes, **more):
    """A result of ability a with one finding that accuses `nodes`."""
    findings = [Finding("w", "h", "e", "s", nodes=nodes)] if outcome in (Outcome.FAILED, Outcome.ERROR) else []
    return Result("a", "C", "", outcome, findings=findings, **more)


def test_the_healthy_column_comes_with_every_fault_of_the_category():
    """Two abilities, two faults and healthy: six cells, the fault's Node drawn once for all of them."""
    cells = cells_of(DECLARED, ["a", "b"], {"stale": "node"}, NODES, random.Random(1))
    assert [cell.fault for cell in cells] == [HEALTHY, HEALTHY, "stale", "stale", "quiet", "quiet"]
    drawn = {cell.node for cell in cells if cell.fault == "stale"}
    assert len(drawn) == 1
    assert drawn <= set(NODES)


def test_a_sample_leaves_out_cells_that_stay_green_and_no_others():
    """Healthy and the one red cell always; of the three others as many as were asked for."""
    cells = [cell.id for cell in cells_of(DECLARED, ["a", "b"], {}, NODES, random.Random(1), sample=1)]
    assert {f"a@{HEALTHY}", f"b@{HEALTHY}", "a@stale"} <= set(cells)
    assert len(cells) == 4


def test_most_cells_are_of_every_fault_before_any_comes_twice():
    """The healthy column always; no undeclared cell; other ones for another seed."""
    many = matrix(
        {"category": "C", "faults": {f: {"red": [{"abilities": ["a", "b"], "why": "w"}]} for f in ("x", "y", "z")}},
        "faults.yaml", ("a", "b"), ("x", "y", "z"),
    )  # fmt: skip
    drawn = set()
    for seed in range(20):
        cells = cells_of(many, ["a", "b"], {}, NODES, random.Random(seed), sample=0, most=3)
        assert [cell.fault for cell in cells] == [HEALTHY, HEALTHY, "x", "y", "z"]
        drawn |= {cell.id for cell in cells}
    assert len(drawn) == 8
    assert len(cells_of(many, ["a", "b"], {}, NODES, random.Random(1), sample=0, most=4)) == 6


def test_order_loses_no_cell():
    """Spreading the slow ones keeps all."""
    cells = cells_of(DECLARED, ["a", "b"], {}, NODES, random.Random(1))
    assert sorted(cell.id for cell in in_order(cells, DECLARED)) == sorted(cell.id for cell in cells)


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (Expected.RED, result(Outcome.FAILED, "win-2"), ""),
        (Expected.RED, result(Outcome.FAILED, "win-1"), "accuses win-1"),
        (Expected.RED, result(Outcome.FAILED, "win-1", "win-2"), "accuses win-1 too"),
        (Expected.RED, result(Outcome.FAILED), "no Windows Node"),
        (Expected.RED, result(Outcome.PASSED), "declared red, was passed"),
        (Expected.RED, result(Outcome.ERROR, "win-2"), "declared red, was error"),
        (Expected.ERROR, result(Outcome.ERROR), ""),
        (Expected.ERROR, result(Outcome.FAILED, "win-2"), "declared error, was failed"),
        (Expected.GREEN, result(Outcome.PASSED), ""),
        (Expected.GREEN, result(Outcome.PASSED, flaky=True), "not declared"),
        (Expected.GREEN, result(Outcome.SKIPPED), "not declared, was skipped"),
        (Expected.GREEN, result(Outcome.ERROR), "not declared, was error"),
        (Expected.EITHER, result(Outcome.FAILED, "win-1"), ""),
        (Expected.GREEN, None, "no result"),
    ],
)
def test_holes(expected, got, words):
    """A cell with a fault on win-2 is a hole unless it shows exactly what was declared."""
    why = hole(Cell("a", "stale", {}, "win-2"), expected, got, result(Outcome.PASSED), NODES)
    assert words in why
    assert bool(why) == bool(words)


def test_a_healthy_cell_must_pass():
    """A skip or a failure on a healthy cluster is a hole of its own."""
    cell = Cell("a", HEALTHY)
    assert "failed on a healthy cluster" in hole(cell, Expected.GREEN, result(Outcome.FAILED), None, NODES)
    assert hole(cell, Expected.GREEN, result(Outcome.PASSED), None, NODES) == ""


def test_the_picture_marks_outcomes_and_holes():
    """A red cell that is a hole has its mark, a cell that was not run is blank."""
    text = picture(["stale"], ["a", "b"], {"a@stale": result(Outcome.FAILED)}, {"a@stale": "why"})
    assert "stale  !#" in text
