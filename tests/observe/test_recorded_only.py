"""What is recorded and not judged must still be what was seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from op_readiness.model.facts import NodeFact
from op_readiness.observe.reach import Reach
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Target

CLIENT = Client.at("ns", "client-win-1", NodeFact("win-1", "windows", "10.0.20348"))
TARGET = Target("NodePort", "Service ns/echo", "10.240.0.11", 30080, {"a": "win-2"}, node="win-1")


@pytest.mark.parametrize(("name", "count"), [("a", 1), ("", 0)])
def test_a_try_that_nobody_answered_is_no_answer(name, count):
    """A try without an answer has an empty name."""
    recorder = Recorder()
    with ThreadPoolExecutor(1) as threads:
        observer = SimpleNamespace(names_during=lambda client, target, tries: [name])
        Reach(observer, recorder, threads, frozenset()).recorded_only([(CLIENT, TARGET)], "not judged")
    assert list(recorder.notes.figures.values()) == [count]
