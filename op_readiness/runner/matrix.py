"""The declared matrix: which fault must turn which ability red, which into an error, and which cells are left open.

A category's faults.yaml is the one source for `prove`, `simulate faults` and the self-tests. Everything here is a pure
function of such files; a cell that nobody declared must stay green. No two abilities may have the same row of reds,
because then no fault tells them apart and one of the two tests could be the other.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from op_readiness.model.errors import UsageError

FILE = "faults.yaml"


class Expected(StrEnum):
    """What a cell must show. `EITHER` is not judged: which of the two it is depends on the Node drawn, or on time."""

    RED = "red"
    ERROR = "error"
    EITHER = "either"
    GREEN = "green"


DECLARED = (Expected.RED, Expected.ERROR, Expected.EITHER)


@dataclass(frozen=True)
class Cell:
    """One declared cell, with its reason."""

    fault: str
    ability: str
    expected: Expected
    why: str


@dataclass(frozen=True)
class Matrix:
    """The declared cells of one category. `parameters` are those with which a fault is put in for the proof."""

    category: str
    abilities: tuple[str, ...]
    faults: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    green: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dual_stack: bool = False
    """Whether the cells are to be run on a cluster of both IP families."""

    def expected(self, fault: str, ability: str) -> Expected:
        """What the cell must show; green where nothing is declared."""
        cell = self.cells.get((fault, ability))
        return cell.expected if cell is not None else Expected.GREEN

    def why(self, fault: str, ability: str) -> str:
        """The reason declared for the cell, for a fault that nothing may notice the fault's own; else empty."""
        cell = self.cells.get((fault, ability))
        return cell.why if cell is not None else self.green.get(fault, "")

    def of_fault(self, fault: str) -> list[Cell]:
        """The declared cells of a fault, in the order of the abilities."""
        return [self.cells[fault, ability] for ability in self.abilities if (fault, ability) in self.cells]

    def reds(self, fault: str) -> list[str]:
        """The abilities that a fault must turn red."""
        return [cell.ability for cell in self.of_fault(fault) if cell.expected is Expected.RED]

    def row(self, ability: str) -> frozenset[str]:
        """The faults that must turn an ability red."""
        return frozenset(fault for fault in self.faults if self.expected(fault, ability) is Expected.RED)


def read(path: str | Path, abilities: Collection[str], known_faults: Collection[str]) -> Matrix:
    """The matrix in a file; raises UsageError with file and word for anything unknown or declared twice."""
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    return matrix(data, str(path), tuple(abilities), known_faults)


def matrix(data: Any, where: str, abilities: tuple[str, ...], known_faults: Collection[str]) -> Matrix:
    """The matrix in `data`; raises UsageError."""
    top = _mapping(data, where, ("category", "cluster", "faults"))
    cluster = _mapping(top.get("cluster") or {}, f"{where}: cluster", ("dualStack",))
    faults = top.get("faults") or {}
    cells: dict[tuple[str, str], Cell] = {}
    green: dict[str, str] = {}
    parameters: dict[str, Mapping[str, Any]] = {}
    for fault, entry in faults.items():
        _known(fault, known_faults, f"{where}: fault")
        said = _mapping(entry, f"{where}: {fault}", ("red", "error", "either", "green", "parameters"))
        for cell in _cells(fault, said, where, abilities):
            if (fault, cell.ability) in cells:
                raise UsageError(f"{where}: {fault}: {cell.ability} is declared twice")
            cells[fault, cell.ability] = cell
        green.update({fault: said["green"]} if said.get("green") else {})
        parameters.update({fault: said["parameters"]} if said.get("parameters") else {})
        if not said.get("green") and not any(said.get(word) for word in DECLARED):
            raise UsageError(f"{where}: {fault}: no cell is declared; say under `green` why nothing may notice it")
    name, dual_stack = str(top.get("category", "")), bool(cluster.get("dualStack"))
    return Matrix(name, abilities, tuple(faults), cells, green, parameters, dual_stack)


def equal_rows(of: Matrix, abilities: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Pairs of abilities that no fault tells apart: the same faults turn both red."""
    names = list(abilities if abilities is not None else of.abilities)
    rows = {name: of.row(name) for name in names}
    return [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if rows[a] == rows[b]]


def never_red(of: Matrix) -> list[str]:
    """Abilities that no fault turns red: their tests show nothing."""
    return [ability for ability in of.abilities if not of.row(ability)]


def telling_apart(of: Matrix, one: str, other: str) -> list[str]:
    """The faults that turn exactly one of two abilities red."""
    return sorted(of.row(one) ^ of.row(other))


def grid(of: Matrix) -> str:
    """The matrix as text: a line a fault, a column an ability; # red, E error, ? either, . green."""
    marks = {Expected.RED: "#", Expected.ERROR: "E", Expected.EITHER: "?", Expected.GREEN: "."}
    width = max((len(fault) for fault in of.faults), default=0)
    lines = [
        f"{fault:<{width}}  " + "".join(marks[of.expected(fault, ability)] for ability in of.abilities)
        for fault in of.faults
    ]
    return "\n".join(lines)


def _cells(fault: str, said: Mapping[str, Any], where: str, abilities: tuple[str, ...]) -> Iterator[Cell]:
    for expected in DECLARED:
        for group in said.get(expected.value) or []:
            entry = _mapping(group, f"{where}: {fault}: {expected.value}", ("abilities", "why"))
            if not entry.get("why") or not entry.get("abilities"):
                raise UsageError(f"{where}: {fault}: {expected.value}: needs abilities and a why")
            for ability in entry["abilities"]:
                _known(ability, abilities, f"{where}: {fault}: ability")
                yield Cell(fault, ability, expected, str(entry["why"]))


def _mapping(data: Any, where: str, known: Collection[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise UsageError(f"{where}: expected a mapping, found {type(data).__name__}")
    for name in data:
        _known(str(name), known, f"{where}: field")
    return data


def _known(name: str, known: Collection[str], what: str) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        raise UsageError(f"{what} {name!r} is unknown" + (f"; did you mean {close[0]!r}?" if close else ""))
