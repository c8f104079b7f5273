"""What a Deployment's status says: numbers, and the conditions Available, Progressing and ReplicaFailure."""

from __future__ import annotations

from op_readiness.simulator.api import Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.controllers.rolling import fenceposts
from op_readiness.simulator.controlplane.informers.conditions import find, with_condition, without_condition


class Progress:
    """When each Deployment last got on, in cluster seconds; and what its Progressing condition says next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}
        self._said: dict[str, tuple[str, str]] = {}

    def note(self, uid: str, reason: str, message: str) -> None:
        """It got on now."""
        self.touch(uid)
        self._said[uid] = (reason, message)

    def touch(self, uid: str) -> None:
        """It got on now, and there is nothing to say about it."""
        self._since[uid] = self._clock.now()

    def said(self, uid: str) -> tuple[str, str] | None:
        """Takes what was noted since the last status."""
        return self._said.pop(uid, None)

    def seconds(self, uid: str) -> float:
        """Cluster seconds since it last got on (0 when it was never seen before)."""
        return self._clock.now() - self._since.setdefault(uid, self._clock.now())

    def forget(self, uid: str) -> None:
        """It is gone."""
        self._since.pop(uid, None)
        self._said.pop(uid, None)


def deployment_status(
    deployment: Object, olds: list[Object], new: Object | None, progress: Progress
) -> tuple[Object, float | None]:
    """The status, and the cluster seconds after which its deadline wants another look (None: no need)."""
    every = [*olds, *([new] if new else [])]
    desired = deployment["spec"].get("replicas", 1)
    available, asked = _sum(every, "availableReplicas"), sum(rs["spec"].get("replicas", 0) for rs in every)
    status: Object = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": _sum(every, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, asked - available),
        "terminatingReplicas": _sum(every, "terminatingReplicas"),
    }
    have: list[Object] = (deployment.get("status") or {}).get("conditions") or []
    noted = progress.said(deployment["metadata"]["uid"])
    if noted is not None and _has_deadline(deployment):
        have = with_condition(have, "Progressing", "True", *noted, update_time=True)
    conditions = _available(have, deployment, available, desired)
    conditions, again = _progressing(conditions, deployment, status, new, progress)
    status["conditions"] = _failure(conditions, every, new) or None
    return status, again


def _sum(sets: list[Object], field: str) -> int:
    return sum((rs.get("status") or {}).get(field, 0) for rs in sets)


def _available(conditions: list[Object], deployment: Object, available: int, desired: int) -> list[Object]:
    strategy = deployment["spec"]["strategy"]
    unavailable = 0
    if strategy["type"] == "RollingUpdate" and desired:
        rolling = strategy.get("rollingUpdate") or {}
        unavailable = fenceposts(rolling.get("maxSurge"), rolling.get("maxUnavailable"), desired)[1]
    if available >= desired - unavailable:
        said = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        said = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return with_condition(conditions, "Available", *said, update_time=True)


def _progressing(
    conditions: list[Object], deployment: Object, status: Object, new: Object | None, progress: Progress
) -> tuple[list[Object], float | None]:
    uid, deadline = deployment["metadata"]["uid"], deployment["spec"].get("progressDeadlineSeconds")
    if not _has_deadline(deployment):
        return without_condition(conditions, "Progressing"), None
    have = find(conditions, "Progressing")
    name = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if deployment["spec"].get("paused"):
        return _paused(conditions, have), None
    if have is not None and have["reason"] == "DeploymentPaused":
        progress.touch(uid)
        said = ("Unknown", "DeploymentResumed", "Deployment is resumed")
        conditions = with_condition(conditions, "Progressing", *said, update_time=True)
    if _complete(deployment, status) and new is not None:
        said = ("True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
        return with_condition(conditions, "Progressing", *said, update_time=True), None
    if have is not None and have["reason"] == "NewReplicaSetAvailable" and (
        status["replicas"] == status["updatedReplicas"]
    ):
        return conditions, None
    if have is None or _got_on(deployment.get("status") or {}, status):
        progress.touch(uid)
        said = ("True", "ReplicaSetUpdated", f"{name} is progressing.")
        conditions = with_condition(conditions, "Progressing", *said, update_time=True, renew=True)
        return conditions, float(deadline) + 0.1
    return _deadline(conditions, have, name, progress.seconds(uid), float(deadline))


def _has_deadline(deployment: Object) -> bool:
    """Whether it has progressDeadlineSeconds, and not the number that stands for none."""
    return bool(deployment["spec"].get("progressDeadlineSeconds", 2**31 - 1) < 2**31 - 1)


def _deadline(
    conditions: list[Object], have: Object, name: str, seconds: float, deadline: float
) -> tuple[list[Object], float | None]:
    if have["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return conditions, None
    if seconds < deadline:
        return conditions, deadline - seconds + 0.1
    said = ("False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")
    return with_condition(conditions, "Progressing", *said, update_time=True), None


def _paused(conditions: list[Object], have: Object | None) -> list[Object]:
    if have is not None and have["reason"] == "ProgressDeadlineExceeded":
        return conditions
    said = ("Unknown", "DeploymentPaused", "Deployment is paused")
    return with_condition(conditions, "Progressing", *said, update_time=True)


def _complete(deployment: Object, status: Object) -> bool:
    desired = deployment["spec"].get("replicas", 1)
    return all(status[field] == desired for field in ("updatedReplicas", "replicas", "availableReplicas"))


def _got_on(before: Object, now: Object) -> bool:
    old_before = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    return bool(
        now["updatedReplicas"] > before.get("updatedReplicas", 0)
        or now["replicas"] - now["updatedReplicas"] < old_before
        or now["readyReplicas"] > before.get("readyReplicas", 0)
        or now["availableReplicas"] > before.get("availableReplicas", 0)
    )


def _failure(conditions: list[Object], every: list[Object], new: Object | None) -> list[Object]:
    for rs in [*([new] if new else []), *every]:
        failed = find((rs.get("status") or {}).get("conditions") or [], "ReplicaFailure")
        if failed is not None:
            said = (failed["status"], failed["reason"], failed["message"])
            return with_condition(conditions, "ReplicaFailure", *said, update_time=True)
    return without_condition(conditions, "ReplicaFailure")
