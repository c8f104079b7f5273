"""kube-proxy: what both operating systems' keepers of the LB table have in common.

A keeper hears of changed Services, waits a little so that changes come together, and writes what it believes to be
missing. It never reads the table back: what a fault changed behind its back stays until the Service changes or the
keeper restarts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.keys import Backend, LbKey, LbValue
from op_readiness.simulator.network.remote import RemoteEndpoints
from op_readiness.simulator.network.services import Endpoint, Face, Name, PortView, ServiceMap, ServiceView
from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.network.tables import NodeTables

LAG = 1.0  # cluster seconds from a change to its programming (--iptables-min-sync-period, winkernel alike)
RETRY = 30.0  # cluster seconds until a failed Service is tried again (kube-proxy's syncPeriod)
ROUTED_OUTSIDE = ("NodePort", "ExternalIP", "LoadBalancer")


@dataclass
class Surroundings:
    """What a keeper needs of its world."""

    services: ServiceMap
    clock: Clock
    emit: Callable[..., Any]


class KubeProxy:
    """The keeper of one Node's LB table."""

    def __init__(self, tables: NodeTables, remote: RemoteEndpoints, around: Surroundings) -> None:
        self.tables, self.remote, self.around = tables, remote, around
        self.node = tables.machine.name
        self.believed: dict[LbKey, LbValue] = {}
        self.stopped = False
        self._of_service: dict[Name, set[LbKey]] = {}
        self._dirty: set[Name] = set(around.services.views)
        self._failed: set[Name] = set()
        self._task: asyncio.Task[None] | None = None
        self._retrying = False

    def changed(self, name: Name) -> None:
        """A Service or its endpoints changed."""
        self._dirty.add(name)
        self._soon(LAG)

    def stop(self) -> None:
        """The process is gone: tables stay as they are."""
        self.stopped = True
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def start(self) -> None:
        """The process begins: it remembers nothing and programmes everything after the usual lag."""
        self.stopped = False
        self._forget()
        self._dirty = set(self.around.services.views)
        self._soon(LAG, first=True)

    def rebuild(self) -> None:
        """Programme everything now, whatever is in the table."""
        self.stop()
        self.stopped = False
        self._forget()
        self._dirty = set(self.around.services.views)
        self._begin()
        self.sync()

    def sync(self) -> None:
        """Programme all that changed."""
        dirty, self._dirty = self._dirty | self._failed, set()
        self._failed = set()
        for name in sorted(dirty):
            try:
                self._programme(name, self.around.services.views.get(name))
            except WriteFailed:
                self._failed.add(name)
        if dirty:
            self.around.emit("kube-proxy synced", node=self.node, services=sorted("/".join(name) for name in dirty))

    def _soon(self, delay: float, first: bool = False) -> None:
        if self.stopped:
            return
        if self._task is not None:
            if not (first or self._retrying):
                return  # the sync that is coming takes this change along
            self._task.cancel()
        self._retrying = delay > LAG
        self._task = asyncio.get_running_loop().create_task(self._later(delay, first))

    async def _later(self, delay: float, first: bool) -> None:
        await self.around.clock.sleep(delay)
        if first:
            self._begin()
        self.sync()
        self._task = None
        if self._failed:
            self._soon(RETRY)

    def _forget(self) -> None:
        self.believed.clear()
        self._of_service.clear()
        self._failed.clear()

    def _begin(self) -> None:
        """What the process does to the table before its first sync."""
        for key in [key for key in self.tables.lb if (key.namespace, key.name) not in self.around.services.views]:
            with suppress(WriteFailed):
                self.tables.lb.delete(key)

    def _programme(self, name: Name, view: ServiceView | None) -> None:
        raise NotImplementedError

    def _faces(self, view: ServiceView) -> Iterator[tuple[LbKey, PortView, Face]]:
        for port in view.ports:
            for face in port.faces:
                key = LbKey(
                    view.namespace, view.name, port.name, port.number, port.protocol,
                    face.face, face.family, face.vip, face.port,
                )
                yield key, port, face

    def _is_local_only(self, view: ServiceView, face: Face) -> bool:
        policy = view.external_policy if face.face in ROUTED_OUTSIDE else view.internal_policy
        return policy == "Local"


def usable(endpoints: tuple[Endpoint, ...], family: str, fall_back: bool) -> list[Endpoint]:
    """Endpoints that get traffic: the ready ones, or if there are none and `fall_back`, those that serve still."""
    mine = [endpoint for endpoint in endpoints if endpoint.family == family]
    ready = [endpoint for endpoint in mine if endpoint.ready]
    if ready or not fall_back:
        return ready
    return [endpoint for endpoint in mine if endpoint.serving and endpoint.terminating]


def backends_of(endpoints: list[Endpoint]) -> tuple[Backend, ...]:
    """Their addresses and ports."""
    return tuple(Backend(endpoint.ip, endpoint.port) for endpoint in endpoints)
