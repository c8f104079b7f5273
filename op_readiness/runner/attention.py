"""Paying attention while something long goes on: to Ctrl-C, SIGTERM and the run's own deadline.

The main thread only waits, in short steps; what may block (the API of a cluster that is gone, say) happens in threads.
So an interrupt is noticed within a step, whatever the run is doing. A second signal leaves at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from op_readiness.model.clock import SYSTEM_CLOCK, Clock

T = TypeVar("T")
STEP = 0.05
DEADLINE = "run deadline"


class Interrupted(Exception):
    """The run has to end now: `by` is SIGINT, SIGTERM or the deadline."""

    def __init__(self, by: str) -> None:
        super().__init__(f"interrupted by {by}")
        self.by = by


class Attention:
    """Installs the signal handlers while it is entered. `leave` is called before a second signal ends the process."""

    def __init__(self, seconds: float, leave: Callable[[], None], clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock, self._leave = clock, leave
        self._deadline = clock.now() + seconds
        self._by = ""
        self._told = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._by:
            self._leave()
            os._exit(128 + number)
        self._by = signal.Signals(number).name

    def look(self) -> None:
        """Raises Interrupted, once."""
        if self._told:
            return
        if not self._by and self._clock.now() >= self._deadline:
            self._by = DEADLINE
        if self._by:
            self._told = True
            raise Interrupted(self._by)

    def pause(self, seconds: float = STEP) -> None:
        """Wait a short while. Raises Interrupted."""
        self.look()
        self._clock.sleep(seconds)
        self.look()

    def forget_deadline(self) -> None:
        """From here on only signals interrupt: what is left to do has a deadline of its own."""
        self._deadline = float("inf")

    def left(self) -> float:
        """Seconds until the run's deadline."""
        return max(0.0, self._deadline - self._clock.now())

    def attend(self, call: Callable[[], T]) -> T:
        """What `call` gives or raises; it runs in a thread, which is left behind when we are interrupted."""
        given: list[T] = []
        raised: list[BaseException] = []

        def run() -> None:
            try:
                given.append(call())
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=run, daemon=True, name=getattr(call, "__name__", "call"))
        thread.start()
        while thread.is_alive():
            thread.join(STEP)
            if thread.is_alive():
                self.look()
        if raised:
            raise raised[0]
        return given[0]
