"""Watches: events from a version on, filtered by selectors, with bookmarks, until the client leaves or time is up."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from op_readiness.simulator.controlplane.store.selectors import Match
from op_readiness.simulator.controlplane.store.storage import Collection, Event, Stored, encode

Object = dict[str, Any]
View = Callable[[Object], Object]
BOOKMARK_SECONDS = 60.0
INITIAL_END = {"k8s.io/initial-events-end": "true"}


class Watch:
    """One watch of one collection; iterate `lines` for chunks of the response."""

    def __init__(
        self, collection: Collection, namespace: str, matches: list[Match], view: View | None, kind: tuple[str, str]
    ) -> None:
        self._collection, self._namespace, self._matches = collection, namespace, matches
        self._view, self._kind = view, kind
        self._pending: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self.version = 0

    def _shown(self, stored: Stored | None) -> bool:
        if stored is None:
            return False
        if self._namespace and stored.object["metadata"].get("namespace") != self._namespace:
            return False
        return all(match(stored.object) for match in self._matches)

    def told(self, event: Event) -> None:
        """Take an event of the collection: ADDED, MODIFIED or DELETED as this watch's selectors see it."""
        self.version = event.version
        before, after = self._shown(event.old), self._shown(event.new)
        if after:
            self._offer("MODIFIED" if before else "ADDED", event)
        elif before:
            self._offer("DELETED", event)

    def _offer(self, kind: str, event: Event) -> None:
        if self._view is None:
            line = event.line(kind) if kind != "DELETED" or event.new is None else _left(event)
        else:
            line = encode({"type": kind, "object": self._view(_last(event, kind))}) + b"\n"
        self._pending.append(line)
        self._wake.set()

    def start(self, version: int, *, initial: bool, initial_end: bool, current: int) -> None:
        """Queue what the client has to see first, then follow."""
        self.version = current
        if initial:
            for stored in self._collection.listed(self._namespace):
                if self._shown(stored):
                    self._offer("ADDED", Event(stored.version, None, stored, stored))
            self.version = current
        else:
            for event in self._collection.events:
                if event.version > version:
                    self.told(event)
            self.version = max(version, self.version)
        if initial_end:
            self._pending.append(self.bookmark(INITIAL_END))
            self._wake.set()
        self._collection.watchers.append(self.told)

    def stop(self) -> None:
        """Stop following."""
        if self.told in self._collection.watchers:
            self._collection.watchers.remove(self.told)

    def bookmark(self, annotations: Object | None = None) -> bytes:
        """The line that says up to which version everything was sent."""
        kind, api_version = self._kind
        metadata: Object = {"resourceVersion": str(self.version)}
        if annotations:
            metadata["annotations"] = annotations
        obj: Object = {"kind": kind, "apiVersion": api_version, "metadata": metadata}
        if self._view is not None:
            obj = self._view(obj)
        return json.dumps({"type": "BOOKMARK", "object": obj}, separators=(",", ":")).encode() + b"\n"

    async def lines(self, seconds: float, *, bookmarks: bool, current: Callable[[], int]) -> AsyncIterator[bytes]:
        """Chunks of lines as they come, until `seconds` of the wall have passed."""
        loop = asyncio.get_running_loop()
        end, next_bookmark = loop.time() + seconds, loop.time() + BOOKMARK_SECONDS
        while (left := end - loop.time()) > 0:
            if self._pending:
                chunk = b"".join(self._pending)
                self._pending.clear()
                self._wake.clear()
                yield chunk
                continue
            try:
                async with asyncio.timeout(min(left, max(0.0, next_bookmark - loop.time()))):
                    await self._wake.wait()
            except TimeoutError:
                if bookmarks and loop.time() >= next_bookmark:
                    self.version = max(self.version, current())
                    yield self.bookmark()
                next_bookmark = (
                    max(next_bookmark, loop.time()) + BOOKMARK_SECONDS
                    if loop.time() >= next_bookmark
                    else next_bookmark
                )


def _last(event: Event, kind: str) -> Object:
    if kind == "DELETED" and event.new is not None and event.old is not None:
        return _left_object(event)
    return event.last.object


def _left_object(event: Event) -> Object:
    """An object that no longer matches a selector: as it was, with the version of the change."""
    old = event.old.object if event.old is not None else event.last.object
    return {**old, "metadata": {**old["metadata"], "resourceVersion": str(event.version)}}


def _left(event: Event) -> bytes:
    return encode({"type": "DELETED", "object": _left_object(event)}) + b"\n"
