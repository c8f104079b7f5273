"""Every category's faults.yaml: strict, every test can fail, no two rows equal, no trouble of the tool is red."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from op_readiness.runner import matrix
from op_readiness.runner.matrix import Expected
from op_readiness.simulator.faults.library import library

FILES = sorted((Path(__file__).parents[2] / "categories").glob("*/faults.yaml"))
ERRORS = ("exec-never-returns", "image-cannot-be-pulled", "api-answers-500")


@pytest.fixture(params=FILES, ids=lambda path: path.parent.name)
def declared(request: pytest.FixtureRequest) -> matrix.Matrix:
    path: Path = request.param
    cases = yaml.safe_load((path.parent / "spec.yaml").read_text())["testCases"]
    return matrix.read(path, [c["id"] for c in cases if not c.get("planned")], library())


def test_no_two_abilities_of_a_category_have_equal_rows(declared: matrix.Matrix) -> None:
    """For any two abilities some fault turns one red and leaves the other green."""
    assert matrix.equal_rows(declared) == []


def test_every_ability_can_fail(declared: matrix.Matrix) -> None:
    """A test that no fault turns red shows nothing."""
    assert matrix.never_red(declared) == []


@pytest.mark.parametrize("fault", ERRORS)
def test_what_keeps_the_tool_from_asking_is_never_a_failure(declared: matrix.Matrix, fault: str) -> None:
    """exec that hangs, an image that is not there, an API server that answers 500: errors alone."""
    assert all(cell.expected is not Expected.RED for cell in declared.of_fault(fault))
