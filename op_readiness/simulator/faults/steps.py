"""Steps in force: what hooks a table, changes it once, restarts a component or changes an object of the API.

Each kind has `put_in` and `take_out`. Table hooks are called for every write and every look-up, so they first ask the
cheap questions (is the condition open?) and then the filters.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from op_readiness.simulator.faults.changes import altered, in_low_half
from op_readiness.simulator.faults.condition import Condition
from op_readiness.simulator.faults.match import all_fit
from op_readiness.simulator.faults.schema import Step
from op_readiness.simulator.faults.shapes import Met, Shape
from op_readiness.simulator.faults.words import seconds
from op_readiness.simulator.network.table import Drop, Table, WriteFailed
from op_readiness.simulator.nodes.users import gmsa_of

SETTLED = 10.0
"""Cluster seconds that a `set` gives entries to come together, when it had to wait for the first one."""


class InForce(Protocol):
    """A step that has been put in."""

    condition: Condition

    @property
    def nodes(self) -> list[str]:
        """Nodes that the step breaks."""

    def put_in(self) -> None:
        """Begin."""

    def take_out(self) -> None:
        """End; what was set stays as it is until the world is made healthy."""

    def due(self) -> None:
        """The event that the step waits for has happened."""


class TableStep:
    """A step at one of the three points of all tables of its state."""

    def __init__(
        self, step: Step, condition: Condition, shape: Shape, tables: list[Table[Any, Any]], world: Any
    ) -> None:
        self.step, self.condition, self.shape, self.world = step, condition, shape, world
        self.tables = [table for table in tables if _node_fits(step, table, world)]
        self._frozen: dict[tuple[str, Any], Any] = {}
        self._writes: dict[tuple[str, Any], int] = {}
        self._waiting = False
        self._tasks: list[Any] = []

    @property
    def nodes(self) -> list[str]:
        """Nodes whose tables it hooks or changes."""
        return [table.node for table in self.tables]

    def put_in(self) -> None:
        """Hook the tables, or change them once."""
        for table in self.tables:
            if self.step.point == "write":
                table.on_write.append(self._write)
            elif self.step.point == "lookup":
                table.on_lookup.append(self._lookup)
        if self.step.when.after is None:
            self.due()

    def take_out(self) -> None:
        """Unhook, and forget what was to come."""
        for table in self.tables:
            table.on_write[:] = [hook for hook in table.on_write if hook not in (self._write, self._awaited)]
            table.on_lookup[:] = [hook for hook in table.on_lookup if hook != self._lookup]
        for task in self._tasks:
            task.cancel()

    def due(self) -> None:
        """A `set` is done `at` seconds after what it waits for."""
        if self.step.point != "set":
            return
        if self.step.when.at > 0:
            self._spawn(self._later(self.step.when.at))
        else:
            self._set()

    async def _later(self, wait: float) -> None:
        await self.world.clock.sleep(wait)
        self._set()

    def _set(self) -> None:
        """Change what fits; where nothing does yet, do it when something has come (and what comes with it)."""
        changed = sum(self._set_in(table) for table in self.tables)
        if not changed and self.step.when.after is None and not self._waiting:
            self._waiting = True
            for table in self.tables:
                table.on_write.append(self._awaited)

    def _set_in(self, table: Table[Any, Any]) -> int:
        changed = 0
        for key in table:
            value = table.programmed[key]
            met = self._met(table, key, value)
            if self._acts(table, met):
                gone = self.step.do == "remove"
                table.set(key, None if gone else altered(value, self.step.value, met.get, self.shape.default))
                changed += 1
        return changed

    def _awaited(self, table: Table[Any, Any], operation: str, key: Any, value: Any) -> Any:
        if self._waiting and operation != "delete" and self._names(self._met(table, key, value, operation)):
            self._waiting = False
            self._spawn(self._later(SETTLED))
        return value

    def _write(self, table: Table[Any, Any], operation: str, key: Any, value: Any) -> Any:
        place = (table.node, key)
        self._writes[place] = self._writes.get(place, 0) + 1
        met = self._met(table, key, value, operation)
        if operation not in self.step.on or not self._acts(table, met):
            return value
        if self.step.do == "drop":
            raise Drop
        if self.step.do == "fail":
            raise WriteFailed(str(self.step.value or "hnsCall failed in Win32: The parameter is incorrect. (0x57)"))
        if self.step.do == "delay":
            self._spawn(self._belated(table, key, value, self._writes[place]))
            raise Drop
        return None if self.step.do == "remove" else altered(value, self.step.value, met.get, None)

    async def _belated(self, table: Table[Any, Any], key: Any, value: Any, number: int) -> None:
        await self.world.clock.sleep(seconds(self.step.value))
        if self._writes[table.node, key] == number:
            table.set(key, value)

    def _lookup(self, table: Table[Any, Any], key: Any, value: Any) -> Any:
        met = self._met(table, key, value)
        return self._changed(table, key, value, met) if self._acts(table, met) else value

    def _changed(self, table: Table[Any, Any], key: Any, value: Any, met: Met) -> Any:
        do, wanted = self.step.do, self.step.value
        if do == "freeze":
            return self._frozen.setdefault((table.node, key), value)
        if do == "delay":
            return self.shape.slowed(value, seconds(wanted))
        if do == "fail":
            return self.shape.broken(value, str(wanted or ""))
        if do in ("alter", "set"):
            return altered(value, wanted, met.get, self.shape.default)
        if do == "remove":
            return None
        return self.shape.lost(value) if self._loses() else value

    def _loses(self) -> bool:
        """Whether what is met now is lost: always for a drop, by the seed for a loss, by time for a square wave."""
        if self.step.do == "loss":
            return bool(self.world.random.random() < float(self.step.value))
        return self.step.do == "drop" or in_low_half(self.step.value, self.condition.since)

    def _acts(self, table: Table[Any, Any], met: Met) -> bool:
        if not self.condition.holds(self._counts(table)) or not self._names(met):
            return False
        return self.condition.take((table.node, met.key))

    def _names(self, met: Met) -> bool:
        return met.concerns() and all_fit(self.step.key, met)

    def _met(self, table: Table[Any, Any], key: Any, value: Any, operation: str = "") -> Met:
        return Met(self.world, self.shape, table, key, value, operation)

    def _counts(self, table: Table[Any, Any]) -> Callable[[str], float | None]:
        return lambda what: count(self.world, table, what)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(self.world.spawn(work, f"fault step {self.step.state} {self.step.do}"))


def _node_fits(step: Step, table: Table[Any, Any], world: Any) -> bool:
    node = world.nodes.get(table.node)
    fields = {"node": table.node, "os": getattr(node, "os", ""), "build": getattr(node, "build", "")}
    return all_fit({name: step.key[name] for name in fields if name in step.key}, fields)


COUNTS = ("pods", "pods starting", "gmsa pods", "services", "entries", "execs")


def count(world: Any, table: Table[Any, Any], what: str) -> float | None:
    """The number that a `while` asks for: Pods of the table's Node (all, starting, with a GMSA), Services ...."""
    if what == "entries":
        return len(table.programmed)
    if what == "execs":
        return float(world.kubelets[table.node].execs)
    if what == "services":
        return len(world.services.objects)
    bound = [pod for pod in world.pods.objects.values() if pod.get("spec", {}).get("nodeName") == table.node]
    if what == "pods":
        return len(bound)
    if what == "gmsa pods":
        return sum(bool(gmsa_of(pod, {})[1]) for pod in bound)
    return float(sum(pod.get("status", {}).get("phase", "Pending") == "Pending" for pod in bound))
