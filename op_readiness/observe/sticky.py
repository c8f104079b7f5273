"""Series of requests whose answers are compared with one another: does a client stay with its backend?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.observe.traffic import ANSWER_SECONDS, FIRST_TRIES, Patience, Target

CONFIRMED = 15
"""Equal answers in a row that show affinity (test/e2e/network/service.go, AffinityConfirmCount)."""
MAY_BE_LOST = 0.1
"""The part of a series that may be without an answer: a Service that keeps clients by losing them does not work."""


@dataclass(frozen=True)
class Series:
    """The names that answered one client, in order, empty where none did; `good` as its test has it."""

    client: Client
    names: tuple[str, ...]
    good: bool

    def __str__(self) -> str:
        met = {name: self.names.count(name) for name in sorted(set(self.names) - {""})}
        lost = f"; {self.names.count('')} of {len(self.names)} without an answer" if "" in self.names else ""
        shown = ", ".join(f"{name} {count}x" for name, count in met.items()) or "no answer"
        return f"{shown}, at most {longest_run(self.names)} in a row{lost}"


def longest_run(names: Sequence[str]) -> int:
    """How often the same name came in a row at most; no answer ends a row."""
    longest = run = 0
    last = ""
    for name in names:
        run = run + 1 if name and name == last else 1 if name else 0
        last, longest = name, max(longest, run)
    return longest


def stays(names: Sequence[str]) -> bool:
    """Whether a client met one backend alone, long enough in a row, and was answered all along."""
    met, lost = set(names) - {""}, names.count("")
    return len(met) == 1 and longest_run(names) >= CONFIRMED and lost <= MAY_BE_LOST * len(names)


def changes(names: Sequence[str]) -> bool:
    """Whether more than one backend answered."""
    return len(set(names) - {""}) > 1


def series(
    asker: Asker, client: Client, target: Target, tries: int, met: Callable[[Sequence[str]], bool], within: str,
    clock: Clock = SYSTEM_CLOCK,
) -> Series:  # fmt: skip
    """`tries` requests by one client, asked again until they are as `met` says or the deadline `within` is over."""
    patience, line = Patience(asker.timeouts, within, clock), target.command(client)
    first = Ask("first", line, times=FIRST_TRIES, pause=1, until_good=True, longest=ANSWER_SECONDS)
    rest = Ask("rest", line, times=tries, then_only_if_good="first", longest=ANSWER_SECONDS)
    while True:
        answers = asker.ask(client, [*patience.pause, first, rest])
        names = tuple(target.read(answer) for answer in answers["rest"] or answers["first"])
        if (good := met(names)) or patience.over(max(1.0, answers.seconds), str(client.place)):
            return Series(client, names, good)
