"""Waiting inside programs: a deadline in cluster seconds around anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.interface import TimedOut

T = TypeVar("T")


async def within(clock: Clock, seconds: float | None, work: Awaitable[T]) -> T:
    """What `work` gives; raises TimedOut, with `work` cancelled, after that many cluster seconds (None: never)."""
    if seconds is None:
        return await work
    task, timer = asyncio.ensure_future(work), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimedOut(f"{seconds:g} s")
    finally:
        timer.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
