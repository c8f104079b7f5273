"""Volumes of running Pods kept up to date: tokens before they age, contents after their source has changed.

A kubelet notices at its next look at the Pod, a minute or so later; here the delay is drawn when the change comes, so
that nothing has to be polled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from op_readiness.simulator.api import Object

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker
    from op_readiness.simulator.world import World

SOURCES = {"configMap": "/api/v1/configmaps", "secret": "/api/v1/secrets"}


class Upkeep:
    """Of the volumes of one Pod, as long as its sandbox lives."""

    def __init__(self, pod: PodWorker) -> None:
        self._pod = pod
        self._due = asyncio.Event()

    def due(self) -> None:
        """A source has changed."""
        self._due.set()

    async def run(self) -> None:
        """Refresh what is due, until cancelled."""
        await self._refresh()
        while True:
            changed = asyncio.ensure_future(self._due.wait())
            try:
                await self._due_or_aged(changed)
            finally:
                changed.cancel()
            if self._due.is_set():
                await self._pod.clock.sleep(self._pod.pause_of("volume_update"))
                self._due.clear()
            await self._refresh()

    async def _refresh(self) -> None:
        """What could not be brought up to date is due again: a kubelet comes back to each of its Pods."""
        if not await self._pod.volumes.refresh(self._pod.pod, self._pod.ips):
            self._due.set()

    async def _due_or_aged(self, changed: asyncio.Task[Literal[True]]) -> None:
        renew_in = self._pod.volumes.renew_in()
        if renew_in is None:
            await changed
            return
        aged: asyncio.Task[Any] = asyncio.ensure_future(self._pod.clock.sleep(max(1.0, renew_in)))
        try:
            await asyncio.wait({changed, aged}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            aged.cancel()


def watch_sources(world: World) -> None:
    """Have the Pods told whose ConfigMaps and Secrets change; before the world starts."""

    def told(kind: str, old: Object | None) -> None:
        if old is None:
            return
        namespace, name = old["metadata"]["namespace"], old["metadata"]["name"]
        for kubelet in world.kubelets.values():
            for worker in kubelet.workers.values():
                if worker.pod["metadata"]["namespace"] == namespace and worker.volumes.uses(kind, name):
                    worker.upkeep.due()

    for kind, path in SOURCES.items():
        world.informer(path).handlers.append(_handler(kind, told))


def _handler(kind: str, told: Callable[[str, Object | None], None]) -> Callable[[Object | None, Object | None], None]:
    return lambda old, _: told(kind, old)
