"""A cluster of plain dictionaries, with as much of `Cluster` as the runner asks for."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from op_readiness.cluster.errors import ApiUnavailable, Call, Conflict, NotFound
from op_readiness.cluster.kinds import resource, resource_of

Key = tuple[str, str, str]


class FakeCluster:
    """Objects by (plural, namespace, name). A deleted Namespace takes `lingers` looks to be gone, with its objects."""

    def __init__(self, lingers: int = 0) -> None:
        self.objects: dict[Key, dict[str, Any]] = {}
        self.deleted: list[Key] = []
        self.lingers = lingers
        self.refuses: set[str] = set()
        self._left: dict[Key, int] = {}
        self._uids = itertools.count(1)

    def create(self, manifest: dict[str, Any], **_: Any) -> dict[str, Any]:
        r, meta = resource_of(manifest), manifest["metadata"]
        key = (r.full_name, meta.get("namespace", ""), meta["name"])
        if key in self.objects:
            raise Conflict(Call("create", r.full_name, key[1], key[2]), status=409, reason="AlreadyExists")
        stored = copy.deepcopy(manifest)
        stored["metadata"]["uid"] = str(next(self._uids))
        self.objects[key] = stored
        return copy.deepcopy(stored)

    def find(self, kind: str, name: str, namespace: str = "") -> dict[str, Any] | None:
        return copy.deepcopy(self.objects.get((resource(kind).full_name, namespace, name)))

    def get(self, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
        found = self.find(kind, name, namespace)
        if found is None:
            raise NotFound(Call("get", kind, namespace, name), status=404)
        return found

    def list(self, kind: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None):
        full = resource(kind).full_name
        if full in self.refuses:
            raise ApiUnavailable(Call("list", full), status=500)
        self._age(full)
        key, _, value = (labels or "").partition("=")
        return [
            copy.deepcopy(found)
            for (plural, ns, _), found in self.objects.items()
            if plural == full
            and (namespace is None or ns == namespace)
            and (not key or key in found["metadata"].get("labels", {}))
            and (not value or found["metadata"]["labels"].get(key) == value)
        ]

    def patch(self, kind: str, name: str, namespace: str, body: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        found = self.objects.get((resource(kind).full_name, namespace, name))
        if found is None:
            raise NotFound(Call("patch", kind, namespace, name), status=404)
        merge(found, body)
        return copy.deepcopy(found)

    def delete(self, kind: str, name: str, namespace: str = "", *, uid: str | None = None, **_: Any) -> bool:
        key = (resource(kind).full_name, namespace or "", name)
        found = self.objects.get(key)
        if found is None or (uid and found["metadata"]["uid"] != uid):
            return False
        self.deleted.append(key)
        if key[0] == "namespaces" and self.lingers:
            found["metadata"]["deletionTimestamp"] = "now"
            self._left[key] = self.lingers
        else:
            self._gone(key)
        return True

    def _age(self, full: str) -> None:
        if full != "namespaces":
            return
        for key in list(self._left):
            self._left[key] -= 1
            if self._left[key] <= 0:
                del self._left[key]
                self._gone(key)

    def _gone(self, key: Key) -> None:
        self.objects.pop(key, None)
        if key[0] == "namespaces":
            for inside in [other for other in self.objects if other[1] == key[2]]:
                del self.objects[inside]


def merge(into: dict[str, Any], body: dict[str, Any]) -> None:
    """RFC 7386."""
    for key, value in body.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value
