"""A simulated kubelet: takes up the Pods bound to its Node, and answers for them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.api import Object
from op_readiness.simulator.network.keys import RouteValue
from op_readiness.simulator.nodes.admission import Refusal, refusal
from op_readiness.simulator.nodes.containers import Container, RunProgram
from op_readiness.simulator.nodes.events import Recorder
from op_readiness.simulator.nodes.node import Node
from op_readiness.simulator.nodes.pod import PodWorker
from op_readiness.simulator.nodes.pressure import MemoryPressure
from op_readiness.simulator.nodes.registration import Registration, node_object, node_status
from op_readiness.simulator.nodes.shutdown import NOT_ADMITTED, shut_down
from op_readiness.simulator.nodes.waiting import ended_within

if TYPE_CHECKING:
    from op_readiness.simulator.world import World


BOOT_LOOK, SETTLING_LOOKS = 1.0, 60


class NotHere(Exception):
    """No such Pod or container on this Node; the text is the kubelet's."""


class Kubelet:
    """The kubelet of one Node."""

    def __init__(self, world: World, node: Node, registration: Registration, run_program: RunProgram) -> None:
        self.world, self.node, self.run_program = world, node, run_program
        self.registration = registration
        self.events = Recorder(world, node.name)
        self.workers: dict[str, PodWorker] = {}
        self.host_process_starts: Counter[tuple[str, str]] = Counter()
        self.down = False
        self._nudge = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self._missed: list[tuple[Object | None, Object | None]] = []
        world.component("kubelet", node.name, self.restart)
        world.component("containerd", node.name, self.restart)
        world.component("node", node.name, self.reboot)

    async def start(self) -> None:
        """Register the Node and keep its Lease fresh."""
        await self.registration.register()
        self._beat()
        self.spawn(MemoryPressure(self).run(), "eviction manager")
        self.events.node("Normal", "Starting", "Starting kubelet.")

    async def shut_down(self, delay: float) -> None:
        """After a delay (cluster seconds) shut the Node down, with grace if it is configured, and boot it again."""
        await self.world.clock.sleep(delay)
        await shut_down(self)
        await self.reboot()

    def _beat(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
        self._beating = self.spawn(self.registration.run(), "Lease")

    async def restart(self) -> None:
        """The kubelet or the runtime restarts: containers live on, the Node says that it has begun anew."""
        self._beat()
        self.events.node("Normal", "Starting", "Starting kubelet.")
        await self.registration.report()

    async def reboot(self) -> None:
        """The whole Node goes down, and comes up with another boot id; its keepers begin anew."""
        if self.down:
            return
        if self._beating is not None:
            self._beating.cancel()
        self.down = True
        routes = self.node.tables["ROUTE"]
        routes.on_lookup.append(_silent)
        self.world.emit("node down", node=self.node.name)
        for worker in list(self.workers.values()):
            worker.power_off()
        await self.world.clock.sleep(self.node.latency.of("boot", self.world.random))
        while self.node.host.fact("boot", "returns").value == "never":
            await self.world.clock.sleep(BOOT_LOOK)
        self.node.boot(self.world.clock.now())
        self.down = False
        with contextlib.suppress(ValueError):
            routes.on_lookup.remove(_silent)
        self.world.emit("node up", node=self.node.name)
        for component in ("hns", "cni", "kube-proxy"):
            await self.world.restart(component, self.node.name)
        self.events.node(
            "Warning", "Rebooted", f"Node {self.node.name} has been rebooted, boot id: {self.node.boot_id}"
        )
        await self.restart()
        for worker in list(self.workers.values()):
            worker.power_on()
        for old, new in self._missed:
            self.pod_changed(old, new)
        self._missed.clear()

    async def nudged_within(self, seconds: float) -> None:
        """Wait that many cluster seconds, or until what waits to try again is to be tried now."""
        nudged = asyncio.ensure_future(self._nudge.wait())
        try:
            await ended_within(self.world.clock, nudged, seconds)
        finally:
            nudged.cancel()

    async def settled(self) -> None:
        """After a fault is out: wait until the Node is up, and the Pods that ran before it run and are ready again.

        Retries and probes that wait for their time are made at once. A Pod that its own test keeps from being ready
        is not waited for longer than a minute of the cluster.
        """
        while self.down:
            await self.world.clock.sleep(BOOT_LOOK)
        nudge, self._nudge = self._nudge, asyncio.Event()
        nudge.set()
        for _ in range(SETTLING_LOOKS):
            if all(one.settled for one in self.workers.values()):
                break
            await self.world.clock.sleep(BOOT_LOOK)
        await asyncio.gather(*(one.told() for one in list(self.workers.values())))

    @property
    def execs(self) -> int:
        """How many processes run in its containers beside the first ones."""
        return sum(one.execs for worker in self.workers.values() for one in worker.containers)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something of this Node."""
        return self.world.spawn(work, f"{name} on {self.node.name}")

    def pod_changed(self, old: Object | None, new: Object | None) -> None:
        """A Pod bound to this Node came, changed or went."""
        if self.down:
            self._missed.append((old, new))
            return
        if new is None:
            if old is not None:
                self._vanished(old["metadata"]["uid"])
            return
        uid = new["metadata"]["uid"]
        if old is not None and old["metadata"]["uid"] != uid:
            self._vanished(old["metadata"]["uid"])
        worker = self.workers.get(uid)
        if worker is not None:
            worker.update(new)
        elif not _over(new) or new["metadata"].get("deletionTimestamp"):
            self._take_up(uid, new)

    def worker_of(self, namespace: str, name: str) -> PodWorker:
        """The Pod of that name; raises NotHere."""
        for worker in reversed(list(self.workers.values())):
            meta = worker.pod["metadata"]
            if (meta["namespace"], meta["name"]) == (namespace, name):
                return worker
        raise NotHere(f'pod "{name}_{namespace}" does not exist')

    def container_of(self, namespace: str, pod: str, container: str) -> tuple[PodWorker, Container]:
        """A container and its Pod; raises NotHere."""
        worker = self.worker_of(namespace, pod)
        for one in worker.containers:
            if one.name == container:
                return worker, one
        raise NotHere(f'container "{container}" not found in pod "{pod}"')

    def _take_up(self, uid: str, pod: Object) -> None:
        worker = self.workers[uid] = PodWorker(self, pod)
        others = [one.pod for one in self.workers.values() if one is not worker and not one.ended]
        looks_at_os = self.node.host.fact("kubelet", "IdentifyPodOS").value == "true"
        reason = self._shutdown_refusal() or refusal(pod, self._node_object(), others, looks_at_os)
        worker.update(pod)
        work = worker.run() if reason is None else worker.reject(reason.reason, reason.message)
        task = self.spawn(work, f"Pod {pod['metadata']['name']}")
        task.add_done_callback(lambda _: self.workers.pop(uid, None))
        worker.task = task

    def _shutdown_refusal(self) -> Refusal | None:
        return Refusal(*NOT_ADMITTED) if self.node.shutting_down else None

    def _vanished(self, uid: str) -> None:
        """The Pod is gone from the API (a forced delete): its containers are killed all the same."""
        worker = self.workers.get(uid)
        if worker is not None:
            worker.vanish()

    def _node_object(self) -> Object:
        known = self.world.node_objects.objects.get(("", self.node.name))
        return known if known and "allocatable" in known.get("status", {}) else self._own_view()

    def _own_view(self) -> Object:
        return node_object(self.node) | {"status": node_status(self.node, "", "")}


def _silent(_: Any, __: Any, value: RouteValue | None) -> RouteValue:
    """Nothing leaves or reaches a Node that is down."""
    return replace(value or RouteValue(), verdict="drop")


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
