"""The log of one life of a container: lines with time stamps, and readers that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

from op_readiness.simulator.clock import Clock

MAX_LINES = 50_000
"""What rotation leaves (a kubelet keeps 10 MiB a file)."""


@dataclass(frozen=True)
class Line:
    """One line, or the piece of one that was written without its end. `at` is cluster time, `stamp` the wall's."""

    at: float
    stamp: str
    stream: str
    data: bytes


class Log:
    """What a container wrote, both streams in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lines: list[Line] = []
        self.dropped = 0
        self.closed = False
        self._partial: dict[str, bytes] = {}
        self._news = asyncio.Event()

    def write(self, stream: str, data: bytes) -> None:
        """Take what a process wrote; whole lines become readable at once, the rest at `close`."""
        *whole, rest = (self._partial.pop(stream, b"") + data).split(b"\n")
        for line in whole:
            self._add(stream, line + b"\n")
        if rest:
            self._partial[stream] = rest
        self._tell()

    def close(self) -> None:
        """The process has ended; a last line without an end counts."""
        for stream, rest in self._partial.items():
            self._add(stream, rest)
        self._partial.clear()
        self.closed = True
        self._tell()

    def flushed(self) -> None:
        """Make a line without an end readable (the runtime does so after a moment)."""
        for stream in list(self._partial):
            self._add(stream, self._partial.pop(stream))

    async def read(self, start: int, *, follow: bool) -> AsyncIterator[Line]:
        """Lines from number `start` (counted from the first ever) on; `follow` waits for more until the log ends."""
        position = start
        while True:
            while position - self.dropped < len(self.lines):
                yield self.lines[max(0, position - self.dropped)]
                position = max(position, self.dropped) + 1
            if self.closed or not follow:
                return
            await self._news.wait()

    def _add(self, stream: str, data: bytes) -> None:
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
        self.lines.append(Line(self._clock.now(), stamp, stream, data))
        if len(self.lines) > MAX_LINES:
            self.dropped += MAX_LINES // 2
            del self.lines[: MAX_LINES // 2]

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


@dataclass(frozen=True)
class LogQuery:
    """What is asked of a log, as in the kubelet's query. `since` is cluster seconds back from now."""

    follow: bool = False
    tail: int | None = None
    since: float | None = None
    since_stamp: str = ""
    timestamps: bool = False
    limit_bytes: int | None = None
    stream: str = ""


def first_line(log: Log, query: LogQuery, now: float) -> int:
    """The number (counted from the first ever) of the first line that the query wants."""
    start = 0
    if query.since is not None:
        start = sum(1 for line in log.lines if line.at < now - query.since)
    if query.since_stamp:
        start = max(start, sum(1 for line in log.lines if line.stamp < query.since_stamp))
    if query.tail is not None:
        start = max(start, len(log.lines) - query.tail)
    return start + log.dropped


def shown(line: Line, query: LogQuery) -> bytes:
    """The line as it is sent."""
    data = line.data if line.data.endswith(b"\n") else line.data + b"\n" if query.timestamps else line.data
    return line.stamp.encode() + b" " + data if query.timestamps else data
