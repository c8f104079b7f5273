"""ResourceQuotas: copies what is granted into a quota's status and counts what is used when objects come and go."""

from __future__ import annotations

from decimal import Decimal

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.admission.quotas import in_scope, usage, written
from op_readiness.simulator.controlplane.informers.kinds import (
    CLAIM,
    CONFIG_MAP,
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    POD,
    QUOTA,
    REPLICA_SET,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    Kind,
)
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Key

COUNTED: tuple[Kind, ...] = (
    POD, SERVICE, CONFIG_MAP, SECRET, CLAIM, SERVICE_ACCOUNT, DEPLOYMENT, REPLICA_SET, STATEFUL_SET, DAEMON_SET, JOB,
    QUOTA,
)  # fmt: skip


class Quotas:
    """The quota controller. Objects that are made are counted by admission; here all are counted anew."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.queue: WorkQueue[Key] = WorkQueue(shared.clock, self._sync)
        shared.store(QUOTA).handlers.append(self._quota_changed)
        for kind in COUNTED:
            shared.store(kind).handlers.append(self._object_changed)

    def _quota_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None:
            self.queue.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _object_changed(self, old: Object | None, new: Object | None) -> None:
        """Objects that go, and Pods that end, give back what they used."""
        ended = new is not None and (new.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        gone = old if new is None else new if ended else None
        for namespace, name in self._shared.store(QUOTA).objects if gone is not None else ():
            if gone is not None and namespace == gone["metadata"].get("namespace"):
                self.queue.add((namespace, name))

    async def _sync(self, key: Key) -> None:
        quota = self._shared.store(QUOTA).get(*key)
        if quota is None:
            return
        hard: Object = (quota.get("spec") or {}).get("hard") or {}
        used = dict.fromkeys(hard, Decimal(0))
        for kind in COUNTED:
            for (namespace, _), obj in self._shared.store(kind).objects.items():
                if namespace == key[0] and in_scope(quota, (kind.group, kind.plural), obj):
                    for resource, value in usage((kind.group, kind.plural), obj).items():
                        if resource in used:
                            used[resource] += value
        status = {"hard": hard, "used": {resource: written(value, resource) for resource, value in used.items()}}
        if status != (quota.get("status") or {}):
            try:
                await self._shared.patch(QUOTA, quota, {"status": status}, "status")
            except ApiError as error:
                if error.code not in (404, 409):
                    raise
                self.queue.add_after(key, 0.5)
