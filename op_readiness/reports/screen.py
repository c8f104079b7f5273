"""Where lines go while a run goes on: a terminal with colour and a live foot, or plain lines in pipes and CI.

The live foot says, for each ability that waits, what for, since when, until when, and the newest Event.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TextIO

from op_readiness.reports.lines import Line, plain, width_of_terminal
from op_readiness.reports.text import count, one_line, seconds

MOST_WAITING = 8


@dataclass(frozen=True)
class WaitingLine:
    """What an ability waits for. `since` and `until` are epoch seconds, `until` 0 when it is not known.

    `scale` is real seconds for a cluster second, in which the line speaks as all reports do.
    """

    ability: str
    what: str
    since: float
    until: float = 0.0
    event: str = ""
    scale: float = 1.0


class Screen:
    """Shows lines. `color` off, NO_COLOR, TERM=dumb or no terminal: plain. A stream without UTF-8: the ASCII twin."""

    def __init__(
        self, stream: TextIO | None = None, *, color: bool = True, ascii: bool | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:  # fmt: skip
        self.stream = stream or sys.stdout
        encoding = (getattr(self.stream, "encoding", "") or "").lower().replace("-", "")
        self.ascii = ascii if ascii is not None else not encoding.startswith("utf")
        tty = self.stream.isatty() and environ.get("TERM") != "dumb"
        self.rich = color and tty and not environ.get("NO_COLOR") and not environ.get("CI")
        self._console: Any = None
        self._live: Any = None

    def __enter__(self) -> Self:
        if self.rich:
            from rich.console import Console
            from rich.live import Live

            self._console = Console(file=self.stream, highlight=False, markup=False, emoji=False)
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines above the live foot."""
        if self._console is not None:
            for line in lines:
                self._print(line)
            return
        self.stream.write(plain(lines, ascii=self.ascii))
        self.stream.flush()

    def _print(self, line: Line) -> None:
        text = line.rich(ascii=self.ascii)
        if line.fit == "cut":
            self._console.print(text, no_wrap=True, overflow="ellipsis")
        elif line.fit == "paste" or line.hang > self._console.width // 2:
            self._console.print(text, soft_wrap=True)
        else:
            head, body = text.divide([line.hang])
            for number, piece in enumerate(body.wrap(self._console, self._console.width - line.hang) or [body]):
                self._console.print((head if number == 0 else type(text)(" " * line.hang)) + piece, soft_wrap=True)

    def waiting(self, waits: Sequence[WaitingLine], *, now: float, done: int, total: int, stage: str = "") -> None:
        """Refresh the live foot; plain output has none."""
        if self._live is None:
            return
        from rich.text import Text

        foot = Text("\n").join(line.rich(ascii=self.ascii) for line in foot_lines(waits, now, done, total, stage))
        foot.no_wrap = True
        foot.overflow = "ellipsis"
        self._live.update(foot, refresh=True)


def foot_lines(waits: Sequence[WaitingLine], now: float, done: int, total: int, stage: str = "") -> list[Line]:
    """The live foot: progress, then who waits longest; `stage` is what the run itself does meanwhile."""
    ordered = sorted(waits, key=lambda wait: (wait.since, wait.ability))
    doing = f"{len(waits)} waiting" if waits or not stage else stage
    lines = [Line.of((f"{done} of {count(total, 'ability', 'abilities')} ended, {doing}", "head"))]
    lines += [waiting_line(wait, now) for wait in ordered[:MOST_WAITING]]
    more = len(ordered) - MOST_WAITING
    return lines + ([Line.of((f"  and {more} more", "dim"))] if more > 0 else [])


def waiting_line(wait: WaitingLine, now: float) -> Line:
    """`net-dns  waits 12 s (at most 120 s) for ...; newest Event: ...`."""
    most = f" (at most {seconds((wait.until - wait.since) / wait.scale)})" if wait.until else ""
    event = f"; newest Event: {one_line(wait.event, 80)}" if wait.event else ""
    room = max(40, width_of_terminal() - len(wait.ability) - 30)
    what = one_line(wait.what, room)
    waited = seconds(max(0.0, now - wait.since) / wait.scale)
    return Line.of(f"  {wait.ability}  ", (f"waits {waited}{most} for ", "dim"), what, (event, "dim"))
