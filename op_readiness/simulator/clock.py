"""Cluster time: one number says how much faster than the wall it runs; self-tests turn it by hand.

Everything in the simulator that takes time (Pod start, kube-proxy lag, a connect time-out inside a Pod, fault times)
waits on this clock, in cluster seconds. Time stamps in API objects are the wall's, as the API server writes them.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time


class Clock:
    """Cluster seconds: `rate` of them pass in one real second."""

    def __init__(self, rate: float = 1.0) -> None:
        self.rate = rate
        self._start = time.monotonic()

    def now(self) -> float:
        """Cluster seconds since this clock was made."""
        return (time.monotonic() - self._start) * self.rate

    async def sleep(self, seconds: float) -> None:
        """Wait for that many cluster seconds."""
        await asyncio.sleep(max(0.0, seconds) / self.rate)


class TurnedClock(Clock):
    """A clock that stands still until a self-test turns it; sleepers wake in the order of their times."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """Cluster seconds since the start."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been turned that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), woken))
        await woken

    async def turn(self, seconds: float) -> None:
        """Let that many cluster seconds pass; everybody who was due runs, in order, before this comes back."""
        until = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            self._now, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await self._settle()
        self._now = until
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
