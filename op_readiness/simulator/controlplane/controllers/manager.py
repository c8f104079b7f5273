"""Starts the caches, and when they are filled the scheduler and all controllers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from op_readiness.simulator.api import Api
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.controllers.daemonset import DaemonSets
from op_readiness.simulator.controlplane.controllers.deployment import Deployments
from op_readiness.simulator.controlplane.controllers.endpointslice import EndpointSlices
from op_readiness.simulator.controlplane.controllers.garbage import Garbage
from op_readiness.simulator.controlplane.controllers.job import Jobs
from op_readiness.simulator.controlplane.controllers.namespace import Namespaces
from op_readiness.simulator.controlplane.controllers.nodelifecycle import NodeLifecycle
from op_readiness.simulator.controlplane.controllers.quota import Quotas
from op_readiness.simulator.controlplane.controllers.replicaset import ReplicaSets
from op_readiness.simulator.controlplane.controllers.serviceaccount import NamespaceFurniture
from op_readiness.simulator.controlplane.controllers.statefulset import StatefulSets
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.scheduler import Scheduler


class Manager:
    """All controllers over one set of caches."""

    def __init__(self, api: Api, clock: Clock, root_ca: str) -> None:
        self.shared = Shared(api, clock)
        self._queues = [
            each.queue
            for each in (
                Deployments(self.shared), ReplicaSets(self.shared), StatefulSets(self.shared), DaemonSets(self.shared),
                Jobs(self.shared), EndpointSlices(self.shared), Namespaces(self.shared), Quotas(self.shared),
            )
        ]
        self._furniture = NamespaceFurniture(self.shared, root_ca)
        lifecycle, garbage, scheduler = NodeLifecycle(self.shared), Garbage(self.shared), Scheduler(self.shared)
        self._others: list[Callable[[], Awaitable[None]]] = [lifecycle.run, garbage.run, scheduler.run]

    async def run(self) -> None:
        """Run until cancelled; handlers hear of the first lists, work begins when all caches are filled."""
        async with asyncio.TaskGroup() as group:
            for store in (*self.shared.stores.values(), self.shared.leases):
                group.create_task(store.run())
            group.create_task(self.shared.recorder.run())
            await self.shared.synced()
            for queue in (*self._queues, self._furniture.queue):
                group.create_task(queue.run())
            for other in self._others:
                group.create_task(_awaited(other))


async def _awaited(run: Callable[[], Awaitable[None]]) -> None:
    await run()
