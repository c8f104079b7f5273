"""The cells of each kind's row, in the order of its recorded columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from op_readiness.simulator.controlplane.registry import Key
from op_readiness.simulator.controlplane.tables.cells import age

Object = dict[str, Any]
Cells = Callable[[Object], list[Any]]
CELLS: dict[Key, Cells] = {}


def cells_of(key: Key, obj: Object, count: int) -> list[Any]:
    """One cell for each column; a kind without cells of its own shows name and age."""
    own = CELLS.get(key)
    cells = own(obj) if own is not None else [obj["metadata"]["name"], *[""] * (count - 2), age(obj)]
    return cells[:count]
