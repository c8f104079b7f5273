"""Namespaces that are going: everything in them is deleted, then they are let go.

What can be in a Namespace is read from discovery, so that custom resources are emptied too. Groups that Kubernetes
itself serves do not change while the server runs and are read once; all others at each deletion.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from op_readiness.simulator.api import Api, ApiError, Object
from op_readiness.simulator.controlplane.informers.conditions import with_condition
from op_readiness.simulator.controlplane.informers.kinds import NAMESPACE
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.shared import Shared

FINALIZER = "kubernetes"
FIRST_LOOK, LAST_LOOK = 1.0, 5.0  # cluster seconds between looks at a Namespace that is not empty yet
Collection = tuple[str, str, str]
NO_TROUBLE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    (
        "NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
)
CONTENT_DELETED = (
    "NamespaceDeletionContentFailure", "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
)
CONTENT_REMOVED = ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed")
FINALIZED = (
    "NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished",
)


@dataclass
class Remains:
    """What is left of a Namespace: objects by resource, their finalizers, errors, and where to look again."""

    resources: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    collections: list[Collection] = field(default_factory=list)


class Discovery:
    """Which namespaced collections the API server has, as (path prefix, plural, group)."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[str, list[Collection]] = {}

    async def namespaced(self) -> list[Collection]:
        """All that can be listed and deleted."""
        groups = await self._api.get("/apis")
        roots = ["/api/v1"] + [f"/apis/{each['preferredVersion']['groupVersion']}" for each in groups["groups"]]
        return [entry for entries in await asyncio.gather(*map(self._root, roots)) for entry in entries]

    async def _root(self, root: str) -> list[Collection]:
        if root in self._known:
            return self._known[root]
        group = "" if root == "/api/v1" else root.split("/")[2]
        try:
            resources = (await self._api.get(root))["resources"]
        except ApiError as error:
            if error.code == 404:
                return []
            raise
        found = [
            (root, each["name"], group) for each in resources
            if each["namespaced"] and {"delete", "list"} <= set(each["verbs"]) and "/" not in each["name"]
        ]
        if "." not in group or group.endswith(".k8s.io"):
            self._known[root] = found
        return found


class Namespaces:
    """The Namespace controller."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._discovery = Discovery(shared.api)
        self._left: dict[str, tuple[int, list[Collection]]] = {}  # looks so far, and what was not empty at the last
        self.queue: WorkQueue[str] = WorkQueue(shared.clock, self._sync)
        shared.store(NAMESPACE).handlers.append(self._changed)
        shared.pods.handlers.append(self._pod_changed)

    def _changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and old is None and "deletionTimestamp" in new["metadata"]:
            self.queue.add(new["metadata"]["name"])
        elif new is not None and old is not None and "deletionTimestamp" not in old["metadata"]:
            self._changed(None, new)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        """The last Pod of a Namespace that is going is mostly what it waits for."""
        if new is not None or old is None:
            return
        name = old["metadata"]["namespace"]
        namespace = self._shared.store(NAMESPACE).get("", name)
        going = namespace is not None and "deletionTimestamp" in namespace["metadata"]
        if going and not self._shared.pods.by("namespace", name):
            self.queue.add(name)

    async def _sync(self, name: str) -> None:
        namespace = self._shared.store(NAMESPACE).get("", name)
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return
        if FINALIZER not in (namespace["spec"].get("finalizers") or []):
            return
        looks, collections = self._left.get(namespace["metadata"]["uid"], (0, []))
        if looks == 0:
            collections = await self._discovery.namespaced()
        left = await self._empty(name, collections)
        if left.collections:
            self._left[namespace["metadata"]["uid"]] = (looks + 1, left.collections)
            await self._say(namespace, left)
            self.queue.add_after(name, min(LAST_LOOK, FIRST_LOOK * 2.0**looks))
            return
        self._left.pop(namespace["metadata"]["uid"], None)
        await self._let_go(namespace)

    async def _empty(self, name: str, collections: list[Collection]) -> Remains:
        """Delete all content of these collections; nothing new can come up in a Namespace that is going."""
        left = Remains()
        for collection in collections:
            root, plural, group = collection
            try:
                items = await self._empty_collection(f"{root}/namespaces/{name}/{plural}")
            except ApiError as error:
                if error.code not in (404, 405):
                    left.errors.append(error.message)
                    left.collections.append(collection)
                continue
            if items:
                left.collections.append(collection)
                left.resources[f"{plural}.{group}"] += len(items)
                left.finalizers.update(each for obj in items for each in obj["metadata"].get("finalizers") or [])
        return left

    async def _empty_collection(self, path: str) -> list[Object]:
        listed = await self._shared.api.get(path)
        items: list[Object] = listed.get("items") or []
        if not items:
            return []
        await self._shared.api.delete(path, {"propagationPolicy": "Background"})
        return (await self._shared.api.get(path)).get("items") or []

    async def _say(self, namespace: Object, left: Remains) -> None:
        errors, remaining, finalizers = left.errors, left.resources, left.finalizers
        conditions: list[Object] = (namespace.get("status") or {}).get("conditions") or []
        for kind, reason, message in NO_TROUBLE:
            conditions = with_condition(conditions, kind, "False", reason, message)
        said = ("False", *CONTENT_DELETED[1:])
        if errors:
            text = f"Failed to delete all resource types, {len(errors)} remaining: {', '.join(errors)}"
            said = ("True", "ContentDeletionFailed", text)
        conditions = with_condition(conditions, CONTENT_DELETED[0], *said)
        said = ("False", *CONTENT_REMOVED[1:])
        if remaining:
            parts = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(remaining.items()))
            said = ("True", "SomeResourcesRemain", f"Some resources are remaining: {parts}")
        conditions = with_condition(conditions, CONTENT_REMOVED[0], *said)
        said = ("False", *FINALIZED[1:])
        if finalizers:
            parts = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
            said = ("True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {parts}")
        conditions = with_condition(conditions, FINALIZED[0], *said)
        await self._shared.status(NAMESPACE, namespace, {"conditions": conditions})

    async def _let_go(self, namespace: Object) -> None:
        left = [each for each in namespace["spec"]["finalizers"] if each != FINALIZER]
        body = {**namespace, "spec": {**namespace["spec"], "finalizers": left}}
        try:
            await self._shared.api.update(NAMESPACE.of(namespace, "finalize"), body)
        except ApiError as error:
            if error.code != 404:
                raise
