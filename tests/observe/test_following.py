"""A series that loses tries while proxies follow a change, and one that loses them at any other time."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.model.facts import NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.shell import Answer, Answers, Client
from op_readiness.observe.traffic import Observer, Target

CLIENT = Client.at("ns", "client-win-1", NodeFact("win-1", "windows", "10.0.20348"))
TARGET = Target("ClusterIP", "Service ns/ten", "10.96.0.7", 80, {"a": "win-1", "b": "win-2"})
GOOD, LOST = Answer(0, "a"), Answer(28, "curl: (28) timed out")


@dataclass
class Asked:
    """Answers each series: those before `spoilt` cluster seconds lose two tries of their hold."""

    spoilt: float
    takes: float = 10.0
    timeouts: Timeouts = field(default_factory=Timeouts)
    spent: float = 0.0
    share: bool = False
    """Whether a hundred tries show that one backend of five is still gone."""

    def ask(self, client, asks):
        lossy = self.spent < self.spoilt
        answers = Answers()
        for one in asks:
            answers[one.key] = [Answer(0, "ab"[n % 2]) for n in range(one.times)]
            if one.key == "hold" and lossy:
                answers[one.key][3] = answers[one.key][7] = LOST
            if one.key == "loss" and self.share:
                answers[one.key][::5] = [LOST] * len(answers[one.key][::5])
        answers.seconds = self.takes
        self.spent += self.takes
        return answers


@pytest.mark.parametrize(
    ("after_change", "spoilt", "good", "series"),
    [
        (False, 5, False, 1),  # nothing changed: what is lost is lost
        (True, 5, True, 3),  # the proxies were late; a hundred tries more say that now they are not
        (True, 1000, False, 4),  # and this is no lateness: KubeProxyEndpointLagTimeout is 30 s
    ],
)
def test_losses_right_after_a_change_are_asked_again(after_change, spoilt, good, series):
    """Only until the proxies must have followed."""
    asked = Asked(spoilt)
    leg = Observer(asked, TurnedClock()).leg(CLIENT, TARGET, "service_routed", after_change=after_change)
    assert (leg.judgement.good, asked.spent) == (good, series * asked.takes)


def test_a_short_series_that_is_well_by_luck_is_not_enough():
    """After a spoilt series the next good one is asked a hundred times more."""
    asked = Asked(5, share=True)
    leg = Observer(asked, TurnedClock()).leg(CLIENT, TARGET, "service_routed", after_change=True)
    assert (leg.judgement.good, leg.judgement.lost) == (False, 20)
