"""The scheduler's loop: which Pods wait, when they are tried again, and what is written about it.

One Pod is decided at a time, over a snapshot that counts a Pod as placed from the moment of the decision; the writes
(binding, condition) go on beside it. A Pod that fits nowhere is tried again when something changes that could help.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Callable

import aiohttp

from op_readiness.simulator.api import ApiError, Object, key_of
from op_readiness.simulator.controlplane.informers import kinds, pods
from op_readiness.simulator.controlplane.informers.conditions import with_condition
from op_readiness.simulator.controlplane.informers.selectors import labels_of
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.scheduler.decide import Decision, decide
from op_readiness.simulator.controlplane.scheduler.quantities import amount
from op_readiness.simulator.controlplane.scheduler.snapshot import Snapshot
from op_readiness.simulator.controlplane.scheduler.volumes import Volumes

LOG = logging.getLogger(__name__)
NAME = "default-scheduler"
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 10.0  # seconds; defaults of kube-scheduler
COMPANY = {"podAffinity", "podAntiAffinity"}  # the latter: a label that repelled may be gone
Key = tuple[str, str]


class Scheduler:
    """Schedules Pods that ask for `default-scheduler`."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._snapshot = Snapshot()
        self._active: list[tuple[int, str, Key]] = []
        self._queued: set[Key] = set()
        self._waiting: dict[Key, float] = {}
        self._again: set[Key] = set()
        self._attempts: dict[Key, int] = {}
        self._said: dict[Key, str] = {}
        self._binding: set[Key] = set()
        self._some = asyncio.Event()
        self._flush: asyncio.Task[None] | None = None
        self._volumes = Volumes(shared.store(kinds.CLAIM).objects, shared.store(kinds.VOLUME).objects)
        shared.pods.handlers.append(self._pod_changed)
        shared.nodes.handlers.append(self._node_changed)
        shared.store(kinds.NAMESPACE).handlers.append(self._namespace_changed)
        for kind in (kinds.CLAIM, kinds.VOLUME):
            shared.store(kind).handlers.append(lambda old, new: self._retry())

    async def run(self) -> None:
        """Schedule until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                while not self._active:
                    self._some.clear()
                    await self._some.wait()
                _, _, key = heapq.heappop(self._active)
                self._queued.discard(key)
                pod = self._shared.pods.get(*key)
                if pod is not None and _is_for_us(pod) and key not in self._binding:
                    self._one(key, pod, group)
                await asyncio.sleep(0)

    def _one(self, key: Key, pod: Object, group: asyncio.TaskGroup) -> None:
        try:
            decision = decide(pod, self._snapshot, self._volumes)
        except Exception:  # one odd Pod must not end the scheduling of all others
            LOG.exception("Pod %s/%s", *key)
            return
        if decision.node is not None:
            self._snapshot.put(pod, decision.node)
            self._binding.add(key)
            group.create_task(self._bind(key, pod, decision.node))
            return
        attempts = self._attempts[key] = self._attempts.get(key, 0) + 1
        pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(attempts - 1, 10))
        self._waiting[key] = self._shared.clock.now() + pause
        group.create_task(self._refuse(key, pod, decision))

    async def _bind(self, key: Key, pod: Object, node: str) -> None:
        meta = pod["metadata"]
        body = {
            "apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": node},
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        }
        try:
            await self._shared.api.create(kinds.POD.of(pod, "binding"), body)
        except (ApiError, aiohttp.ClientError, OSError):
            self._not_bound(key)
            return
        self._binding.discard(key)
        self._forget(key)
        text = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
        self._shared.recorder.scheduling(pod, "Normal", "Scheduled", text, "Binding")
        successor = self._shared.pods.get(*key)
        if successor is not None and successor["metadata"]["uid"] != meta["uid"] and _is_for_us(successor):
            self._enqueue(key, successor)

    def _not_bound(self, key: Key) -> None:
        """The binding failed: the Pod takes no room, and is tried again if it (or a successor) is there."""
        self._binding.discard(key)
        current = self._shared.pods.get(*key)
        if current is None or not current["spec"].get("nodeName"):
            self._snapshot.take(key)
        if current is not None and _is_for_us(current):
            self._waiting[key] = self._shared.clock.now() + FIRST_BACKOFF
            self._retry()

    async def _refuse(self, key: Key, pod: Object, decision: Decision) -> None:
        for victim in decision.victims:
            await self._preempt(victim, pod, decision.nominated)
        if self._said.get(key) == decision.message:
            return
        self._said[key] = decision.message
        self._shared.recorder.scheduling(pod, "Warning", "FailedScheduling", decision.message, "Scheduling")
        conditions = (pod.get("status") or {}).get("conditions") or []
        said = with_condition(conditions, "PodScheduled", "False", "Unschedulable", decision.message)
        condition = {**next(each for each in said if each["type"] == "PodScheduled")}
        condition["observedGeneration"] = pod["metadata"].get("generation", 1)
        status: Object = {"conditions": [condition]}
        if decision.nominated:
            status["nominatedNodeName"] = decision.nominated
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        try:
            self._shared.pods.learn(await self._shared.api.patch(kinds.POD.of(pod, "status"), body, "strategic"))
        except (ApiError, aiohttp.ClientError, OSError):
            self._said.pop(key, None)

    async def _preempt(self, victim: Object, pod: Object, node: str) -> None:
        text = f"{NAME}: preempting to accommodate a higher priority pod"
        conditions = (victim.get("status") or {}).get("conditions") or []
        wanted = with_condition(conditions, "DisruptionTarget", "True", "PreemptionByScheduler", text)
        said = f"Preempted by pod {pod['metadata']['uid']} on node {node}"
        try:
            victim = await self._shared.status(kinds.POD, victim, {"conditions": wanted})
            await self._shared.delete(kinds.POD, victim)
        except (ApiError, aiohttp.ClientError, OSError):
            return
        self._shared.recorder.scheduling(victim, "Normal", "Preempted", said, "Preempting")

    def _enqueue(self, key: Key, pod: Object) -> None:
        if key in self._queued:
            return
        self._queued.add(key)
        self._waiting.pop(key, None)
        order = (-int(pod["spec"].get("priority") or 0), pod["metadata"]["creationTimestamp"], key)
        heapq.heappush(self._active, order)
        self._some.set()

    def _retry(self, helped: Callable[[Object], bool] = lambda pod: True) -> None:
        """Something changed that could help such waiting Pods: try them again, each not before its pause is over."""
        for key in self._waiting:
            pod = self._shared.pods.get(*key)
            if pod is not None and helped(pod):
                self._again.add(key)
        if self._again and (self._flush is None or self._flush.done()):
            self._flush = asyncio.get_running_loop().create_task(self._flush_waiting())

    async def _flush_waiting(self) -> None:
        while self._again:
            now = self._shared.clock.now()
            for key in [key for key in sorted(self._again) if self._waiting.get(key, now) <= now]:
                self._again.discard(key)
                pod = self._shared.pods.get(*key)
                if pod is not None and _is_for_us(pod):
                    self._enqueue(key, pod)
            left = min((self._waiting.get(key, now) for key in self._again), default=now) - now
            await self._shared.clock.sleep(max(left, 0.01))

    def _forget(self, key: Key) -> None:
        for memory in (self._waiting, self._attempts, self._said):
            memory.pop(key, None)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        pod = new if new is not None else old
        if pod is None:
            return
        key = key_of(pod)
        if new is None:
            self._forget(key)
            if self._snapshot.take(key):
                self._retry()
        elif new["spec"].get("nodeName"):
            self._placed(key, old, new)
        elif _is_for_us(new) and key not in self._binding and (old is None or _wish(old) != _wish(new)):
            self._attempts.pop(key, None)
            self._enqueue(key, new)

    def _placed(self, key: Key, old: Object | None, new: Object) -> None:
        if pods.is_finished(new):
            if self._snapshot.take(key):
                self._retry()
            return
        self._snapshot.put(new, new["spec"]["nodeName"])
        if old is None or labels_of(old) != labels_of(new) or not old["spec"].get("nodeName"):
            self._retry(_wants_company)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            self._snapshot.drop_node((old or {})["metadata"]["name"])
            return
        self._snapshot.set_node(new)
        if old is None or offers_more(old, new):
            self._retry()

    def _namespace_changed(self, old: Object | None, new: Object | None) -> None:
        name = (new or old or {})["metadata"]["name"]
        if new is None:
            self._snapshot.namespaces.pop(name, None)
        else:
            self._snapshot.namespaces[name] = dict(labels_of(new))


def _is_for_us(pod: Object) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", NAME) == NAME and not spec.get("nodeName") and not spec.get("schedulingGates")
    return ours and pods.is_active(pod)


def _wants_company(pod: Object) -> bool:
    """Whether a Pod could fit because another one is somewhere."""
    spec = pod["spec"]
    return bool(spec.get("topologySpreadConstraints") or (spec.get("affinity") or {}).keys() & COMPANY)


def _wish(pod: Object) -> tuple[object, ...]:
    """What a change of which may make a waiting Pod fit."""
    spec = pod["spec"]
    return (
        pod["metadata"]["uid"], labels_of(pod), spec.get("schedulingGates"), spec.get("tolerations"),
        spec.get("nodeSelector"), spec.get("affinity"), pods.phase(pod),
    )


def offers_more(old: Object, new: Object) -> bool:
    """Whether a Pod that did not fit this Node might fit it now."""
    taints = new["spec"].get("taints") or []
    before, after = ((each.get("status") or {}).get("allocatable") or {} for each in (old, new))
    return (
        labels_of(old) != labels_of(new)
        or any(taint not in taints for taint in old["spec"].get("taints") or [])
        or bool(old["spec"].get("unschedulable") and not new["spec"].get("unschedulable"))
        or (before != after and any(amount(each, after[each]) > amount(each, before.get(each, "0")) for each in after))
    )
