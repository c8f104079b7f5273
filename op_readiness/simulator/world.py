"""The simulated cluster as its parts see it: clock, API, Nodes, network, what happened and what can be restarted.

Parts do not know one another: kubelets, keepers, programs and faults share this one object. It holds one watch of each
collection for all Nodes, an event bus (`emit`, `on_event`), and the tasks that live as long as the cluster.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import sys
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.api import Api, ApiError, Informer, Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.nodes.node import Node
from op_readiness.simulator.nodes.specs import NodeSpec

if TYPE_CHECKING:
    from op_readiness.simulator.domain.directory import Directory
    from op_readiness.simulator.network.network import Network
    from op_readiness.simulator.nodes.kubelet import Kubelet

CONTROL_PLANE_IP = "10.240.0.2"
CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
EventHandler = Callable[[str, dict[str, Any]], None]
Restart = Callable[[], Awaitable[None] | None]


class UnknownComponent(Exception):
    """There is nothing of that name to restart on that Node."""


class World:
    """One simulated cluster. `profile` is the latency, quick or realistic."""

    def __init__(self, api: Api, clock: Clock, specs: list[NodeSpec], *, seed: int = 0, profile: str = "quick") -> None:
        self.api, self.clock, self.random = api, clock, random.Random(seed)
        self.nodes: dict[str, Node] = {spec.name: Node.of(spec, profile) for spec in specs}
        self._informers: dict[tuple[str, str], Informer] = {}
        self._handlers: list[EventHandler] = []
        self._components: dict[tuple[str, str], Restart] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self.pods = self.informer("/api/v1/pods")
        self.services = self.informer("/api/v1/services")
        self.endpointslices = self.informer("/apis/discovery.k8s.io/v1/endpointslices")
        self.node_objects = self.informer("/api/v1/nodes")
        self.network: Network
        self.directory: Directory | None = None
        self.kubelets: dict[str, Kubelet] = {}

    # Objects of the API

    def informer(self, path: str, query: str = "") -> Informer:
        """The one cache of a collection; it starts to watch at once when the cluster runs already."""
        found = self._informers.get((path, query))
        if found is None:
            found = self._informers[path, query] = Informer(self.api, path, query)
            if self._tasks:
                self.spawn(found.run(), f"watch of {path}")
        return found

    async def read(self, path: str, namespace: str, name: str) -> Object | None:
        """The newest known object of a namespaced collection (`/api/v1/configmaps`); None if there is none.

        Asks the cache, and the API server when the cache does not know it (yet).
        """
        informer = self.informer(path)
        await informer.synced.wait()
        found = informer.objects.get((namespace, name))
        if found is not None:
            return found
        group, _, plural = path.rpartition("/")
        try:
            return await self.api.get(f"{group}/namespaces/{namespace}/{plural}/{name}")
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    # What happened

    def on_event(self, handler: EventHandler) -> None:
        """Have `handler(event, fields)` called at every `emit`."""
        self._handlers.append(handler)

    def emit(self, event: str, **fields: Any) -> None:
        """Tell everybody that something happened, as `emit("pod started", node=.., pod=..)`."""
        for handler in list(self._handlers):
            handler(event, fields)

    # Components

    def component(self, name: str, node: str, restart: Restart) -> None:
        """Say how the component of a Node is restarted (kube-proxy, cni, kubelet, containerd, node)."""
        self._components[name, node] = restart

    async def restart(self, component: str, node: str) -> None:
        """Restart it, and tell everybody (`kube-proxy restarted`); raises UnknownComponent."""
        restart = self._components.get((component, node))
        if restart is None:
            known = sorted(f"{name} on {place}" for name, place in self._components)
            raise UnknownComponent(f"no {component} on {node}; there are: {', '.join(known)}")
        done = restart()
        if inspect.isawaitable(done):
            await done
        self.emit(f"{component} restarted", node=node)

    # Tasks

    def start(self) -> None:
        """Begin to watch; needs a running loop."""
        for (path, _), informer in self._informers.items():
            self.spawn(informer.run(), f"watch of {path}")

    async def synced(self) -> None:
        """Wait until every cache has had its first list."""
        for informer in list(self._informers.values()):
            await informer.synced.wait()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run `work` as long as the cluster lives; an exception in it is printed, never swallowed."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel everything that was spawned."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            print(f"simulator: {task.get_name()} broke:", file=sys.stderr)  # noqa: T201
            traceback.print_exception(error, file=sys.stderr)
