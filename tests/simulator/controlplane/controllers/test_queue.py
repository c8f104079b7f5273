"""Work by key."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from op_readiness.simulator.api import ApiError
from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.controlplane.informers.queue import WorkQueue


async def turned(work: Callable[[str], Awaitable[None]], act: Callable[[WorkQueue[str], TurnedClock], Awaitable[None]]):
    clock = TurnedClock()
    queue: WorkQueue[str] = WorkQueue(clock, work, workers=2)
    task = asyncio.create_task(queue.run())
    try:
        await act(queue, clock)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_a_key_asked_for_many_times_is_worked_on_once_and_never_twice_at_a_time():
    seen: list[str] = []
    gate = asyncio.Event()

    async def work(key: str) -> None:
        seen.append(f"begin {key}")
        await gate.wait()
        seen.append(f"end {key}")

    async def act(queue: WorkQueue[str], clock: TurnedClock) -> None:
        for _ in range(3):
            queue.add("a")
        await clock.turn(0)
        queue.add("a")
        queue.add("a")
        await clock.turn(0)
        assert seen == ["begin a"]
        gate.set()
        await clock.turn(0)

    asyncio.run(turned(work, act))
    assert seen == ["begin a", "end a", "begin a", "end a"]


def test_failed_work_is_done_again_later_each_time():
    times: list[float] = []
    clocks: list[TurnedClock] = []

    async def work(key: str) -> None:
        times.append(clocks[0].now())
        if len(times) < 4:
            raise ApiError(409, "Conflict", "the object has been modified")

    async def act(queue: WorkQueue[str], clock: TurnedClock) -> None:
        clocks.append(clock)
        queue.add("a")
        await clock.turn(10)

    asyncio.run(turned(work, act))
    assert [round(time, 2) for time in times] == [0, 0.04, 0.12, 0.28]


def test_the_earlier_of_two_times_counts():
    times: list[float] = []
    clocks: list[TurnedClock] = []

    async def work(key: str) -> None:
        times.append(clocks[0].now())

    async def act(queue: WorkQueue[str], clock: TurnedClock) -> None:
        clocks.append(clock)
        queue.add_after("a", 30)
        queue.add_after("a", 5)
        queue.add_after("a", 60)
        await clock.turn(100)

    asyncio.run(turned(work, act))
    assert times == [5]
