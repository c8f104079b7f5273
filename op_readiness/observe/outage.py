"""A Service asked all the time from one Pod, and how long it was silent: what a Node's restart costs its users.

The Pod writes a line a try, with the time of its own clock, and goes on whatever happens elsewhere; only its log is
read, so no exec has to last as long as a restart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

CONNECT_SECONDS, ANSWER_SECONDS, PAUSE_SECONDS = 2, 4, 1
_LINE = re.compile(r"^try (\d+) (\d+) ?(.*)$", flags=re.MULTILINE)


@dataclass(frozen=True)
class Beat:
    """One try: when it began (seconds of the Pod's clock), whether an answer came, and what was said."""

    time: int
    good: bool
    said: str = ""


@dataclass(frozen=True)
class Outage:
    """What a stretch of tries shows. `gap` is the longest time in seconds from one answer to the next with losses."""

    tries: int
    lost: int
    gap: float
    words: str = ""

    def __str__(self) -> str:
        if not self.lost:
            return f"{self.tries} of {self.tries} tries answered"
        said = f" ({self.words})" if self.words else ""
        return f"no answer for up to {self.gap:g} s, {self.lost} of {self.tries} tries lost{said}"


def asking(url: str) -> list[str]:
    """The command line of a Linux container that asks `url` for ever, once a second, and writes a line a try."""
    options = f"-g -q -sS --fail --connect-timeout {CONNECT_SECONDS} --max-time {ANSWER_SECONDS}"
    body = f'began=$(date +%s); said=$(curl {options} {url} 2>&1); echo "try $began $? $said"; sleep {PAUSE_SECONDS}'
    return ["/bin/sh", "-c", f"while true; do {body}; done"]


def beats(text: str) -> list[Beat]:
    """The tries in a log; a line that is cut is none."""
    return [Beat(int(time), code == "0", said.strip()) for time, code, said in _LINE.findall(text)]


def outage(seen: Sequence[Beat]) -> Outage:
    """The longest gap in `seen`; one at its begin or end counts as far as it was seen."""
    gap, last, lost_since = 0.0, seen[0].time if seen else 0, False
    for beat in seen:
        if beat.good:
            gap = max(gap, float(beat.time - last)) if lost_since else gap
            last, lost_since = beat.time, False
        else:
            lost_since = True
    if lost_since:
        gap = max(gap, float(seen[-1].time - last))
    lost = [beat for beat in seen if not beat.good]
    return Outage(len(seen), len(lost), gap, lost[-1].said[:120] if lost else "")
