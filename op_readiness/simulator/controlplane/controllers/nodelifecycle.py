"""Node lifecycle: a Node that is silent for 40 cluster seconds is Unknown and tainted, and its Pods leave in the end.

As in the real controller a Lease counts as fresh from the moment that its renewal is seen, so clocks need not agree.
"""

from __future__ import annotations

import asyncio

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers import nodehealth
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.conditions import with_condition
from op_readiness.simulator.controlplane.informers.kinds import NODE, POD
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.recorder import stamp
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key

COMPONENT = "node-controller"
MONITOR_PERIOD, GRACE, STARTUP_GRACE = 5.0, 40.0, 60.0  # seconds; defaults of kube-controller-manager
QUARANTINE = 40.0  # seconds that Pods of a deleted Node are kept


class NodeLifecycle:
    """Watches over Nodes, their taints, and Pods that have to leave."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._heard: dict[str, float] = {}
        self._leaving: dict[Key, float] = {}
        self._to_mark: set[str] = set()
        self.nodes: WorkQueue[str] = WorkQueue(shared.clock, self._sync_node, workers=2)
        self.evictions: WorkQueue[Key] = WorkQueue(shared.clock, self._evict, workers=2)
        shared.leases.handlers.append(self._lease_changed)
        shared.nodes.handlers.append(self._node_changed)
        shared.pods.handlers.append(self._pod_changed)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.nodes.run())
            group.create_task(self.evictions.run())
            while True:
                await self._shared.clock.sleep(MONITOR_PERIOD)
                self._monitor()

    def _monitor(self) -> None:
        now = self._shared.clock.now()
        for (_, name), node in self._shared.nodes.objects.items():
            grace = STARTUP_GRACE if nodehealth.readiness(node) is None else GRACE
            if now - self._heard.setdefault(name, now) > grace:
                self.nodes.add(name)

    def _lease_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and (old is None or old["spec"].get("renewTime") != new["spec"].get("renewTime")):
            self._heard[new["metadata"]["name"]] = self._shared.clock.now()

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            self._node_gone(old or {})
            return
        name = new["metadata"]["name"]
        if old is None:
            self._heard.setdefault(name, self._shared.clock.now())
            self._event(new, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
            self.nodes.add(name)
        elif _matters(old) != _matters(new):
            if _heartbeat(old) != _heartbeat(new) and nodehealth.readiness(new) != "Unknown":
                self._heard[name] = self._shared.clock.now()
            self.nodes.add(name)
        if old is None or old["spec"].get("taints") != new["spec"].get("taints"):
            for pod in self._shared.pods.by("node", name):
                self._consider(pod, new)

    def _node_gone(self, node: Object) -> None:
        name = node["metadata"]["name"]
        self._heard.pop(name, None)
        self._event(node, "RemovingNode", f"Node {name} event: Removing Node {name} from Controller")
        for pod in self._shared.pods.by("node", name):
            self._leave((pod["metadata"]["namespace"], pod["metadata"]["name"]), QUARANTINE)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            meta = (old or {})["metadata"]
            self._leaving.pop((meta["namespace"], meta["name"]), None)
            return
        node_name = new["spec"].get("nodeName")
        if node_name and (old is None or not old["spec"].get("nodeName") or _tolerations(old) != _tolerations(new)):
            node = self._shared.nodes.get("", node_name)
            if node is not None:
                self._consider(new, node)

    def _consider(self, pod: Object, node: Object) -> None:
        """Set, keep or take back the time at which the Pod has to leave its Node."""
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        taints = [each for each in node["spec"].get("taints") or [] if each["effect"] == "NoExecute"]
        seconds = nodehealth.stays_for(pod, taints)
        if seconds is None:
            if self._leaving.pop(key, None) is not None:
                self._event_of_pod(pod, f"Cancelling deletion of Pod {key[0]}/{key[1]}")
        elif key not in self._leaving or seconds == 0:
            self._leave(key, seconds)

    def _leave(self, key: Key, seconds: float) -> None:
        self._leaving[key] = self._shared.clock.now() + seconds
        if seconds:
            self.evictions.add_after(key, seconds)
        else:
            self.evictions.add(key)

    async def _evict(self, key: Key) -> None:
        due, pod = self._leaving.get(key), self._shared.pods.get(*key)
        if due is None or pod is None:
            return
        left = due - self._shared.clock.now()
        if left > 0:
            self.evictions.add_after(key, left)
            return
        gone = self._shared.nodes.get("", pod["spec"].get("nodeName", "")) is None
        if pods.is_terminating(pod) and not gone:
            return
        reason, message = "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"
        if gone:
            reason, message = "DeletionByPodGC", "PodGC: node no longer exists"
        else:
            self._event_of_pod(pod, f"Marking for deletion Pod {key[0]}/{key[1]}")
        conditions = (pod.get("status") or {}).get("conditions") or []
        status: Object = {"conditions": with_condition(conditions, "DisruptionTarget", "True", reason, message)}
        if gone and not pods.is_finished(pod):
            status["phase"] = "Failed"
        pod = await self._shared.status(POD, pod, status)
        self._leaving.pop(key, None)
        await self._shared.delete(POD, pod, **({"gracePeriodSeconds": 0} if gone else {}))

    async def _sync_node(self, name: str) -> None:
        node = self._shared.nodes.get("", name)
        if node is None:
            return
        grace = STARTUP_GRACE if nodehealth.readiness(node) is None else GRACE
        if self._shared.clock.now() - self._heard.get(name, self._shared.clock.now()) > grace:
            conditions = nodehealth.gone_silent(node, stamp())
            if nodehealth.readiness(node) == "True":
                self._to_mark.add(name)
            node = await self._shared.status(NODE, node, {"conditions": conditions})
        node = await self._taint(node)
        if name in self._to_mark and nodehealth.readiness(node) == "Unknown":
            await self._pods_not_ready(node)
        self._to_mark.discard(name)

    async def _taint(self, node: Object) -> Object:
        taints = nodehealth.wanted_taints(node, stamp())
        if taints == (node["spec"].get("taints") or []):
            return node
        return await self._shared.patch(NODE, node, {"spec": {"taints": taints or None}})

    async def _pods_not_ready(self, node: Object) -> None:
        name = node["metadata"]["name"]
        self._event(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        for pod in self._shared.pods.by("node", name):
            if not pods.is_ready(pod):
                continue
            conditions = [
                {**each, "status": "False", "lastTransitionTime": stamp()} if each["type"] == "Ready" else each
                for each in pod["status"]["conditions"]
            ]
            try:
                await self._shared.status(POD, pod, {"conditions": conditions})
            except ApiError as error:
                if error.code != 404:
                    raise
                continue
            self._shared.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready", COMPONENT)

    def _event(self, node: Object, reason: str, message: str) -> None:
        self._shared.recorder.event(node, "Normal", reason, message, COMPONENT)

    def _event_of_pod(self, pod: Object, message: str) -> None:
        self._shared.recorder.event(pod, "Normal", "TaintManagerEviction", message, "taint-eviction-controller")


def _matters(node: Object) -> tuple[object, ...]:
    """What of a Node this controller acts on."""
    conditions = (node.get("status") or {}).get("conditions") or []
    spec = node["spec"]
    return [(each["type"], each["status"]) for each in conditions], spec.get("taints"), spec.get("unschedulable"), (
        _heartbeat(node)
    )


def _heartbeat(node: Object) -> object:
    ready = pods.condition(node, "Ready")
    return ready.get("lastHeartbeatTime") if ready else None


def _tolerations(pod: Object) -> object:
    return pod["spec"].get("tolerations")
