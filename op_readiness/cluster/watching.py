"""Waiting for objects by watch: nothing is polled, and no silence or error of the API server goes unnoticed.

The client's SharedInformer is not used: on 500, 401 or 429 it reconnects without pause (23 requests a second), and a
connection that has gone silent it never notices. Here: list, look, watch from there; after any error back off and
list again; a watch that says nothing for a while is opened anew; and before the deadline says no, one direct look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from op_readiness.cluster.api import Cluster, Manifest
from op_readiness.cluster.errors import ApiError, ApiUnavailable, Call, Forbidden
from op_readiness.cluster.kinds import resource

T = TypeVar("T")

SILENCE = 10.0
"""Real seconds without any event after which a watch is taken for dead, or a third of the wait if that is less."""
LAST_LOOK = 2.0
"""Real seconds that each of the two tries of the direct look at the deadline may take in addition."""
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Real seconds between tries after errors, the last one repeated."""


class Silence(ApiUnavailable):
    """A watch said nothing for a while: there was nothing to say, or the connection is dead."""


class WatchTimeout(Exception):
    """The condition was not met in time. `last` is the object (None: there was none) or objects seen last.

    `error` is what the API server said last when it could not be asked, so that `last` may be old.
    """

    def __init__(self, what: str, within: float, last: Any, error: ApiError | None) -> None:
        self.what, self.within, self.last, self.error = what, within, last, error
        super().__init__(what, within)

    def __str__(self) -> str:
        because = f"; the API could not be asked: {self.error}" if self.error else ""
        return f"{self.what} not as wanted within {self.within:g} s{because}"


def wait_for(
    cluster: Cluster,
    kind: str,
    namespace: str,
    met: Callable[[Any], T | None],
    *,
    name: str | None = None,
    labels: str | None = None,
    fields: str | None = None,
    within: float,
    on_wait: Callable[[Any], None] | None = None,
    silence: float | None = None,
) -> T:
    """What `met` gives once it gives something other than None or False; `within` is real seconds.

    With `name`, `met` sees the object, or None while there is none; otherwise all objects of the Namespace (of the
    selectors) as a list ordered by name. `on_wait` is called with the same whenever the wait goes on.
    """
    quiet = silence or min(SILENCE, max(1.0, within / 3))
    wait = _Wait(cluster, kind, namespace, met, name, labels, fields, within, on_wait, quiet)
    return cast(T, wait.run())


class _Wait:
    def __init__(
        self, cluster: Cluster, kind: str, namespace: str, met: Callable[[Any], Any], name: str | None,
        labels: str | None, fields: str | None, within: float, on_wait: Callable[[Any], None] | None, silence: float,
    ) -> None:  # fmt: skip
        self.cluster, self.kind, self.namespace, self.name = cluster, kind, namespace, name
        self.labels, self.met, self.on_wait, self.within, self.silence = labels, met, on_wait, within, silence
        self.fields = f"metadata.name={name}" if name else fields
        self.deadline = cluster.clock.now() + within
        self.objects: dict[tuple[str, str], Manifest] = {}
        self.error: ApiError | None = None
        self.errors = 0
        self.events = 0

    @property
    def left(self) -> float:
        """Real seconds until the deadline."""
        return self.deadline - self.cluster.clock.now()

    def run(self) -> Any:
        while self.left > 0:
            try:
                version = self._look()
                if (answer := self._answer()) is not None:
                    return answer
                self.error, self.events, began = None, 0, self.cluster.clock.now()
                if (answer := self._watch(version)) is not None:
                    return answer
                self._ended_in_order(self.cluster.clock.now() - began)
            except Forbidden:
                raise
            except ApiError as error:
                self._back_off(error)
        return self._last_look()

    def _look(self) -> str:
        found, version = self.cluster.list_with_version(
            self.kind, self.namespace, self.labels, self.fields, tries=1, read=max(1.0, min(self.left, self.silence))
        )
        self.objects = {_key(item): item for item in found}
        return version

    def _answer(self) -> Any:
        """None unless the condition is met; False counts as not met."""
        seen = self._seen()
        answer = self.met(seen)
        if answer is None or answer is False:
            if self.on_wait:
                self.on_wait(seen)
            return None
        return answer

    def _seen(self) -> Any:
        ordered = [self.objects[key] for key in sorted(self.objects)]
        if self.name is None:
            return ordered
        return ordered[0] if ordered else None

    def _watch(self, version: str) -> Any:
        """What the condition gave, or None when this watch ended and the objects are to be listed again."""
        query = {
            "resourceVersion": version, "labelSelector": self.labels, "fieldSelector": self.fields,
            "allowWatchBookmarks": "true", "timeoutSeconds": max(1, int(self.left)),
        }  # fmt: skip
        read = max(0.2, min(self.left, self.silence))
        for line in self.cluster.watch_lines(self.kind, self.namespace, query=query, read=read):
            self.events += 1
            if self._apply(line) and (answer := self._answer()) is not None:
                return answer
            if self.left <= 0:
                return None
        return None

    def _apply(self, line: str) -> bool:
        """Take one event in; whether the objects changed. A 410 or any other ERROR event raises."""
        call = Call("watch", resource(self.kind).full_name, self.namespace)
        try:
            event = json.loads(line)
            item = event.get("object") or {}
        except (ValueError, AttributeError) as error:
            raise ApiUnavailable(call, message=f"the watch broke: {line[:100]!r} is no event") from error
        if event.get("type") == "ERROR" or item.get("kind") == "Status":
            raise ApiUnavailable(
                call, status=int(item.get("code") or 0), reason=str(item.get("reason") or ""),
                message=str(item.get("message") or ""),
            )  # fmt: skip
        if event.get("type") == "BOOKMARK":
            return False
        key, known = _key(item), self.objects.get(_key(item))
        if event["type"] == "DELETED":
            if known and known["metadata"].get("uid") != item["metadata"].get("uid"):
                return False  # a replay: that one was another object of this name
            self.objects.pop(key, None)
        else:
            self.objects[key] = item
        return True

    def _ended_in_order(self, lasted: float) -> None:
        """A watch that ends at once and without any event is backed off like an error: a proxy may end each one."""
        self.errors = 0 if self.events or lasted > 1.0 else self.errors + 1
        if self.errors > 1:
            self._pause()

    def _back_off(self, error: ApiError) -> None:
        """Silence takes its time by itself, so the objects are listed at once; so they are after the first 410."""
        if isinstance(error, Silence):
            self.errors = 0
            return
        self.errors = 1 if self.events else self.errors + 1
        self.events = 0
        if error.status != 410:
            self.error = error
        if error.status != 410 or self.errors > 1:
            self._pause()

    def _pause(self) -> None:
        pause = PAUSES[min(self.errors, len(PAUSES)) - 1]
        self.cluster.clock.sleep(min(pause, max(0.0, self.left)))

    def _last_look(self) -> Any:
        """One direct look, past every watch: the deadline says no only about what is true now."""
        try:
            found, _ = self.cluster.list_with_version(
                self.kind, self.namespace, self.labels, self.fields, tries=2, read=LAST_LOOK
            )
            self.objects, self.error = {_key(item): item for item in found}, None
        except ApiError as error:
            self.error = error
        answer = self.met(self._seen())
        if answer is not None and answer is not False:
            return answer
        raise WatchTimeout(self._what(), self.within, self._seen(), self.error)

    def _what(self) -> str:
        kind = resource(self.kind).kind or self.kind
        if self.name:
            return f"{kind} {'/'.join(p for p in (self.namespace, self.name) if p)}"
        return f"{kind}s of Namespace {self.namespace}" + (f" ({self.labels})" if self.labels else "")


def lines_of(call: Call, response: Any) -> Iterator[str]:
    """Lines of a streamed response; a broken or silent connection is an ApiUnavailable."""
    import urllib3
    from kubernetes.watch.watch import iter_resp_lines

    try:
        for line in iter_resp_lines(response):
            if line:
                yield line
    except urllib3.exceptions.ReadTimeoutError as error:
        raise Silence(call, message="the watch said nothing") from error
    except urllib3.exceptions.HTTPError as error:
        raise ApiUnavailable(call, message=f"the watch broke: {' '.join(str(error).split())}") from error


def _key(item: Manifest) -> tuple[str, str]:
    meta = item.get("metadata") or {}
    return str(meta.get("namespace", "")), str(meta.get("name", ""))

