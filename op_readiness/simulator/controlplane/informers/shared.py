"""What all controllers of one control plane share: API, clock, caches, Events, and when Pods got ready."""

from __future__ import annotations

import asyncio

from op_readiness.simulator.api import Api, ApiError, Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.informers import kinds, pods
from op_readiness.simulator.controlplane.informers.kinds import Kind
from op_readiness.simulator.controlplane.informers.recorder import Recorder
from op_readiness.simulator.controlplane.informers.stores import Store

CACHED = (
    kinds.POD, kinds.NODE, kinds.NAMESPACE, kinds.SERVICE, kinds.CONFIG_MAP, kinds.SECRET, kinds.SERVICE_ACCOUNT,
    kinds.CLAIM, kinds.VOLUME, kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.STATEFUL_SET, kinds.DAEMON_SET,
    kinds.REVISION, kinds.JOB, kinds.ENDPOINT_SLICE, kinds.STORAGE_CLASS, kinds.QUOTA,
)


ZEROS = {
    "Deployment": ("terminatingReplicas",),
    "ReplicaSet": ("replicas", "terminatingReplicas"),
    "StatefulSet": ("replicas", "availableReplicas", "collisionCount"),
    "DaemonSet": ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
    "Job": ("ready", "terminating"),
}  # numbers in a status that are written when they are 0 too; all others are left out


class Shared:
    """One of these for each control plane."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self.api, self.clock = api, clock
        self.recorder = Recorder(api)
        self.stores: dict[Kind, Store] = {kind: Store(api, kind) for kind in CACHED}
        self.leases = Store(api, kinds.LEASE)
        self.leases.path = kinds.LEASE.collection("kube-node-lease")
        self.pods, self.nodes = self.stores[kinds.POD], self.stores[kinds.NODE]
        self.pods.index("node", lambda pod: (pod["spec"].get("nodeName", ""),))
        self._ready_since: dict[str, float] = {}
        self.pods.handlers.append(self._note_readiness)

    def store(self, kind: Kind) -> Store:
        """The shared cache of that kind."""
        return self.stores[kind]

    async def synced(self) -> None:
        """Wait until every cache has its first list."""
        await asyncio.gather(*(store.synced.wait() for store in (*self.stores.values(), self.leases)))

    def _note_readiness(self, old: Object | None, new: Object | None) -> None:
        if new is None:
            self._ready_since.pop((old or {})["metadata"]["uid"], None)
        elif not pods.is_ready(new):
            self._ready_since.pop(new["metadata"]["uid"], None)
        else:
            self._ready_since.setdefault(new["metadata"]["uid"], self.clock.now())

    def seconds_until_available(self, pod: Object, min_ready_seconds: float) -> float | None:
        """Cluster seconds until a Pod counts as available (0: it does); None while it is not ready."""
        since = self._ready_since.get(pod["metadata"]["uid"])
        return None if since is None else max(0.0, since + min_ready_seconds - self.clock.now())

    async def create(self, kind: Kind, namespace: str, obj: Object) -> Object:
        """Create, and know it at once."""
        created = await self.api.create(kind.collection(namespace), obj)
        if kind in self.stores:
            self.stores[kind].learn(created)
        return created

    async def patch(self, kind: Kind, obj: Object, change: Object, subresource: str = "") -> Object:
        """Merge-patch that very version of the object (409 if it has changed since), and know it at once."""
        meta = {"uid": obj["metadata"]["uid"], "resourceVersion": obj["metadata"]["resourceVersion"]}
        body = {**change, "metadata": {**(change.get("metadata") or {}), **meta}}
        changed = await self.api.patch(kind.of(obj, subresource), body)
        if kind in self.stores:
            self.stores[kind].learn(changed)
        return changed

    async def status(self, kind: Kind, obj: Object, status: Object) -> Object:
        """Write a status when it differs from what the object says; a None in it removes a field.

        A field that Kubernetes leaves out when it is 0 is removed rather than set to 0.
        """
        kept = ZEROS.get(kind.kind, ())
        status = {key: None if value in (0, "") and key not in kept else value for key, value in status.items()}
        if not differs(obj.get("status") or {}, status):
            return obj
        return await self.patch(kind, obj, {"status": status}, "status")

    async def delete(self, kind: Kind, obj: Object, **options: object) -> None:
        """Delete that very object; that it is gone already is as good."""
        store, uid = self.stores.get(kind), obj["metadata"]["uid"]
        if store is not None:
            store.doomed.add(uid)
        try:
            await self.api.delete(kind.of(obj), {"preconditions": {"uid": uid}, **options})
        except BaseException as error:
            if store is not None:
                store.doomed.discard(uid)
            if not (isinstance(error, ApiError) and _is_gone(error)):
                raise


def _is_gone(error: ApiError) -> bool:
    return error.code == 404 or (error.code == 409 and "UID in precondition" in error.message)


def differs(have: Object, wanted: Object) -> bool:
    """Whether merging `wanted` into `have` would change anything; None stands for absent."""
    return any(have.get(key) != value for key, value in wanted.items())
