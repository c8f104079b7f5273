"""The same cells under both control planes: which outcomes differ, and which may.

What Nodes do is one and the same code under either control plane, so a cell whose outcome differs shows that the
embedded one is not what it stands in for. Cells that may differ stand in `differences.yaml`, each with its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from op_readiness.model.errors import UsageError
from op_readiness.model.results import Result
from op_readiness.runner.matrix import Expected, Matrix
from op_readiness.runner.prove.cells import HEALTHY, Cell

EMBEDDED, REAL, BOTH = "embedded", "real", "both"
FILE = Path(__file__).with_name("differences.yaml")
CAUSES = ("false-controller", "real-seconds")
"""Why a cell may differ; the file says what the words mean."""


@dataclass(frozen=True)
class Difference:
    """Cells that may differ: a fault, its abilities, the cause and the reason in full."""

    fault: str
    abilities: tuple[str, ...]
    cause: str
    why: str


def known(path: Path = FILE) -> list[Difference]:
    """What may differ; raises UsageError for an entry that is not whole."""
    given = yaml.safe_load(path.read_text("utf-8"))
    found = []
    for entry in given["cells"] or []:
        one = Difference(entry["fault"], tuple(entry["abilities"]), entry["cause"], entry["why"])
        if one.cause not in CAUSES or not one.abilities or not one.why:
            raise UsageError(f"{path.name}: {one.fault}: needs abilities, a why, and a cause of {', '.join(CAUSES)}")
        found.append(one)
    return found


def differing(
    cells: Sequence[Cell], declared: Matrix, results: Mapping[str, Mapping[str, Result]],
    may_differ: Collection[Difference],
) -> tuple[int, dict[str, str]]:  # fmt: skip
    """(how many cells were compared, cell -> how its outcomes differ). `results` are by control plane, then by cell."""
    excused = {f"{ability}@{one.fault}" for one in may_differ for ability in one.abilities}
    compared, found = 0, {}
    for cell in cells:
        open_by_declaration = declared.expected(cell.fault, cell.ability) is Expected.EITHER
        if cell.id in excused or (open_by_declaration and cell.fault != HEALTHY):
            continue
        compared += 1
        outcomes = {plane: by_cell.get(cell.id) for plane, by_cell in results.items()}
        words = {plane: str(one.outcome) if one else "no result" for plane, one in outcomes.items()}
        if len(set(words.values())) > 1:
            found[cell.id] = ", ".join(f"{plane}: {word}" for plane, word in words.items())
    return compared, found
