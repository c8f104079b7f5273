"""The harness's time: real seconds to wait, cluster seconds to report.

`scale` is `--timeout-scale`: real seconds for one cluster second. Tests turn `TurnedClock` by hand.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What waiting needs: now and sleep, both in real seconds."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""

    def sleep(self, seconds: float) -> None:
        """Wait that long."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that long."""
        time.sleep(max(0.0, seconds))


class TurnedClock:
    """A clock that only moves when somebody sleeps on it or turns it."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        """Seconds since the start given."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by that much, at once."""
        self._now += max(0.0, seconds)

    turn = sleep


SYSTEM_CLOCK = SystemClock()
