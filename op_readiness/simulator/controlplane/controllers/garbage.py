"""Garbage collection: what is owned goes when its last owner is gone.

Dependents are looked for in the caches that the controllers share, and among Leases of Nodes no more than elsewhere: an
object of a kind without a cache (a custom resource, a Role) is never collected as a dependent. Its deletion as an owner
is seen all the same, for a cache of its kind is started when the first reference to that kind turns up.
"""

from __future__ import annotations

import asyncio

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.informers.kinds import KNOWN, Kind
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import Store

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
Item = tuple[Kind, str, str]


class Garbage:
    """The garbage collector."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._stores: dict[Kind, Store] = dict(shared.stores)
        self._dependents: dict[str, set[Item]] = {}
        self._started: list[Store] = []
        self._more = asyncio.Event()
        self.queue: WorkQueue[Item] = WorkQueue(shared.clock, self._sync)
        for kind, store in self._stores.items():
            self._listen(kind, store)

    def _listen(self, kind: Kind, store: Store) -> None:
        store.handlers.append(lambda old, new: self._changed(kind, old, new))

    async def run(self) -> None:
        """Collect until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.run())
            while True:
                await self._more.wait()
                self._more.clear()
                started, self._started = self._started, []
                for store in started:
                    group.create_task(store.run())

    def _changed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        obj = new if new is not None else old
        if obj is None:
            return
        item = (kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        self._file(item, _owners(old), _owners(new))
        if new is None:
            self._owner_gone(item, obj)
        elif (_owners(new) and (old is None or _owners(old) != _owners(new))) or _waits(new):
            self.queue.add(item)

    def _file(self, item: Item, before: list[Object], after: list[Object]) -> None:
        for reference in before:
            known = self._dependents.get(reference["uid"], set())
            known.discard(item)
            if not known:
                self._dependents.pop(reference["uid"], None)
        for reference in after:
            self._dependents.setdefault(reference["uid"], set()).add(item)

    def _owner_gone(self, item: Item, obj: Object) -> None:
        for dependent in sorted(self._dependents.get(obj["metadata"]["uid"], ()), key=str):
            self.queue.add(dependent)
        for reference in _owners(obj):
            kind = KNOWN.get((reference["apiVersion"], reference["kind"]))
            if kind is not None and reference.get("blockOwnerDeletion"):
                self.queue.add((kind, item[1] if kind.namespaced else "", reference["name"]))

    async def _sync(self, item: Item) -> None:
        kind, namespace, name = item
        obj = self._stores[kind].get(namespace, name) if kind in self._stores else None
        if obj is None:
            return
        if "deletionTimestamp" in obj["metadata"]:
            await self._finish(item, obj)
            return
        await self._judge(item, obj)

    async def _finish(self, item: Item, obj: Object) -> None:
        """An owner that waits for its dependents: to be orphaned, or to be gone."""
        finalizers, uid = _finalizers(obj), obj["metadata"]["uid"]
        if ORPHAN in finalizers:
            for dependent in sorted(self._dependents.get(uid, ()), key=str):
                await self._drop_owners(dependent, {uid})
            await self._unfinalize(item[0], obj, ORPHAN)
        elif FOREGROUND in finalizers:
            blocking = [each for each in self._dependents.get(uid, ()) if self._blocks(each, uid)]
            for dependent in sorted(self._dependents.get(uid, ()), key=str):
                self.queue.add(dependent)
            if not blocking:
                await self._unfinalize(item[0], obj, FOREGROUND)

    def _blocks(self, item: Item, owner: str) -> bool:
        obj = self._stores[item[0]].get(item[1], item[2])
        return any(each["uid"] == owner and each.get("blockOwnerDeletion") for each in _owners(obj))

    async def _judge(self, item: Item, obj: Object) -> None:
        """Delete a dependent without a living owner; take gone owners off one that has another."""
        solid, gone, waiting = [], set(), False
        for reference in _owners(obj):
            owner = await self._owner(reference, item[1])
            if owner is None:
                gone.add(reference["uid"])
            elif "deletionTimestamp" in owner["metadata"] and FOREGROUND in _finalizers(owner):
                waiting = True
                gone.add(reference["uid"])
            else:
                solid.append(reference)
        if not gone:
            return
        if solid:
            await self._drop_owners(item, gone)
            return
        policy = "Foreground" if waiting and self._has_blocking(obj) else "Background"
        if ORPHAN in _finalizers(obj):
            policy = "Orphan"
        await self._delete(item[0], obj, policy)

    def _has_blocking(self, obj: Object) -> bool:
        uid = obj["metadata"]["uid"]
        return any(self._blocks(each, uid) for each in self._dependents.get(uid, ()))

    async def _owner(self, reference: Object, namespace: str) -> Object | None:
        """The owner if that very object is there: from a cache, else asked for."""
        kind = await self._kind(reference)
        if kind is None:
            return {"metadata": {}}
        place = namespace if kind.namespaced else ""
        store = self._stores[kind]
        cached = store.get(place, reference["name"]) if store.synced.is_set() else None
        if cached is not None and cached["metadata"]["uid"] == reference["uid"]:
            return cached
        try:
            live = await self._shared.api.get(kind.path(place, reference["name"]))
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return live if live["metadata"]["uid"] == reference["uid"] else None

    async def _kind(self, reference: Object) -> Kind | None:
        """The owner's kind, from discovery and watched from now on if it is a new one; None if nobody serves it."""
        version, word = reference["apiVersion"], reference["kind"]
        for kind in self._stores:
            if (kind.api_version, kind.kind) == (version, word):
                return kind
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            resources = (await self._shared.api.get(root)).get("resources") or []
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        for each in resources:
            if each["kind"] == word and "/" not in each["name"]:
                return self._watch(Kind(word, version, each["name"], each["namespaced"]))
        return None

    def _watch(self, kind: Kind) -> Kind:
        if kind not in self._stores:
            store = self._stores[kind] = Store(self._shared.api, kind)
            self._listen(kind, store)
            self._started.append(store)
            self._more.set()
        return kind

    async def _delete(self, kind: Kind, obj: Object, policy: str) -> None:
        meta = obj["metadata"]
        preconditions = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        options = {"preconditions": preconditions, "propagationPolicy": policy}
        try:
            await self._shared.api.delete(kind.of(obj), options)
        except ApiError as error:
            if error.code != 404:
                raise

    async def _drop_owners(self, item: Item, gone: set[str]) -> None:
        store = self._stores[item[0]]
        obj = store.get(item[1], item[2])
        if obj is None:
            return
        left = [each for each in _owners(obj) if each["uid"] not in gone]
        await self._patch(item[0], obj, {"ownerReferences": left or None})

    async def _unfinalize(self, kind: Kind, obj: Object, finalizer: str) -> None:
        left = [each for each in _finalizers(obj) if each != finalizer]
        await self._patch(kind, obj, {"finalizers": left or None})

    async def _patch(self, kind: Kind, obj: Object, meta: Object) -> None:
        same = {"uid": obj["metadata"]["uid"], "resourceVersion": obj["metadata"]["resourceVersion"]}
        try:
            changed = await self._shared.api.patch(kind.of(obj), {"metadata": {**meta, **same}})
        except ApiError as error:
            if error.code != 404:
                raise
            return
        if "deletionTimestamp" not in changed["metadata"]:
            self._stores[kind].learn(changed)


def _owners(obj: Object | None) -> list[Object]:
    return [] if obj is None else obj["metadata"].get("ownerReferences") or []


def _finalizers(obj: Object) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def _waits(obj: Object) -> bool:
    """Whether an object that is going waits for what it owns."""
    return "deletionTimestamp" in obj["metadata"] and bool({FOREGROUND, ORPHAN} & set(_finalizers(obj)))
