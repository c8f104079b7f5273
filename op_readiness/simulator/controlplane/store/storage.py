"""Objects in memory with one version counter, and for each resource a window of events that watches resume from.

An object that is stored is never changed, so its JSON is made once and serves every get, list and watch. Who writes
makes a new object. A watch gets its events by a callback at the moment of the write, so order is the order of writes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from op_readiness.simulator.controlplane.store.registry import Key

Object = dict[str, Any]
Name = tuple[str, str]
WINDOW = 10_000


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Stored:
    """One version of one object, with its JSON made when first asked for."""

    __slots__ = ("_data", "object", "version")

    def __init__(self, obj: Object, version: int) -> None:
        self.object, self.version = obj, version
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The object as JSON."""
        if self._data is None:
            self._data = encode(self.object)
        return self._data

    def copy(self) -> Object:
        """The object as a copy that may be changed."""
        copied: Object = json.loads(self.data)
        return copied


class Event:
    """A write: `old` is None for a creation, `new` is None for a deletion (`last` is then what watches are shown)."""

    __slots__ = ("_lines", "last", "new", "old", "version")

    def __init__(self, version: int, old: Stored | None, new: Stored | None, last: Stored) -> None:
        self.version, self.old, self.new, self.last = version, old, new, last
        self._lines: dict[str, bytes] = {}

    def line(self, kind: str) -> bytes:
        """The watch line of this event as ADDED, MODIFIED or DELETED; made once for all watches."""
        line = self._lines.get(kind)
        if line is None:
            line = self._lines[kind] = b'{"type":"%s","object":%s}\n' % (kind.encode(), self.last.data)
        return line


class Collection:
    """The objects of one resource, in the order of their keys when listed."""

    def __init__(self) -> None:
        self.objects: dict[Name, Stored] = {}
        self.events: deque[Event] = deque()
        self.horizon = 0
        self.watchers: list[Callable[[Event], None]] = []

    def listed(self, namespace: str = "") -> Iterator[Stored]:
        """All objects, or those of one Namespace, sorted by Namespace and name."""
        for name in sorted(self.objects):
            if not namespace or name[0] == namespace:
                yield self.objects[name]

    def listed_at(self, version: int, namespace: str = "") -> Iterator[Stored]:
        """The objects as they were at a version that is not older than the window."""
        then = dict(self.objects)
        for event in reversed(self.events):
            if event.version <= version:
                break
            metadata = event.last.object["metadata"]
            name = (metadata.get("namespace", ""), metadata["name"])
            if event.old is None:
                then.pop(name, None)
            else:
                then[name] = event.old
        for name in sorted(then):
            if not namespace or name[0] == namespace:
                yield then[name]

    def record(self, event: Event) -> None:
        """Keep the event for watches that resume, and tell those that run."""
        self.events.append(event)
        while len(self.events) > WINDOW:
            self.horizon = self.events.popleft().version
        for tell in tuple(self.watchers):
            tell(event)

    def forget_events(self) -> None:
        """What compaction does: watches from an older version are told 410."""
        if self.events:
            self.horizon = self.events[-1].version
            self.events.clear()


class Store:
    """Every collection, and the version that the last write got."""

    def __init__(self) -> None:
        self.version = 0
        self.collections: dict[Key, Collection] = {}

    def __getitem__(self, key: Key) -> Collection:
        if key not in self.collections:
            self.collections[key] = Collection()
        return self.collections[key]

    def get(self, key: Key, namespace: str, name: str) -> Stored | None:
        """The object, or None."""
        return self[key].objects.get((namespace, name))

    def put(self, key: Key, obj: Object) -> Stored:
        """Store a new version of an object, which becomes the store's; gives what is stored."""
        collection, metadata = self[key], obj["metadata"]
        name = (metadata.get("namespace", ""), metadata["name"])
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        new, old = Stored(obj, self.version), collection.objects.get(name)
        collection.objects[name] = new
        collection.record(Event(self.version, old, new, new))
        return new

    def remove(self, key: Key, stored: Stored) -> Object:
        """Take an object out; gives it as watches see it last, with the version of its removal."""
        metadata = stored.object["metadata"]
        self.version += 1
        gone = {**stored.object, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        collection = self[key]
        del collection.objects[metadata.get("namespace", ""), metadata["name"]]
        collection.record(Event(self.version, stored, None, Stored(gone, self.version)))
        return gone
