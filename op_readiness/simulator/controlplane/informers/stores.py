"""Caches that all controllers share, with indexes, and never behind their own writes.

An Informer lags behind the API server. A controller that acts on such a cache would create the same Pod twice, so what
a write gave back goes into the cache at once (`learn`), what we have deleted is known as doomed until its deletion is
seen, and an older version of an object never replaces a newer one.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable

from op_readiness.simulator.api import Api, Informer, Object, key_of
from op_readiness.simulator.controlplane.informers.kinds import Kind

LOG = logging.getLogger(__name__)

Key = tuple[str, str]


class Store(Informer):
    """An Informer of one kind with named indexes; `by(index, value)` gives the objects filed there."""

    def __init__(self, api: Api, kind: Kind, namespace: str = "") -> None:
        super().__init__(api, kind.collection(namespace))
        self.kind = kind
        self.doomed: set[str] = set()
        self._departed: deque[str] = deque(maxlen=500)
        self._filings: dict[str, Callable[[Object], Iterable[str]]] = {}
        self._index: dict[str, dict[str, set[Key]]] = {}
        self.index("uid", lambda obj: (obj["metadata"]["uid"],))
        self.index("namespace", lambda obj: (obj["metadata"].get("namespace", ""),))
        self.index("controller", _controller_uid)

    def index(self, name: str, filing: Callable[[Object], Iterable[str]]) -> None:
        """Keep an index: `filing` gives the values under which an object is found."""
        if name in self._filings:
            return
        self._filings[name] = filing
        self._index[name] = defaultdict(set)
        for key, obj in self.objects.items():
            self._file(name, key, None, obj)

    def by(self, index: str, value: str) -> list[Object]:
        """The objects filed under `value`, in the order of their names."""
        return [self.objects[key] for key in sorted(self._index[index].get(value, ()))]

    def get(self, namespace: str, name: str) -> Object | None:
        """That object, or None."""
        return self.objects.get((namespace, name))

    def learn(self, obj: Object) -> None:
        """Take in what a write gave back, unless the cache is ahead of it already or has seen the object go."""
        if obj["metadata"]["uid"] not in self._departed:
            self._apply(obj, key_of(obj))

    def going(self, obj: Object) -> bool:
        """Whether the object is being deleted, as far as we know."""
        return "deletionTimestamp" in obj["metadata"] or obj["metadata"]["uid"] in self.doomed

    async def run(self) -> None:
        """Watch until cancelled; a deletion of an object that has a successor here already changes nothing."""
        async for kind, obj in self.api.watch(self.path, self.query):
            if kind == "LISTED":
                self._replace(obj.get("items") or [])
                self.synced.set()
            elif kind == "DELETED":
                self._gone(obj)
            else:
                self._apply(obj, key_of(obj))

    def _gone(self, obj: Object) -> None:
        self.doomed.discard(obj["metadata"]["uid"])
        self._departed.append(obj["metadata"]["uid"])
        cached = self.objects.get(key_of(obj))
        if cached is not None and cached["metadata"]["uid"] == obj["metadata"]["uid"]:
            self._apply(None, key_of(obj))

    def _apply(self, new: Object | None, key: Key) -> None:
        old = self.objects.get(key)
        if new is not None and old is not None and not _newer(new, old):
            return
        if new is None and old is not None:
            self.doomed.discard(old["metadata"]["uid"])
        if new is not None:
            new.setdefault("kind", self.kind.kind)
            new.setdefault("apiVersion", self.kind.api_version)
            new["metadata"].pop("managedFields", None)
        for name in self._filings:
            self._file(name, key, old, new)
        self._keep(old, new, key)

    def _keep(self, old: Object | None, new: Object | None, key: Key) -> None:
        """Cache and tell; an error of one controller over an odd object must not end the watch of all others."""
        if new is not None:
            self.objects[key] = new
        elif old is not None:
            del self.objects[key]
        for handler in self.handlers if old is not None or new is not None else ():
            try:
                handler(old, new)
            except Exception:
                LOG.exception("%s %s/%s", self.kind.kind, *key)

    def _file(self, name: str, key: Key, old: Object | None, new: Object | None) -> None:
        filing, index = self._filings[name], self._index[name]
        before = set(filing(old)) if old is not None else set()
        after = set(filing(new)) if new is not None else set()
        for value in before - after:
            index[value].discard(key)
            if not index[value]:
                del index[value]
        for value in after - before:
            index[value].add(key)


def _newer(new: Object, old: Object) -> bool:
    return int(new["metadata"]["resourceVersion"]) > int(old["metadata"]["resourceVersion"])


def _controller_uid(obj: Object) -> Iterable[str]:
    reference = controller_of(obj)
    return (reference["uid"],) if reference else (f"none/{obj['metadata'].get('namespace', '')}",)


def controller_of(obj: Object) -> Object | None:
    """The owner reference that says `controller: true`, or None."""
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            found: Object = reference
            return found
    return None
