"""Hooks as the fault engine puts them in, written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from op_readiness.simulator.network.keys import DnsPath, DnsQueryKey, RouteKey, RouteValue
from op_readiness.simulator.network.table import Drop, Table, WriteFailed
from tests.simulator.network.worlds import World

Fits = Callable[[Any], bool]


def route(world: World, value: RouteValue, **wanted: Any) -> None:
    """A ROUTE fault on every Node's table: messages whose key has these fields meet `value`."""

    def hook(_: Table[Any, Any], key: RouteKey, met: RouteValue | None) -> RouteValue | None:
        return value if all(getattr(key, name) == field for name, field in wanted.items()) else met

    for tables in world.network.tables.values():
        tables.route.on_lookup.append(hook)


def route_if(world: World, value: RouteValue, fits: Fits) -> None:
    for tables in world.network.tables.values():
        tables.route.on_lookup.append(lambda _, key, met: value if fits(key) else met)


def dns(world: World, path: DnsPath, fits: Fits) -> None:
    for tables in world.network.tables.values():
        tables.dns.on_lookup.append(
            lambda _, key, met: path if isinstance(key, DnsQueryKey) and fits(key) else met
        )


def alter(table: Table[Any, Any], fits: Fits, **changes: Any) -> None:
    """A look-up fault that changes fields of values."""
    table.on_lookup.append(lambda _, key, met: replace(met, **changes) if met is not None and fits(key) else met)


def on_write(table: Table[Any, Any], operations: Iterable[str], fits: Fits, outcome: str, times: int = 10**9) -> None:
    """A write fault: `drop` or `fail`, the first `times` of them."""
    left = [times]

    def hook(_: Table[Any, Any], operation: str, key: Any, value: Any) -> Any:
        if operation not in operations or not fits(key) or left[0] <= 0:
            return value
        left[0] -= 1
        if outcome == "drop":
            raise Drop
        raise WriteFailed("hcnOpenEndpoint failed in Win32: Element not found. (0x490)")

    table.on_write.append(hook)


def heal_hooks(world: World) -> None:
    for tables in world.network.tables.values():
        for table in tables.all():
            table.on_write.clear()
            table.on_lookup.clear()
