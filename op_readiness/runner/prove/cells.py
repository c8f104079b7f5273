"""Which cells of the matrix are run, and whether a cell shows what was declared. Pure functions.

A cell is one ability under one fault. A fault of a Node sits on a Windows Node drawn at random, and a red cell counts
only if its finding accuses that Node and no healthy one, and says what was expected and what was seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.findings import Outcome, Record
from op_readiness.model.results import Result
from op_readiness.runner.matrix import Expected, Matrix

HEALTHY = "healthy"
"""The column without a fault: what every other cell is compared with."""


@dataclass(frozen=True)
class Cell(Record):
    """One cell to run. `node` is the Windows Node that the fault sits on, empty where it sits on none in particular."""

    ability: str
    fault: str
    parameters: dict[str, Any] = field(default_factory=dict)
    node: str = ""

    @property
    def id(self) -> str:
        """The name of the pytest item."""
        return f"{self.ability}@{self.fault}"


def cells_of(
    matrix: Matrix, abilities: Sequence[str], node_parameter: Mapping[str, str], nodes: Sequence[str],
    draw: random.Random, *, sample: int | None = None, most: int | None = None,
) -> list[Cell]:  # fmt: skip
    """The healthy column, every declared cell or `most` of them, and of the others all, or a `sample` of so many.

    `node_parameter` maps a fault to the parameter that names a Windows Node, if it has one that is not fixed already.
    """
    cells = [Cell(ability, HEALTHY) for ability in abilities]
    for fault in matrix.faults:
        given = dict(matrix.parameters.get(fault, {}))
        name = node_parameter.get(fault, "")
        node = str(given.get(name) or draw.choice(list(nodes))) if name else ""
        parameters = {**given, name: node} if name else given
        cells += [Cell(ability, fault, parameters, node) for ability in abilities]
    others = [cell.id for cell in cells if _undeclared(cell, matrix)]
    judged = [cell for cell in cells if _expected(cell, matrix) in (Expected.RED, Expected.ERROR)]
    kept = set(others if sample is None else draw.sample(others, min(sample, len(others))))
    kept |= {cell.id for cell in cells if cell.fault == HEALTHY}
    if most is None:
        kept |= {cell.id for cell in cells if not _undeclared(cell, matrix)}
    else:
        kept |= {cell.id for cell in _each_fault_first(judged, draw)[:most]}
    return [cell for cell in cells if cell.id in kept]


def _each_fault_first(cells: Sequence[Cell], draw: random.Random) -> list[Cell]:
    """Cells in an order drawn at random, in which every fault comes once before any comes twice."""
    turns: dict[str, int] = {}
    ordered: list[tuple[int, int, Cell]] = []
    for cell in draw.sample(cells, len(cells)):
        turns[cell.fault] = turns.get(cell.fault, 0) + 1
        ordered.append((turns[cell.fault], len(ordered), cell))
    return [cell for _, _, cell in sorted(ordered, key=lambda one: one[:2])]


def _expected(cell: Cell, matrix: Matrix) -> Expected:
    return matrix.expected(cell.fault, cell.ability)


def _undeclared(cell: Cell, matrix: Matrix) -> bool:
    return cell.fault != HEALTHY and matrix.expected(cell.fault, cell.ability) is Expected.GREEN


def in_order(cells: Iterable[Cell], matrix: Matrix) -> list[Cell]:
    """Cells that will wait for a deadline (red, error) spread evenly among those that will not."""
    slow = [cell for cell in cells if matrix.expected(cell.fault, cell.ability) is not Expected.GREEN]
    quick = [cell for cell in cells if matrix.expected(cell.fault, cell.ability) is Expected.GREEN]
    every = len(quick) / len(slow) if slow else 0.0
    ordered: list[Cell] = []
    for n, cell in enumerate(slow):
        ordered += quick[round(n * every) : round((n + 1) * every)]
        ordered.append(cell)
    return ordered if slow else quick


def hole(cell: Cell, expected: Expected, result: Result | None, healthy: Result | None, nodes: Sequence[str]) -> str:
    """Why a cell does not show what was declared; empty when it does. `nodes` are all Windows Nodes."""
    if result is None:
        return "gave no result"
    if cell.fault == HEALTHY:
        return "" if result.outcome is Outcome.PASSED else f"{result.outcome} on a healthy cluster: {_words(result)}"
    if expected is Expected.EITHER:
        return ""
    if expected is Expected.ERROR:
        return "" if result.outcome is Outcome.ERROR else f"declared error, was {result.outcome}: {_words(result)}"
    if expected is Expected.RED:
        return _red(cell, result, nodes)
    before = healthy.outcome if healthy is not None else Outcome.PASSED
    return (
        "" if result.outcome is before and not result.flaky else f"not declared, was {result.outcome}: {_words(result)}"
    )


def _red(cell: Cell, result: Result, nodes: Sequence[str]) -> str:
    if result.outcome is not Outcome.FAILED:
        return f"declared red, was {result.outcome}: {_words(result)}"
    if not all(finding.expected and finding.seen for finding in result.findings):
        return "red without what was expected and seen"
    if not cell.node:
        return ""
    accused = {node for finding in result.findings for node in finding.nodes} & set(nodes)
    if cell.node not in accused:
        named = ", ".join(sorted(accused)) or "no Windows Node"
        return f"the fault is on {cell.node}, the finding accuses {named}: {_words(result)}"
    wrongly = sorted(accused - {cell.node})
    if not wrongly:
        return ""
    return f"the fault is on {cell.node}, the finding accuses {', '.join(wrongly)} too: {_words(result)}"


def _words(result: Result) -> str:
    if not result.findings:
        return result.skip_why or "no finding"
    finding = result.findings[0]
    return f"{finding.what}: {' '.join(finding.seen.split())}"[:300]


MARKS = {Outcome.PASSED: ".", Outcome.FAILED: "#", Outcome.ERROR: "E", Outcome.SKIPPED: "-"}


def picture(
    faults: Sequence[str], abilities: Sequence[str], results: Mapping[str, Result], holes: Mapping[str, str]
) -> str:
    """The matrix as text: a line a fault, a column an ability. `!` beside a mark is a hole; a blank was not run."""
    width = max((len(fault) for fault in faults), default=0)
    lines = [f"{n + 1:>2} {ability}" for n, ability in enumerate(abilities)]
    lines += ["", " " * width + " " + "".join(f"{n + 1:>3}" for n in range(len(abilities)))]
    for fault in faults:
        row = ""
        for ability in abilities:
            result = results.get(f"{ability}@{fault}")
            mark = MARKS[result.outcome] if result else " "
            row += f"  {mark}" if f"{ability}@{fault}" not in holes else f" !{mark}"
        lines.append(f"{fault:<{width}} {row}")
    return "\n".join([*lines, "", "# failed  . passed  E error  - skipped  ! not as declared"])
