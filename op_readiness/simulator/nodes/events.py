"""Events as a kubelet writes them to core/v1: one object for equal ones, with a count."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.nodes.failures import UNREACHABLE
from op_readiness.simulator.nodes.stamps import now

if TYPE_CHECKING:
    from op_readiness.simulator.world import World

AT_ONCE = 4
"""Requests in flight, as a kubelet's recorder has a queue of its own and never holds up a Pod."""
KEPT = 4096


class Recorder:
    """Writes the Events of one Node in the background."""

    def __init__(self, world: World, node: str) -> None:
        self._world, self._node = world, node
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._written: dict[tuple[str, ...], Object] = {}

    def pod(self, pod: Object, kind: str, reason: str, message: str, field_path: str = "") -> None:
        """Note an Event about a Pod; `kind` is Normal or Warning."""
        meta = pod["metadata"]
        about = {
            "kind": "Pod", "apiVersion": "v1", "namespace": meta["namespace"], "name": meta["name"],
            "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
        }  # fmt: skip
        self._note(about | ({"fieldPath": field_path} if field_path else {}), kind, reason, message)

    def node(self, kind: str, reason: str, message: str) -> None:
        """Note an Event about the Node itself."""
        self._note({"kind": "Node", "name": self._node, "uid": self._node}, kind, reason, message)

    def _note(self, about: Object, kind: str, reason: str, message: str) -> None:
        key = (about["uid"], about.get("fieldPath", ""), kind, reason, message)
        event = self._written.get(key)
        if event is None:
            event = self._written[key] = self._new(about, kind, reason, message)
            work = self._create(event)
        else:
            event["count"] += 1
            event["lastTimestamp"] = now()
            work = self._count(key, event)
        while len(self._written) > KEPT:
            del self._written[next(iter(self._written))]
        self._world.spawn(work, f"Event {reason}")

    def _new(self, about: Object, kind: str, reason: str, message: str) -> Object:
        at, namespace = now(), about.get("namespace", "default")
        return {
            "apiVersion": "v1", "kind": "Event",
            "metadata": {"name": f"{about['name']}.{uuid.uuid4().hex[:16]}", "namespace": namespace},
            "involvedObject": about, "type": kind, "reason": reason, "message": message[:1024],
            "source": {"component": "kubelet", "host": self._node}, "firstTimestamp": at, "lastTimestamp": at,
            "count": 1, "reportingComponent": "kubelet", "reportingInstance": self._node,
        }  # fmt: skip

    async def _create(self, event: Object) -> None:
        await self._sent("POST", f"/api/v1/namespaces/{event['metadata']['namespace']}/events", event)

    async def _count(self, key: tuple[str, ...], event: Object) -> None:
        path = f"/api/v1/namespaces/{event['metadata']['namespace']}/events/{event['metadata']['name']}"
        change = {"count": event["count"], "lastTimestamp": event["lastTimestamp"]}
        if not await self._sent("PATCH", path, change):
            self._written.pop(key, None)

    async def _sent(self, method: str, path: str, body: Object) -> bool:
        """Whether it arrived; a Namespace that goes away, or an API server that does not answer, loses Events."""
        content_type = "application/json" if method == "POST" else "application/merge-patch+json"
        async with self._gate:
            try:
                await self._world.api.request(method, path, body, content_type)
            except (ApiError, *UNREACHABLE):
                return False
        return True
