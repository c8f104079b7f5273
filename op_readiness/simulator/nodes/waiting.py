"""Waiting on the cluster's clock: for a task, at most so long."""

from __future__ import annotations

import asyncio
from typing import Any

from op_readiness.simulator.clock import Clock


async def ended_within(clock: Clock, task: asyncio.Future[Any], seconds: float) -> bool:
    """Whether `task` has ended after at most that many cluster seconds; it is left alone otherwise."""
    if task.done():
        return True
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait([task, timer], return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
    return task.done()
