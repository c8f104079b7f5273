"""What holds containers to their limits, and what a kubelet keeps back from Pods (state LIMIT).

The kubelet writes an entry for each limit of a container that it starts: on Windows a job object's, CPU as a hard cap
in 1/10000 of the machine, memory as commit. And one for each thing that it takes off a Node's capacity. What a process
gets, and what the Node reports as allocatable, are looked up here.
"""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.api import Object
from op_readiness.simulator.network.table import Table, WriteFailed
from op_readiness.simulator.nodes.quantities import bytes_of, millicores_of

CPU_STEPS = 10_000
"""A job object's CPU rate counts in this part of all processors."""


@dataclass(frozen=True)
class LimitKey:
    """`resource` is cpu or memory, of a container; or reserved or eviction, what is kept back of the Node's memory."""

    resource: str
    namespace: str = ""
    pod: str = ""
    container: str = ""
    uid: str = ""


@dataclass(frozen=True)
class Limit:
    """`amount` is in cores or bytes."""

    amount: float = 0.0


LimitTable = Table[LimitKey, Limit]


class Limits:
    """The LIMIT table of a Node, and what its kubelet wants there."""

    def __init__(self, node: str, machine_cores: float) -> None:
        self.table: LimitTable = Table("LIMIT", node)
        self._cores = machine_cores
        self._wanted: dict[LimitKey, Limit] = {}

    def set_node(self, resource: str, amount: float) -> None:
        """What the kubelet keeps back of the Node itself."""
        self._write(LimitKey(resource), Limit(float(amount)))

    def set_container(self, pod: Object, container: Object, windows: bool) -> None:
        """The limits of a container that starts."""
        meta = pod["metadata"]
        limits = (container.get("resources") or {}).get("limits") or {}
        for resource in ("cpu", "memory"):
            if resource in limits:
                key = LimitKey(resource, meta["namespace"], meta["name"], container["name"], meta["uid"])
                self._write(key, Limit(self._amount(resource, limits[resource], windows)))

    def forget(self, uid: str) -> None:
        """A Pod's containers are gone."""
        for key in [key for key in self._wanted if key.uid == uid]:
            del self._wanted[key]
            self.table.set(key, None)

    def of_node(self, resource: str) -> float:
        """The amount that is met; 0 for none."""
        found = self.table.lookup(LimitKey(resource))
        return found.amount if found is not None else 0.0

    def of_container(self, pod: Object, container: str, resource: str) -> float:
        """The amount that holds a container now; 0 for none."""
        meta = pod["metadata"]
        found = self.table.lookup(LimitKey(resource, meta["namespace"], meta["name"], container, meta["uid"]))
        return found.amount if found is not None else 0.0

    def heal(self) -> None:
        """Write everything anew from what is wanted."""
        self.table.programmed = dict(self._wanted)

    def _amount(self, resource: str, quantity: str, windows: bool) -> float:
        if resource == "memory":
            return float(bytes_of(quantity))
        milli = millicores_of(quantity)
        if not windows:
            return milli / 1000
        share = max(1, min(CPU_STEPS, int(CPU_STEPS * milli / self._cores / 1000)))
        return share * self._cores / CPU_STEPS

    def _write(self, key: LimitKey, value: Limit) -> None:
        self._wanted[key] = value
        try:
            if key in self.table.programmed:
                self.table.update(key, value)
            else:
                self.table.create(key, value)
        except WriteFailed:
            return
