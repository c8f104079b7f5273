"""A table of one Node, wanted and programmed; where faults act.

Keepers (kube-proxy, CNI, kubelet) call `create`, `update` and `delete`, and remember for themselves what they believe
to have done. What a packet, a mount or a call meets is `lookup`, computed from what is programmed. Faults hook the
three points: `on_write` (before a keeper's change), `set` (behind the keeper's back) and `on_lookup`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WriteFailed(Exception):
    """The component below refused a change (an HNS error); the keeper logs it and acts as its real twin does."""


class Drop(Exception):
    """Raised by a write hook: the change is lost, and the keeper is told that it worked."""


WriteHook = Callable[["Table[Any, Any]", str, Any, Any], Any]
"""(table, create|update|delete, key, value) -> the value to programme; may raise WriteFailed or Drop."""
LookupHook = Callable[["Table[Any, Any]", Any, Any], Any]
"""(table, key, value or None) -> the value met."""


class Table(Generic[K, V]):
    """One table of one Node. `state` is its word in fault files (LB, REP, EP, ROUTE, DNS ...)."""

    def __init__(self, state: str, node: str) -> None:
        self.state, self.node = state, node
        self.programmed: dict[K, V] = {}
        self.on_write: list[WriteHook] = []
        self.on_lookup: list[LookupHook] = []

    def create(self, key: K, value: V) -> None:
        """A keeper adds an entry."""
        self._write("create", key, value)

    def update(self, key: K, value: V) -> None:
        """A keeper changes an entry."""
        self._write("update", key, value)

    def delete(self, key: K) -> None:
        """A keeper removes an entry."""
        self._write("delete", key, None)

    def set(self, key: K, value: V | None) -> None:
        """Change what is programmed behind the keeper's back; None removes."""
        if value is None:
            self.programmed.pop(key, None)
        else:
            self.programmed[key] = value

    def lookup(self, key: K) -> V | None:
        """What is met at `key` now; None when there is no entry."""
        value: Any = self.programmed.get(key)
        for hook in self.on_lookup:
            value = hook(self, key, value)
        return value  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[K]:
        return iter(list(self.programmed))

    def _write(self, operation: str, key: K, value: V | None) -> None:
        try:
            for hook in self.on_write:
                value = hook(self, operation, key, value)
        except Drop:
            return
        self.set(key, value)
