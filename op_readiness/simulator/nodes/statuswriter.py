"""Sends the status of a Pod: once for all changes of a moment, never the same twice, the last one never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.nodes.failures import UNREACHABLE

if TYPE_CHECKING:
    from op_readiness.simulator.world import World

RETRY_SECONDS = 1.0
MOMENT_SECONDS = 0.005
"""Changes within this real time go out together."""


class StatusWriter:
    """The status of one Pod; `current` gives path, UID and what should be shown."""

    def __init__(self, world: World, current: Callable[[], tuple[str, str, Object]]) -> None:
        self._world, self._current = world, current
        self._sent: Object | None = None
        self._task: asyncio.Task[None] | None = None
        self._dirty = False
        self.silent = False

    def changed(self) -> None:
        """Something is different now."""
        self._dirty = True
        if self.silent:
            return
        if self._task is None or self._task.done():
            self._task = self._world.spawn(self._write(), "Pod status")

    async def settled(self) -> None:
        """Wait until the newest status is sent (or the Pod is gone)."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        while self._dirty:
            await asyncio.sleep(MOMENT_SECONDS)
            self._dirty = False
            path, uid, status = self._current()
            if not self.silent and status != self._sent and await self._arrived(path, uid, self._patch(status)):
                self._sent = status

    def _patch(self, status: Object) -> Object:
        """Lists of addresses are merged by address: old ones have to be replaced by word."""
        lists = {name: status.get(name, []) for name in ("podIPs", "hostIPs")}
        old = {name: (self._sent or {}).get(name, []) for name in lists}
        moved = {name: [{"$patch": "replace"}, *new] for name, new in lists.items() if old[name] and old[name] != new}
        gone = {"podIP": None} if "podIP" in (self._sent or {}) and "podIP" not in status else {}
        return status | moved | gone

    async def _arrived(self, path: str, uid: str, status: Object) -> bool:
        body = {"metadata": {"uid": uid}, "status": status}
        while True:
            try:
                await self._world.api.patch(f"{path}/status", body, "strategic")
                return True
            except ApiError as error:
                if error.code in (403, 404, 409, 422):
                    return False
            except UNREACHABLE:
                pass
            await asyncio.sleep(RETRY_SECONDS)
