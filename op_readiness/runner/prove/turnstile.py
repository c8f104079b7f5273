"""A turnstile before the cells: one after the other, and only while the machine has computed what went before.

Cells wait most of their time, so many clusters fit on two cores, until several compute at once. What a machine cannot
carry shows as tries lost and deadlines missed on healthy Nodes. So each cell waits here until some of the machine is
idle; on one that others load, cells come one by one, a little apart, and never all together.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from op_readiness.model.clock import SYSTEM_CLOCK, Clock

STAT = Path("/proc/stat")
WINDOW = 0.15
"""Seconds over which the machine is looked at."""
ROOM = 0.2
"""Share of all cores that must be idle."""
LONGEST = 3.0
"""Seconds after which the next one passes whatever the load is: somebody else may compute all day."""
LOOK = 0.05
STALE = 20.0
"""Seconds after which whoever stands in the turnstile is taken for dead."""


def can_be_measured() -> bool:
    """Whether this machine says how busy it is (Linux)."""
    return _ticks() is not None


def idle_share(clock: Clock = SYSTEM_CLOCK) -> float:
    """The idle share of all cores over a short while; 1 where the machine does not say."""
    before = _ticks()
    clock.sleep(WINDOW)
    after = _ticks()
    if before is None or after is None or after[1] <= before[1]:
        return 1.0
    return (after[0] - before[0]) / (after[1] - before[1])


class Turnstile:
    """`folder` is shared by all that come to it, and private to one proof."""

    def __init__(self, folder: Path, idle: Callable[[], float] = idle_share, clock: Clock = SYSTEM_CLOCK) -> None:
        self._lock, self._idle, self._clock = folder / "turnstile", idle, clock

    def go_through(self) -> None:
        """Come back when it is one's turn and the machine has room, or nobody has passed for `LONGEST` seconds."""
        with self._alone():
            until = self._clock.now() + LONGEST
            while self._idle() < ROOM and self._clock.now() < until:
                pass

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        while not self._entered():
            self._clock.sleep(LOOK)
        try:
            yield
        finally:
            self._lock.unlink(missing_ok=True)

    def _entered(self) -> bool:
        try:
            os.close(os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileNotFoundError:
            return True  # the proof is over, and its folder gone
        except OSError:
            with contextlib.suppress(OSError):
                if time.time() - self._lock.stat().st_mtime > STALE:
                    self._lock.unlink(missing_ok=True)
            return False
        return True


def _ticks() -> tuple[int, int] | None:
    """(idle ticks, all ticks) of all cores since the start."""
    try:
        numbers = [int(word) for word in STAT.read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    return (numbers[3] + numbers[4], sum(numbers)) if len(numbers) > 4 else None
