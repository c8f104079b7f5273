"""What a table looks like to a fault: names of key fields, derived fields, and how values say lost, slow or broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from op_readiness.simulator.faults.words import FaultError
from op_readiness.simulator.network.table import Table

Derived = Callable[["Met"], Any]


@dataclass(frozen=True)
class Shape:
    """One state. `key` is the dataclass of its keys, or the name under which a plain key is known."""

    key: type[Any] | str
    value: type[Any] | None = None
    default: Callable[[], Any] | None = None
    lost_as: Mapping[str, Any] | None = None
    slow_field: str = ""
    slow_as: Mapping[str, Any] = field(default_factory=dict)
    broken_as: Callable[[str], Mapping[str, Any]] | None = None
    derived: Mapping[str, Derived] = field(default_factory=dict)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """Names that a step's key may use, derived ones and the table's own included."""
        own = (self.key,) if isinstance(self.key, str) else tuple(f.name for f in fields(self.key))
        return (*own, *self.derived, "node", "os", "build")

    def lost(self, value: Any) -> Any:
        """The value of a packet or call that gets no answer; None where the entry itself is what answers."""
        return None if self.lost_as is None else replace(self._present(value), **self.lost_as)

    def slowed(self, value: Any, seconds: float) -> Any:
        """The value of something that takes longer by so many cluster seconds."""
        if not self.slow_field:
            raise FaultError("this state has no delay")
        present = self._present(value)
        return replace(
            present, **{self.slow_field: (getattr(present, self.slow_field) or 0.0) + seconds, **self.slow_as}
        )

    def broken(self, value: Any, message: str) -> Any:
        """The value of something that answers with an error."""
        return self.lost(value) if self.broken_as is None else replace(self._present(value), **self.broken_as(message))

    def _present(self, value: Any) -> Any:
        return value if value is not None or self.default is None else self.default()


class Met(Mapping[str, Any]):
    """What is met at a table, by field name: key fields, derived fields, and the table's Node, its OS and its build."""

    def __init__(
        self, world: Any, shape: Shape, table: Table[Any, Any], key: Any, value: Any, operation: str = ""
    ) -> None:
        self.world, self.shape, self.table = world, shape, table
        self.key, self.value, self.operation = key, value, operation

    def __getitem__(self, name: str) -> Any:
        if name in self.shape.derived:
            return self.shape.derived[name](self)
        if isinstance(self.shape.key, str):
            if name == self.shape.key:
                return self.key
        elif hasattr(self.key, name):
            return getattr(self.key, name)
        if name == "node":
            return self.table.node
        if name in ("os", "build"):
            return getattr(self.world.nodes.get(self.table.node), name, "")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shape.key_fields)

    def __len__(self) -> int:
        return len(self.shape.key_fields)

    def concerns(self) -> bool:
        """Whether the key is of the kind that the shape describes (DNS has resolvers and questions)."""
        return isinstance(self.shape.key, str) or isinstance(self.key, self.shape.key)
