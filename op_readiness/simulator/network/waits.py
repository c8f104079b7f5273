"""Waiting in cluster time: deadlines, silence, and work that must be done in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import NoReturn, TypeVar

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.interface import TimedOut

T = TypeVar("T")
UNWORTHY = 0.005  # real seconds: a shorter wait costs more than it shows


class Deadline:
    """A point in cluster time, or none."""

    def __init__(self, clock: Clock, timeout: float | None) -> None:
        self.clock = clock
        self.start = clock.now()
        self.at = None if timeout is None else self.start + max(0.0, timeout)

    def sooner(self, seconds: float) -> Deadline:
        """This deadline, but at the latest that many seconds from now."""
        other = Deadline(self.clock, seconds)
        return other if self.at is None or (other.at is not None and other.at < self.at) else self

    async def silence(self, what: str = "") -> NoReturn:
        """Hear nothing until the deadline (for ever without one), then raise TimedOut."""
        if self.at is None:
            await asyncio.get_running_loop().create_future()
        else:
            await self.clock.sleep(self.at - self.clock.now())
        raise TimedOut(what or "timed out")

    async def until(self, moment: float) -> None:
        """Wait for a moment; raises TimedOut at the deadline if that is sooner."""
        if self.at is not None and self.at < moment:
            await self.silence()
        wait = moment - self.clock.now()
        if wait > 0:
            await self.clock.sleep(wait)

    async def pause(self, seconds: float) -> None:
        """Let a message travel; too short a time to notice is skipped."""
        if seconds / self.clock.rate >= UNWORTHY:
            await self.until(self.clock.now() + seconds)

    async def within(self, work: Awaitable[T]) -> T:
        """What `work` gives, if it does in time; else it is cancelled and TimedOut raised."""
        if self.at is None:
            return await work
        task = asyncio.ensure_future(work)
        timer = asyncio.ensure_future(self.clock.sleep(self.at - self.clock.now()))
        try:
            await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise TimedOut("timed out")
        finally:
            for left in (task, timer):
                if not left.done():
                    left.cancel()
