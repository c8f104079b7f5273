"""Deployments: a ReplicaSet for each template they had, and the way from one to the next."""

from __future__ import annotations

import copy

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers import rolling
from op_readiness.simulator.controlplane.controllers.claims import claimed, owner_keys
from op_readiness.simulator.controlplane.controllers.deployment_status import Progress, deployment_status
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.kinds import DEPLOYMENT, REPLICA_SET
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key

COMPONENT = "deployment-controller"
HASH = "pod-template-hash"
REVISION, HISTORY = "deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"
DESIRED, MAX = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
NOT_COPIED = (REVISION, HISTORY, DESIRED, MAX, "kubectl.kubernetes.io/last-applied-configuration")


class Deployments:
    """The Deployment controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._progress = Progress(shared.clock)
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(DEPLOYMENT).handlers.append(self._changed)
        shared.store(REPLICA_SET).handlers.append(self._replica_set_changed)
        shared.pods.handlers.append(self._pod_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))
        elif old is not None:
            self._progress.forget(old["metadata"]["uid"])

    def _replica_set_changed(self, old: Object | None, new: Object | None) -> None:
        for rs in (old, new):
            for key in owner_keys(self._shared, DEPLOYMENT, rs) if rs else ():
                self.queue.add(key)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """Recreate waits for the last old Pod to be gone."""
        if new is not None or old is None:
            return
        for namespace, name in owner_keys(self._shared, REPLICA_SET, old):
            rs = self._shared.store(REPLICA_SET).get(namespace, name)
            for key in owner_keys(self._shared, DEPLOYMENT, rs) if rs else ():
                self.queue.add(key)

    async def _sync(self, key: Key) -> None:
        deployment = self._shared.store(DEPLOYMENT).get(*key)
        if deployment is None:
            return
        owned = await claimed(self._shared, deployment, DEPLOYMENT, REPLICA_SET)
        sets = [rs for rs in owned if not self._shared.store(REPLICA_SET).going(rs)]
        new = _current(deployment, sets)
        if "deletionTimestamp" not in deployment["metadata"]:
            new = await self._roll(deployment, sets, new)
        fresh = [self._latest(rs) for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]
        await self._finish(self._latest_deployment(deployment), fresh, self._latest(new) if new else None)

    async def _roll(self, deployment: Object, sets: list[Object], new: Object | None) -> Object | None:
        paused = deployment["spec"].get("paused", False)
        if new is not None or not paused:
            new = await self._new_replica_set(deployment, sets, new)
        olds = [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]
        if paused or _was_scaled(deployment, [*olds, *([new] if new else [])]):
            await self._resize(deployment, olds, new)
        elif new is not None and deployment["spec"]["strategy"]["type"] == "Recreate":
            await self._recreate(deployment, olds, new)
        elif new is not None:
            await self._roll_on(deployment, olds, new)
        return new

    async def _new_replica_set(self, deployment: Object, olds: list[Object], new: Object | None) -> Object:
        """The ReplicaSet of the present template, made if there is none, with the highest revision."""
        last = max((_revision(rs) for rs in olds if rs is not new), default=0)
        if new is None:
            new = await self._create(deployment, olds, last + 1)
        have = new["metadata"].get("annotations") or {}
        wanted = _copied(deployment) | _next_revision(have, max(_revision(new), last + 1))
        min_ready = deployment["spec"].get("minReadySeconds", 0)
        if any(have.get(key) != value for key, value in wanted.items()) or (
            new["spec"].get("minReadySeconds", 0) != min_ready
        ):
            change = {"metadata": {"annotations": wanted}, "spec": {"minReadySeconds": min_ready}}
            new = await self._shared.patch(REPLICA_SET, new, change)
        revision = new["metadata"]["annotations"][REVISION]
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) != revision:
            change = {"metadata": {"annotations": {REVISION: revision}}}  # by status: no new generation
            await self._shared.patch(DEPLOYMENT, deployment, change, "status")
        return new

    async def _create(self, deployment: Object, olds: list[Object], revision: int) -> Object:
        spec, meta = deployment["spec"], deployment["metadata"]
        replicas, surge = spec.get("replicas", 1), _surge(deployment)
        sizes = [_size(rs) for rs in olds]
        first = rolling.grown(rolling.Size("", 0), sizes, replicas, surge) if _is_rolling(deployment) else replicas
        rs = _replica_set(deployment, first if _is_rolling(deployment) or not _pods_wanted(sizes) else 0)
        rs["metadata"]["annotations"] |= {REVISION: str(revision)} | _marks(replicas, surge)
        try:
            made = await self._shared.create(REPLICA_SET, meta["namespace"], rs)
        except ApiError as error:
            if error.code == 409 and "already exists" in error.message:
                await self._collided(deployment, rs["metadata"]["name"])
            raise
        text = f'Created new replica set "{made["metadata"]["name"]}"'
        self._progress.note(meta["uid"], "NewReplicaSetCreated", text)
        if made["spec"]["replicas"]:
            self._scaled(deployment, made, 0)
        return made

    async def _collided(self, deployment: Object, name: str) -> None:
        """Another ReplicaSet has this name: count the collision, so that the next hash is another one."""
        there = await self._shared.api.get(REPLICA_SET.path(deployment["metadata"]["namespace"], name))
        self._shared.store(REPLICA_SET).learn(there)
        if not _same_template(deployment, there):
            count = (deployment.get("status") or {}).get("collisionCount", 0) + 1
            await self._shared.status(DEPLOYMENT, self._latest_deployment(deployment), {"collisionCount": count})

    async def _roll_on(self, deployment: Object, olds: list[Object], new: Object) -> None:
        desired = deployment["spec"].get("replicas", 1)
        strategy = deployment["spec"]["strategy"].get("rollingUpdate") or {}
        surge, unavailable = rolling.fenceposts(strategy.get("maxSurge"), strategy.get("maxUnavailable"), desired)
        sizes = [_size(rs) for rs in olds if rs["spec"].get("replicas")]
        target = rolling.grown(_size(new), sizes, desired, surge)
        if target != new["spec"]["replicas"]:
            new = await self._scale(deployment, new, target)
        by_name = {rs["metadata"]["name"]: rs for rs in olds}
        for name, count in rolling.shrunk(_size(new), sizes, desired, unavailable).items():
            await self._scale(deployment, by_name[name], count)

    async def _recreate(self, deployment: Object, olds: list[Object], new: Object) -> None:
        for rs in olds:
            if rs["spec"].get("replicas"):
                await self._scale(deployment, rs, 0)
        left = [pod for rs in olds for pod in self._shared.pods.by("controller", rs["metadata"]["uid"])]
        if not any(not pods.is_finished(pod) for pod in left):
            desired = deployment["spec"].get("replicas", 1)
            if new["spec"]["replicas"] != desired:
                await self._scale(deployment, new, desired)

    async def _resize(self, deployment: Object, olds: list[Object], new: Object | None) -> None:
        """The Deployment was scaled (or is paused): spread the new number over the ReplicaSets that have Pods."""
        desired, surge = deployment["spec"].get("replicas", 1), _surge(deployment)
        every = [*olds, *([new] if new else [])]
        active = [rs for rs in every if rs["spec"].get("replicas")] or every[-1:]
        if len(active) == 1:
            targets = {active[0]["metadata"]["name"]: desired}
        elif new is not None and _is_complete(new, desired):
            targets = {rs["metadata"]["name"]: 0 for rs in olds if rs["spec"].get("replicas")}
        else:
            was = max(int((rs["metadata"].get("annotations") or {}).get(MAX, 0)) for rs in active)
            newest = new["metadata"]["name"] if new else ""
            targets = rolling.resized([_size(rs) for rs in active], newest, desired, surge, was)
        for rs in active:
            await self._scale(deployment, rs, targets.get(rs["metadata"]["name"], rs["spec"]["replicas"]))

    async def _scale(self, deployment: Object, rs: Object, replicas: int) -> Object:
        marks = _marks(deployment["spec"].get("replicas", 1), _surge(deployment))
        have, before = rs["metadata"].get("annotations") or {}, rs["spec"]["replicas"]
        if before == replicas and all(have.get(key) == value for key, value in marks.items()):
            return rs
        change = {"metadata": {"annotations": marks}, "spec": {"replicas": replicas}}
        rs = await self._shared.patch(REPLICA_SET, rs, change)
        if before != replicas:
            self._scaled(deployment, rs, before)
        return rs

    def _scaled(self, deployment: Object, rs: Object, before: int) -> None:
        name, now = rs["metadata"]["name"], rs["spec"]["replicas"]
        how = "up" if now > before else "down"
        text = f"Scaled {how} replica set {name} from {before} to {now}"
        self._shared.recorder.event(deployment, "Normal", "ScalingReplicaSet", text, COMPONENT)

    async def _finish(self, deployment: Object, olds: list[Object], new: Object | None) -> None:
        status, again = deployment_status(deployment, olds, new, self._progress)
        await self._shared.status(DEPLOYMENT, deployment, status)
        if again is not None:
            key = (deployment["metadata"]["namespace"], deployment["metadata"]["name"])
            self.queue.add_after(key, again)
        if new is not None and _is_complete(new, deployment["spec"].get("replicas", 1)):
            await self._forget_old(deployment, olds)

    async def _forget_old(self, deployment: Object, olds: list[Object]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        empty = [
            rs for rs in olds
            if not rs["spec"].get("replicas") and not (rs.get("status") or {}).get("replicas")
            and "deletionTimestamp" not in rs["metadata"]
        ]
        for rs in sorted(empty, key=_revision)[: max(0, len(olds) - limit)]:
            await self._shared.delete(REPLICA_SET, rs)

    def _latest(self, rs: Object) -> Object:
        return self._shared.store(REPLICA_SET).get(rs["metadata"]["namespace"], rs["metadata"]["name"]) or rs

    def _latest_deployment(self, deployment: Object) -> Object:
        meta = deployment["metadata"]
        return self._shared.store(DEPLOYMENT).get(meta["namespace"], meta["name"]) or deployment


def _current(deployment: Object, sets: list[Object]) -> Object | None:
    """The oldest ReplicaSet with the present template."""
    same = [rs for rs in sets if _same_template(deployment, rs)]
    return min(same, key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]), default=None)


def _same_template(deployment: Object, rs: Object) -> bool:
    return _template(deployment["spec"]["template"]) == _template(rs["spec"]["template"])


def _template(template: Object) -> Object:
    """The template as it counts for comparing: without the hash label and without empty fields of its metadata."""
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    rest = {key: value for key, value in meta.items() if value and key != "labels"}
    return {"metadata": {**rest, "labels": labels}, "spec": template["spec"]}


def _replica_set(deployment: Object, replicas: int) -> Object:
    template = copy.deepcopy(deployment["spec"]["template"])
    mark = pods.hash_of(_template(template), (deployment.get("status") or {}).get("collisionCount", 0))
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = mark
    selector = copy.deepcopy(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})[HASH] = mark
    meta = deployment["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{meta['name']}-{mark}",
            "namespace": meta["namespace"],
            "labels": dict(template["metadata"]["labels"]),
            "annotations": _copied(deployment),
            "ownerReferences": [pods.controller_reference(deployment, DEPLOYMENT)],
        },
        "spec": {
            "replicas": replicas, "selector": selector, "template": template,
            "minReadySeconds": deployment["spec"].get("minReadySeconds", 0),
        },
    }


def _copied(deployment: Object) -> dict[str, str]:
    annotations = deployment["metadata"].get("annotations") or {}
    return {key: value for key, value in annotations.items() if key not in NOT_COPIED}


def _next_revision(have: dict[str, str], revision: int) -> dict[str, str]:
    """The revision, and for a ReplicaSet that comes back the ones that it had before."""
    before = have.get(REVISION)
    wanted = {REVISION: str(revision)}
    if before not in (None, "0", str(revision)):
        wanted[HISTORY] = ",".join(filter(None, (have.get(HISTORY), before)))
    return wanted


def _marks(replicas: int, surge: int) -> dict[str, str]:
    return {DESIRED: str(replicas), MAX: str(replicas + surge)}


def _is_rolling(deployment: Object) -> bool:
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def _surge(deployment: Object) -> int:
    if not _is_rolling(deployment) or not deployment["spec"].get("replicas", 1):
        return 0
    strategy = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    desired = deployment["spec"].get("replicas", 1)
    return rolling.fenceposts(strategy.get("maxSurge"), strategy.get("maxUnavailable"), desired)[0]


def _size(rs: Object) -> rolling.Size:
    status = rs.get("status") or {}
    return rolling.Size(
        rs["metadata"]["name"], rs["spec"].get("replicas", 0), status.get("replicas", 0),
        status.get("availableReplicas", 0), rs["metadata"]["creationTimestamp"],
    )


def _pods_wanted(sizes: list[rolling.Size]) -> bool:
    return any(each.wanted or each.have for each in sizes)


def _revision(rs: Object) -> int:
    return int((rs["metadata"].get("annotations") or {}).get(REVISION, 0))


def _was_scaled(deployment: Object, sets: list[Object]) -> bool:
    desired = str(deployment["spec"].get("replicas", 1))
    marks = [(rs["metadata"].get("annotations") or {}).get(DESIRED) for rs in sets if rs["spec"].get("replicas")]
    return any(mark is not None and mark != desired for mark in marks)


def _is_complete(new: Object, desired: int) -> bool:
    status = new.get("status") or {}
    return bool(new["spec"].get("replicas") == desired and status.get("availableReplicas", 0) == desired)
