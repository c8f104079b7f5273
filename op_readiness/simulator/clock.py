"""Cluster time: one number says how much faster than the wall it runs; self-tests turn it by hand.

Everything in the simulator that takes time (Pod start, kube-proxy lag, a connect time-out inside a Pod, fault times)
waits on this clock, in cluster seconds. Time stamps in API objects are the wall's, as the API server writes them.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time

TICK = 0.005
"""Real seconds between two looks at the wall clock while the cluster runs faster than it."""
IDLE_STEP, BUSY_STEP = 0.010, 0.002
"""Real seconds that one look moves cluster time by at most, when nobody is ready to run and when somebody is."""


class Clock:
    """Cluster seconds: `rate` of them pass in one real second.

    On a clock that runs fast, a moment in which this process was not scheduled would be seconds to a simulated
    program, and its time-outs would end what a real network had answered long ago. So time goes on in small steps, each
    bounded, and smaller while anything is ready to run: a loaded machine makes the cluster slow, and not faulty.
    """

    def __init__(self, rate: float = 1.0) -> None:
        self.rate = rate
        self._start = self._looked = time.monotonic()
        self.epoch = time.time()
        self._passed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._ticking: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """Cluster seconds since this clock was made."""
        if self._ticking is None:
            return (time.monotonic() - self._start) * self.rate
        return self._passed + min(time.monotonic() - self._looked, BUSY_STEP) * self.rate

    def time(self) -> float:
        """The time of day on a simulated machine, in seconds since 1970: it goes as fast as everything there."""
        return self.epoch + self.now()

    async def sleep(self, seconds: float) -> None:
        """Wait for that many cluster seconds."""
        if self.rate <= 1:
            await asyncio.sleep(max(0.0, seconds) / self.rate)
            return
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        self._tick_on(loop)
        woken: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._sleepers, (self.now() + seconds, next(self._order), woken))
        await woken

    def _tick_on(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._ticking is not loop:
            self._passed, self._looked, self._ticking = self.now(), time.monotonic(), loop
            loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        loop = self._ticking
        if loop is None:
            return
        real = time.monotonic()
        step = BUSY_STEP if getattr(loop, "_ready", ()) else IDLE_STEP
        self._passed += min(real - self._looked, step) * self.rate
        self._looked = real
        while self._sleepers and (self._sleepers[0][0] <= self._passed or self._sleepers[0][2].done()):
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
        due = (self._sleepers[0][0] - self._passed) / self.rate if self._sleepers else TICK
        loop.call_later(min(TICK, max(due, 0.0005)), self._tick)


class TurnedClock(Clock):
    """A clock that stands still until a self-test turns it; sleepers wake in the order of their times."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

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
