"""DaemonSets: a Pod on every Node that may have one."""

from __future__ import annotations

import asyncio

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers import revisions
from op_readiness.simulator.controlplane.controllers.claims import claimed, owner_keys
from op_readiness.simulator.controlplane.controllers.rolling import share
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.kinds import DAEMON_SET, POD
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.selectors import labels_of
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key
from op_readiness.simulator.controlplane.scheduler.placement import named_nodes, node_matches, untolerated

COMPONENT = "daemonset-controller"
TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"), ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"), ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"), ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets:
    """The DaemonSet controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(DAEMON_SET).handlers.append(self._changed)
        shared.pods.handlers.append(self._pod_changed)
        shared.nodes.handlers.append(self._node_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            for key in owner_keys(self._shared, DAEMON_SET, pod) if pod else ():
                self.queue.add(key)

    def _node_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and new is not None and _placing(old) == _placing(new):
            return
        for key in self._shared.store(DAEMON_SET).objects:
            self.queue.add(key)

    async def _sync(self, key: Key) -> None:
        owner = self._shared.store(DAEMON_SET).get(*key)
        if owner is None:
            return
        mine = await claimed(self._shared, owner, DAEMON_SET, POD)
        revision = await revisions.current_revision(self._shared, owner, DAEMON_SET)
        mark = labels_of(revision)[revisions.HASH_LABEL]
        failure: ApiError | None = None
        if "deletionTimestamp" not in owner["metadata"]:
            failure = await self._place(owner, mine, mark)
        await self._write_status(self._shared.store(DAEMON_SET).get(*key) or owner, mark)
        if failure is not None:
            raise failure

    async def _place(self, owner: Object, mine: list[Object], mark: str) -> ApiError | None:
        by_node = self._by_node(mine)
        missing, surplus = [], []
        for name, node in ((key[1], node) for key, node in self._shared.nodes.objects.items()):
            have = by_node.pop(name, [])
            run, stay = should_run(owner, node)
            alive = [pod for pod in have if not self._shared.pods.going(pod)]
            if run and not have:
                missing.append(name)
            elif not stay:
                surplus += alive
            else:
                surplus += self._doubled(owner, alive, mark)
        surplus += [pod for left in by_node.values() for pod in left if not self._shared.pods.going(pod)]
        if not missing and not surplus:
            missing, surplus = self._rolled(owner, mine, mark)
        made = [self._create(owner, name, mark) for name in missing]
        results = await asyncio.gather(*made, *(self._delete(owner, pod) for pod in surplus))
        return next((error for error in results if error is not None), None)

    def _by_node(self, mine: list[Object]) -> dict[str, list[Object]]:
        by_node: dict[str, list[Object]] = {}
        for pod in mine:
            names = {pod["spec"]["nodeName"]} if pod["spec"].get("nodeName") else named_nodes(pod) or {""}
            by_node.setdefault(min(names), []).append(pod)
        return by_node

    def _doubled(self, owner: Object, alive: list[Object], mark: str) -> list[Object]:
        """Pods of one Node that are too many: a surging DaemonSet may have an old one and a new one."""
        if not _surge(owner):
            return _failed_or_doubled(alive)
        failed = [pod for pod in alive if pods.is_finished(pod)]
        running = sorted((pod for pod in alive if not pods.is_finished(pod)), key=_age)
        new = [pod for pod in running if labels_of(pod).get(revisions.POD_LABEL) == mark]
        old = [pod for pod in running if pod not in new]
        replaced = old[:1] if old and new and (not pods.is_ready(old[0]) or self._available(owner, new[0])) else []
        return failed + new[1:] + old[1:] + replaced

    def _rolled(self, owner: Object, mine: list[Object], mark: str) -> tuple[list[str], list[Object]]:
        """(Nodes that get a new Pod, Pods to delete) of this step of a rollout."""
        surge = _surge(owner)
        if not surge:
            return [], self._outdated(owner, mine, mark)
        desired = sum(1 for node in self._shared.nodes.objects.values() if should_run(owner, node)[0])
        left, allowed, candidates = share(surge, desired, up=True), [], []
        for name, have in sorted(self._by_node(mine).items()):
            old = [pod for pod in have if labels_of(pod).get(revisions.POD_LABEL) != mark]
            if len(old) < len(have):
                left -= 1 if old else 0
            elif old and self._available(owner, old[0]):
                candidates.append(name)
            elif old:
                allowed.append(name)
        return allowed + candidates[: max(0, left)], []

    def _outdated(self, owner: Object, mine: list[Object], mark: str) -> list[Object]:
        """Old Pods to delete now: as many as may be unavailable at once."""
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type") != "RollingUpdate":
            return []
        rolling = strategy.get("rollingUpdate") or {}
        desired = sum(1 for node in self._shared.nodes.objects.values() if should_run(owner, node)[0])
        allowed = max(1, share(rolling.get("maxUnavailable", 1), desired, up=True))
        old = [pod for pod in mine if labels_of(pod).get(revisions.POD_LABEL) != mark]
        unavailable = [pod for pod in mine if not self._available(owner, pod)]
        broken = [pod for pod in old if not self._available(owner, pod)]
        healthy = [pod for pod in old if self._available(owner, pod)]
        chosen = broken + healthy[: max(0, allowed - len(unavailable))]
        return [pod for pod in chosen if not self._shared.pods.going(pod)]

    def _available(self, owner: Object, pod: Object) -> bool:
        wait = self._shared.seconds_until_available(pod, owner["spec"].get("minReadySeconds", 0))
        if wait:
            self.queue.add_after((owner["metadata"]["namespace"], owner["metadata"]["name"]), wait + 0.01)
        return wait == 0 and not self._shared.pods.going(pod)

    async def _create(self, owner: Object, node: str, mark: str) -> ApiError | None:
        try:
            made = await self._shared.create(POD, owner["metadata"]["namespace"], daemon_pod(owner, node, mark))
        except ApiError as error:
            self._event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self._event(owner, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return None

    async def _delete(self, owner: Object, pod: Object) -> ApiError | None:
        if pods.phase(pod) == "Failed":
            name, node = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}", pod["spec"].get("nodeName", "")
            text = f"Found failed daemon pod {name} on node {node}, will try to kill it"
            self._event(owner, "Warning", "FailedDaemonPod", text)
        try:
            await self._shared.delete(POD, pod)
        except ApiError as error:
            self._event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            return error
        self._event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        return None

    def _event(self, owner: Object, kind: str, reason: str, message: str) -> None:
        self._shared.recorder.event(owner, kind, reason, message, COMPONENT)

    async def _write_status(self, owner: Object, mark: str) -> None:
        mine = self._by_node(self._shared.pods.by("controller", owner["metadata"]["uid"]))
        verdicts = {key[1]: should_run(owner, node)[0] for key, node in self._shared.nodes.objects.items()}
        wanted = [mine.get(name, []) for name, run in verdicts.items() if run]
        first = [have[0] for have in wanted if have]
        available = sum(1 for pod in first if self._available(owner, pod))
        status = {
            "observedGeneration": owner["metadata"].get("generation", 0),
            "desiredNumberScheduled": len(wanted), "currentNumberScheduled": len(first),
            "numberMisscheduled": sum(1 for name, run in verdicts.items() if not run and mine.get(name)),
            "numberReady": sum(1 for pod in first if pods.is_ready(pod)),
            "numberAvailable": available, "numberUnavailable": len(wanted) - available,
            "updatedNumberScheduled": sum(1 for pod in first if labels_of(pod).get(revisions.POD_LABEL) == mark),
        }
        await self._shared.status(DAEMON_SET, owner, status)
        in_use = {f"{owner['metadata']['name']}-{labels_of(pod).get(revisions.POD_LABEL)}" for pod in first}
        await revisions.forget_old(self._shared, owner, in_use | {f"{owner['metadata']['name']}-{mark}"})


def _surge(owner: Object) -> int | str:
    """How many Nodes may have an old and a new Pod at once; 0: an old one goes first."""
    strategy = owner["spec"].get("updateStrategy") or {}
    surge: int | str = (strategy.get("rollingUpdate") or {}).get("maxSurge", 0)
    return 0 if strategy.get("type") != "RollingUpdate" or surge == "0%" else surge


def should_run(owner: Object, node: Object) -> tuple[bool, bool]:
    """(a Pod is to be made on the Node, one that is there may stay)."""
    pod = {"metadata": {}, "spec": owner["spec"]["template"]["spec"]}
    if pod["spec"].get("nodeName") not in (None, "", node["metadata"]["name"]) or not node_matches(pod, node):
        return False, False
    tolerations, taints = _tolerations(pod["spec"]), node["spec"].get("taints") or []
    fits = untolerated(tolerations, taints) is None
    return fits, untolerated(tolerations, taints, ("NoExecute",)) is None


def daemon_pod(owner: Object, node: str, mark: str) -> Object:
    """The Pod for that Node: bound to it by affinity, as the scheduler places it."""
    pod = pods.from_template(owner["spec"]["template"], owner, DAEMON_SET)
    generation = str(owner["metadata"].get("generation", 1))
    pod["metadata"]["labels"] |= {revisions.POD_LABEL: mark, "pod-template-generation": generation}
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    required["nodeSelectorTerms"] = [
        {**term, "matchFields": [field]} for term in required.get("nodeSelectorTerms") or [{}]
    ]
    pod["spec"]["tolerations"] = _tolerations(pod["spec"])
    return pod


def _tolerations(spec: Object) -> list[Object]:
    extra = TOLERATED + ((("node.kubernetes.io/network-unavailable", "NoSchedule"),) if spec.get("hostNetwork") else ())
    have: list[Object] = list(spec.get("tolerations") or [])
    wanted = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in extra]
    return have + [each for each in wanted if each not in have]


def _placing(node: Object) -> tuple[object, ...]:
    return node["metadata"].get("labels"), node["spec"].get("taints"), node["spec"].get("unschedulable")


def _failed_or_doubled(alive: list[Object]) -> list[Object]:
    failed = [pod for pod in alive if pods.is_finished(pod)]
    running = sorted((pod for pod in alive if not pods.is_finished(pod)), key=_age)
    return failed + running[1:]


def _age(pod: Object) -> tuple[bool, str, str]:
    meta = pod["metadata"]
    return (not pod["spec"].get("nodeName"), meta["creationTimestamp"], meta["name"])
