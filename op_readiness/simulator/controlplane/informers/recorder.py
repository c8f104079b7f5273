"""Events of controllers, written beside their work so that nobody waits for them; alike ones are counted in one."""

from __future__ import annotations

import asyncio
import datetime
import itertools
from collections import OrderedDict

import aiohttp

from op_readiness.simulator.api import Api, ApiError, Object
from op_readiness.simulator.controlplane.informers.kinds import EVENT, NODE

REMEMBERED = 1024
MOST_ALIKE = 9  # Events that differ in their message alone, before they are combined in one; of client-go
COMBINED = "(combined from similar events): "


def stamp() -> str:
    """The wall's time as metav1.Time spells it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp() -> str:
    """The wall's time as metav1.MicroTime spells it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Recorder:
    """Writes Events in the order in which they were recorded."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._waiting: asyncio.Queue[tuple[Object, str]] = asyncio.Queue()
        self._seen: OrderedDict[str, tuple[str, str, int]] = OrderedDict()
        self._messages: OrderedDict[str, dict[str, None]] = OrderedDict()
        self._number = itertools.count(int(datetime.datetime.now(datetime.UTC).timestamp() * 1e9))

    def event(self, about: Object, kind: str, reason: str, message: str, component: str) -> None:
        """Record an Event as controllers write them: `kind` is Normal or Warning; alike ones raise its count."""
        event = self._body(about, kind, reason, message)
        event |= {"source": {"component": component}, "reportingComponent": component, "count": 1}
        event |= {"firstTimestamp": stamp(), "lastTimestamp": stamp()}
        group = "|".join((event["involvedObject"].get("uid", ""), kind, reason, component))
        messages = self._messages.setdefault(group, {})
        self._messages.move_to_end(group)
        while len(self._messages) > REMEMBERED:
            self._messages.popitem(last=False)
        if message not in messages and len(messages) >= MOST_ALIKE:
            event["message"] = COMBINED + event["message"]
            self._waiting.put_nowait((event, group))
            return
        messages[message] = None
        self._waiting.put_nowait((event, f"{group}|{message}"))

    def scheduling(self, about: Object, kind: str, reason: str, message: str, action: str) -> None:
        """Record an Event as the scheduler writes them: with eventTime and action, without count."""
        event = self._body(about, kind, reason, message)
        event |= {"eventTime": micro_stamp(), "action": action, "reportingComponent": "default-scheduler"}
        event |= {"reportingInstance": "default-scheduler-simulated", "source": {}}
        self._waiting.put_nowait((event, ""))

    async def run(self) -> None:
        """Write until cancelled; an Event that the API server refuses (its Namespace is going) is let go."""
        while True:
            event, alike = await self._waiting.get()
            try:
                await self._write(event, alike)
            except (ApiError, aiohttp.ClientError, OSError):
                self._seen.pop(alike, None)

    async def _write(self, event: Object, alike: str) -> None:
        if not alike or alike not in self._seen:
            await self._api.create(EVENT.collection(event["metadata"]["namespace"]), event)
            if alike:
                self._seen[alike] = (event["metadata"]["namespace"], event["metadata"]["name"], 1)
                while len(self._seen) > REMEMBERED:
                    self._seen.popitem(last=False)
            return
        namespace, name, count = self._seen[alike]
        self._seen[alike] = (namespace, name, count + 1)
        changed = {"count": count + 1, "lastTimestamp": event["lastTimestamp"], "message": event["message"]}
        await self._api.patch(EVENT.path(namespace, name), changed)

    def _body(self, about: Object, kind: str, reason: str, message: str) -> Object:
        meta = about["metadata"]
        namespace = meta.get("namespace") or "default"
        reference = {"kind": about["kind"], "apiVersion": about["apiVersion"], "name": meta["name"], "uid": meta["uid"]}
        if about["kind"] != NODE.kind:
            reference["resourceVersion"] = meta["resourceVersion"]
            if "namespace" in meta:
                reference["namespace"] = meta["namespace"]
        name = f"{meta['name']}.{next(self._number):x}"
        return {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
            "involvedObject": reference, "type": kind, "reason": reason, "message": message[:1024],
        }
