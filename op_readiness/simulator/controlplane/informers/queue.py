"""Work by key: one key is worked on once at a time, and asked for many times it is done once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import aiohttp

from op_readiness.simulator.api import ApiError
from op_readiness.simulator.clock import Clock

LOG = logging.getLogger(__name__)
FIRST_DELAY, LONGEST_DELAY = 0.02, 60.0

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """Calls `work(key)` for keys that were added; after an error again, later each time (cluster seconds)."""

    def __init__(self, clock: Clock, work: Callable[[K], Awaitable[None]], workers: int = 4) -> None:
        self._clock, self._work, self._workers = clock, work, workers
        self._waiting: deque[K] = deque()
        self._wanted: set[K] = set()
        self._running: set[K] = set()
        self._failures: dict[K, int] = {}
        self._later: dict[K, tuple[float, asyncio.Task[None]]] = {}
        self._some = asyncio.Event()

    def add(self, key: K) -> None:
        """Have the key worked on, at once or as soon as the work on it that runs now has ended."""
        if key in self._wanted:
            return
        self._wanted.add(key)
        if key not in self._running:
            self._waiting.append(key)
            self._some.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Have the key worked on in that many cluster seconds; of several such times the first counts."""
        due = self._clock.now() + seconds
        if key in self._later:
            if self._later[key][0] <= due:
                return
            self._later[key][1].cancel()
        self._later[key] = (due, asyncio.get_running_loop().create_task(self._wake(key, seconds)))

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(self._serve())
        finally:
            for _, task in self._later.values():
                task.cancel()

    async def _wake(self, key: K, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._later.pop(key, None)
        self.add(key)

    async def _serve(self) -> None:
        while True:
            while not self._waiting:
                self._some.clear()
                await self._some.wait()
            key = self._waiting.popleft()
            self._wanted.discard(key)
            self._running.add(key)
            try:
                await self._attempt(key)
            finally:
                self._running.discard(key)
                if key in self._wanted:
                    self._waiting.append(key)
                    self._some.set()

    async def _attempt(self, key: K) -> None:
        try:
            await self._work(key)
        except (ApiError, aiohttp.ClientError, OSError) as error:
            LOG.debug("%s: %s", key, error)
        except Exception:
            LOG.exception("work on %s failed", key)
        else:
            self._failures.pop(key, None)
            return
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, min(LONGEST_DELAY, FIRST_DELAY * 2.0**failures))
