"""How old new Pods are at their first answer: by the clock of their Node, however late they are asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.dns import DIG_SECONDS, lookup
from op_readiness.observe.first_names import FirstNames
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Answers, Client

CLIENT = Client.at("ns", "density-0-0", NodeFact("win-1", "windows", "10.0.20348"))
POD = {"status": {"containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}}
START = 1767225600


@dataclass
class NewPod:
    """A Pod whose names work from a second of its age on; the tries of `lost` get no answer even so."""

    age: float
    works: float
    ahead: float = 0.0
    """Seconds by which the Node's clock goes before ours."""
    lost: tuple[int, ...] = ()
    tried: int = 0
    timeouts: Timeouts = field(default_factory=Timeouts)

    def ask(self, client, asks):
        answers = Answers()
        for one in asks:
            answers[one.key] = []
            for _ in range(one.times):
                good = self.age >= self.works and self.tried not in self.lost
                answers[one.key].append(Answer(int(not good), f"at {int(START + self.age + self.ahead)}\nx"))
                self.tried += 1
                if good and one.until_good:
                    break
                self.age += one.pause + (0 if good else DIG_SECONDS)
        return answers

    def now(self):
        return START + self.age


def judged(pod, status=POD["status"]):
    recorder = Recorder()
    with ThreadPoolExecutor(1) as threads:
        first = FirstNames(lookup("a.b.", frozenset({"10.96.0.1"})), pod, threads, recorder, now=pod.now)
        first.ask([(CLIENT, {"status": status})])
    try:
        first.must_have_come()
    except AbilityNotMet as error:
        assert error.findings[0].nodes == ("win-1",)
        return False, recorder.notes.figures
    return True, recorder.notes.figures


@pytest.mark.parametrize(
    ("age", "works", "good"),
    [
        (1, 0, True),
        (1, 10, True),  # within the warm-up
        (1, 50, False),
        (45, 50, False),  # asked late, and its names came 20 s after its warm-up
        (28, 50, False),
        (60, 50, True),  # nobody can tell any more
        (40, 10**9, False),
    ],
)
def test_the_warm_up_counts_from_the_start_of_a_pod(age, works, good):
    """And not from the first question, which may come when it is over."""
    seen, figures = judged(NewPod(age, works))
    assert seen is good
    if good:
        [(name, value)] = figures.items()
        assert name.endswith("after its start") and works <= value < max(age, works) + DIG_SECONDS + 1


def test_one_lost_packet_is_no_warm_up():
    """At whatever age; two in a row are more than that."""
    assert judged(NewPod(60, 0, lost=(0,)))[0]
    assert not judged(NewPod(60, 0, lost=(0, 1)))[0]


@pytest.mark.parametrize(
    ("status", "ahead"),
    [(POD["status"], 600.0), (POD["status"], -600.0), ({}, 0.0), ({"containerStatuses": [{"state": {}}]}, 0.0)],
)
@pytest.mark.parametrize(("age", "works", "good"), [(45, 50, True), (1, 50, False), (45, 95, False)])
def test_where_the_start_cannot_be_told_the_first_question_counts(status, ahead, age, works, good):
    """A Node with another clock than ours, or a Pod without a time of start; by the Pod's clock all the same."""
    seen, figures = judged(NewPod(age, works, ahead=ahead), status)
    assert seen is good and all(name.endswith("after the first question") for name in figures)
