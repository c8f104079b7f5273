"""Traffic that is asked while something is done: each try counts, from the first one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.observe.meanwhile import Meanwhile
from op_readiness.observe.reach import Reach
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Target

CLIENT = Client.at("ns", "client-win-1", NodeFact("win-1", "windows", "10.0.20348"))
TARGET = Target("ClusterIP", "Service ns/sibling", "10.96.0.7", 80, {"a": "win-1", "b": "win-2"})


def watched(names, inside=lambda: None):
    asked = Event()

    def names_during(client, target, tries):
        asked.set()
        return names

    with ThreadPoolExecutor(1) as threads:
        reach = Reach(SimpleNamespace(names_during=names_during), Recorder(), threads, frozenset())
        with Meanwhile(reach, [CLIENT], TARGET).must_not_be_noticed("It is noticed", hint="look"):
            asked.wait(5)
            inside()


@pytest.mark.parametrize("names", [["", "", "a", "b"], ["a", "", "", "b"], ["a", "b", "x", "a"]])
def test_what_is_lost_at_the_beginning_is_lost_too(names):
    """And a stranger answers at no time."""
    with pytest.raises(AbilityNotMet, match="It is noticed") as caught:
        watched(names)
    assert caught.value.findings[0].nodes == ("win-1",)


def test_which_backends_a_short_series_meets_is_chance():
    """All that it says is whether there were answers."""
    watched(["a"] * 5)


def test_what_is_raised_inside_goes_first():
    """It is the reason why it was watched."""

    def fail():
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        watched(["", ""], fail)
