"""How old a new Pod is when its names work: asked as soon as it is there, and told by the clock of its Node.

Names may fail in the first seconds of a Pod (Azure/AKS#2161), and a Pod is given a warm-up for it. Whoever counts that
from the first question forgives what happened before it: a Pod that is asked when it is 40 s old and answers at 50 s
would pass. The Node wrote down when the container began, and a program in the Pod reads the same clock.

That age is only taken where the Node's clock is ours. Where it is another one (it is wrong, or the Node is simulated
and its time goes faster than that of the objects), the first question is all there is to count from, and nothing is
known of what was before: then the sooner a Pod is asked the more this says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import Reach, together
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.observe.traffic import Target

TRIES = 10
CLOCKS_APART = 5.0
"""Seconds by which a Node's clock may differ from ours and still count as the same."""
LATE = "Names do not work in a new Pod within its warm-up"
HINT = "endpoints that the CNI makes for new Pods on the Node, and kube-proxy's load balancer of the DNS Service there"


@dataclass(frozen=True)
class Asked:
    """What one Pod was asked: (second on its clock, whether it got an answer) of each try, in order.

    `began` is the second of that clock from which the warm-up counts; `aged`: that is when the container began.
    """

    client: Client
    tries: tuple[tuple[int, bool], ...]
    began: int
    aged: bool

    @property
    def seconds(self) -> int:
        """From then on until the last try, which is the first good one if there is any."""
        return self.tries[-1][0] - self.began

    def late(self, limit: float) -> bool:
        """Whether there was no answer when there had to be; a single try may be lost at any time."""
        lost = [second for second, good in self.tries if not good]
        return len(lost) > 1 and lost[-1] - self.began > limit


@dataclass
class FirstNames:
    """The first look-up of each new Pod."""

    target: Target
    asker: Asker
    threads: Executor
    recorder: Recorder
    asked: list[Asked] = field(default_factory=list)
    now: Callable[[], float] = time.time

    def ask(self, pods: Sequence[tuple[Client, Mapping[str, Any]]]) -> None:
        """Ask every Pod side by side until it gets an answer or its warm-up is over."""
        self.asked = together(self.threads, lambda pod: self._ask(*pod), pods)

    def must_hold(self, reach: Reach) -> None:
        """Every Pod resolves the name now, each time, and had its first answer within its warm-up."""
        reach.every([one.client for one in self.asked], [self.target], within="warm_up")
        self.must_have_come()

    def must_have_come(self) -> None:
        """Raises AbilityNotMet where a Pod's first answer came after its warm-up, or none did; the slowest is reported.

        A Pod that is older when it is first asked and gets an answer shows only that it was not slower than that.
        """
        limit, checks = self.asker.timeouts.warm_up, Checks(self.recorder)
        for one in self.asked:
            since = "its start" if one.aged else "the first question"
            lost = sum(not good for _, good in one.tries)
            seen = f"{lost} of {len(one.tries)} tries lost until {one.seconds} s after {since}"
            expected = f"within {limit:g} s of {since}"
            checks.take(Check("first name", one.client.place, "DNS", expected, seen, not one.late(limit)))
        for aged, since in ((True, "its start"), (False, "the first question")):
            if seconds := [one.seconds for one in self.asked if one.aged is aged]:
                self.recorder.figure(f"slowest first name of a new Pod, seconds after {since}", max(seconds))
        checks.must_hold(LATE, hint=HINT)

    def _ask(self, client: Client, pod: Mapping[str, Any]) -> Asked:
        limit = self.asker.timeouts.warm_up
        line = f'echo "at $(date +%s)"; {self.target.command(client)}'
        ask = Ask("first", line, TRIES, 1, until_good=True, longest=self.target.longest)
        tries: list[tuple[int, bool]] = []
        began, aged, here = 0, False, self.now()
        for _ in range(int(limit // TRIES) + 1):
            answers = self.asker.ask(client, [ask])["first"]
            tries += [(_second(answer.text), answer.good) for answer in answers]
            if not began:
                began, aged = _beginning(pod, tries[0][0], here, self.now())
            if tries[-1][1] or tries[-1][0] - began > limit:
                break
        return Asked(client, tuple(tries), began, aged)


def _second(text: str) -> int:
    head, _, said = text.partition("\n")[0].partition(" ")
    return int(said) if head == "at" and said.strip().isdigit() else 0


def _beginning(pod: Mapping[str, Any], first: int, before: float, after: float) -> tuple[int, bool]:
    """When the container began, if the clock that says so agrees with ours, which read `before` and `after`."""
    states = [one.get("state") or {} for one in pod["status"].get("containerStatuses") or []]
    stamps = [str((state.get("running") or {}).get("startedAt") or "") for state in states]
    if not stamps or not stamps[0] or not before - CLOCKS_APART <= first <= after + CLOCKS_APART:
        return first, False
    started = int(datetime.fromisoformat(stamps[0].replace("Z", "+00:00")).timestamp())
    return (started, True) if started <= first else (first, False)
