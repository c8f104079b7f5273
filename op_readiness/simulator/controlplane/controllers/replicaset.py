"""ReplicaSets: as many Pods as they ask for."""

from __future__ import annotations

import asyncio

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.controllers.claims import claimed, owner_keys
from op_readiness.simulator.controlplane.informers import pods
from op_readiness.simulator.controlplane.informers.conditions import find, with_condition, without_condition
from op_readiness.simulator.controlplane.informers.kinds import POD, REPLICA_SET
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.selectors import labels_of, subset
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key

COMPONENT = "replicaset-controller"
BURST = 500


class ReplicaSets:
    """The ReplicaSet controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(REPLICA_SET).handlers.append(self._changed)
        shared.pods.handlers.append(self._pod_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        for pod in (old, new):
            for key in owner_keys(self._shared, REPLICA_SET, pod) if pod else ():
                self.queue.add(key)

    async def _sync(self, key: Key) -> None:
        rs = self._shared.store(REPLICA_SET).get(*key)
        if rs is None:
            return
        mine = await claimed(self._shared, rs, REPLICA_SET, POD)
        active = [pod for pod in mine if pods.is_active(pod) and not self._shared.pods.going(pod)]
        failure = None
        if "deletionTimestamp" not in rs["metadata"]:
            failure = await self._scale(rs, active)
            active = [pod for pod in active if not self._shared.pods.going(pod)]
        active = self._with_new(active, rs["metadata"]["uid"])
        terminating = sum(1 for pod in mine if pods.is_terminating(pod) and not pods.is_finished(pod))
        rs = self._shared.store(REPLICA_SET).get(*key) or rs
        await self._write_status(rs, active, terminating, failure)
        if failure is not None:
            raise failure[1]

    def _with_new(self, active: list[Object], uid: str) -> list[Object]:
        """The active Pods and those made in the meantime."""
        known = {pod["metadata"]["uid"] for pod in active}
        store = self._shared.pods
        fresh = (pod for pod in store.by("controller", uid) if pod["metadata"]["uid"] not in known)
        return active + [pod for pod in fresh if pods.is_active(pod) and not store.going(pod)]

    async def _scale(self, rs: Object, active: list[Object]) -> tuple[str, ApiError] | None:
        """Make or delete Pods; gives what failed and how."""
        missing = rs["spec"].get("replicas", 1) - len(active)
        if missing > 0:
            return await self._create(rs, min(missing, BURST))
        victims = sorted(active, key=pods.deletion_rank)[: min(-missing, BURST)] if missing < 0 else []
        results = await asyncio.gather(*(self._delete(rs, pod) for pod in victims))
        errors = [error for error in results if error is not None]
        return ("FailedDelete", errors[0]) if errors else None

    async def _create(self, rs: Object, count: int) -> tuple[str, ApiError] | None:
        """Create in batches that double, so that a Namespace that refuses is asked once."""
        batch = 1
        while count > 0:
            results = await asyncio.gather(*(self._create_one(rs) for _ in range(min(batch, count))))
            errors = [error for error in results if error is not None]
            if errors:
                return "FailedCreate", errors[0]
            count, batch = count - batch, batch * 2
        return None

    async def _create_one(self, rs: Object) -> ApiError | None:
        pod = pods.from_template(rs["spec"]["template"], rs, REPLICA_SET)
        try:
            made = await self._shared.create(POD, rs["metadata"]["namespace"], pod)
        except ApiError as error:
            if "because it is being terminated" not in error.message:
                self._event(rs, "Warning", "FailedCreate", f"Error creating: {error.message}")
            return error
        self._event(rs, "Normal", "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return None

    async def _delete(self, rs: Object, pod: Object) -> ApiError | None:
        name = pod["metadata"]["name"]
        try:
            await self._shared.delete(POD, pod)
        except ApiError as error:
            self._event(rs, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            return error
        self._event(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")
        return None

    def _event(self, rs: Object, kind: str, reason: str, message: str) -> None:
        self._shared.recorder.event(rs, kind, reason, message, COMPONENT)

    async def _write_status(
        self, rs: Object, active: list[Object], terminating: int, failure: tuple[str, ApiError] | None
    ) -> None:
        min_ready = rs["spec"].get("minReadySeconds", 0)
        waits = [self._shared.seconds_until_available(pod, min_ready) for pod in active]
        wanted = rs["spec"]["template"].get("metadata", {}).get("labels")
        conditions = (rs.get("status") or {}).get("conditions") or []
        said = find(conditions, "ReplicaFailure")
        if failure is not None:  # the first message stays: the next names another Pod, and would set off another try
            if said is None or said["reason"] != failure[0]:
                conditions = with_condition(conditions, "ReplicaFailure", "True", failure[0], failure[1].message)
        else:
            conditions = without_condition(conditions, "ReplicaFailure")
        status = {
            "replicas": len(active),
            "fullyLabeledReplicas": sum(1 for pod in active if subset(wanted, labels_of(pod))),
            "readyReplicas": sum(1 for wait in waits if wait is not None),
            "availableReplicas": sum(1 for wait in waits if wait == 0),
            "terminatingReplicas": terminating,
            "observedGeneration": rs["metadata"].get("generation", 0),
            "conditions": conditions or None,
        }
        await self._shared.status(REPLICA_SET, rs, status)
        soon = [wait for wait in waits if wait]
        if soon:
            self.queue.add_after((rs["metadata"]["namespace"], rs["metadata"]["name"]), min(soon) + 0.01)
