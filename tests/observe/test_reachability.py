"""A truth table that was right once must hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from op_readiness.model.clock import TurnedClock
from op_readiness.model.facts import NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.reachability import Reachability
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Answers, Client
from op_readiness.observe.traffic import Target
from op_readiness.observe.truth import Question

CLIENT = Client.at("x", "a", NodeFact("win-1", "windows", "10.0.20348"))
QUESTION = Question(CLIENT, "x/a", Target("Service IP", "Service x/b", "10.96.0.7", 80, {"b": "win-1"}), "x/b", False)


@dataclass
class Asked:
    """One answer of each question a round, as given."""

    rounds: list[Answer]
    timeouts: Timeouts = field(default_factory=Timeouts)

    def ask(self, client, asks):
        answers = Answers({one.key: [self.rounds.pop(0)] for one in asks if one.key == "0"})
        answers.seconds = 5.0
        return answers


def held(*rounds: Answer) -> list[bool]:
    with ThreadPoolExecutor(2) as threads:
        reach = Reachability(Asked(list(rounds)), Recorder(), threads, TurnedClock())
        return [reply.right for reply in reach.held([QUESTION], at_least=10)[0]]


def test_what_was_denied_must_be_denied_in_every_round():
    """An answer in any round, the first among them, is the one that is reported."""
    silent, open_ = Answer(28, ""), Answer(0, "b")
    assert held(silent, silent) == [True]
    assert held(open_, silent) == [False]
    assert held(silent, open_) == [False]
