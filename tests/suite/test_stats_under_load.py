"""Figures of ten Pods: each of the timed calls has to tell of all of them, and a quick refusal is no quick answer."""

import json
from types import SimpleNamespace

import pytest

from op_readiness.model.facts import NodeFact
from op_readiness.observe.kubelet import Answered
from op_readiness.suite.subjects.worker.kubelet_figures import StatsUnderLoad

NODE = NodeFact("win-1", "windows", "10.0.20348.1")
MAIN = {"name": "main", "logs": {"availableBytes": 5}}
FIGURES = {
    "podRef": {"namespace": "ns", "name": "crowd-0-0", "uid": "u0"},
    "cpu": {"usageCoreNanoSeconds": 7},
    "memory": {"workingSetBytes": 8},
    "containers": [MAIN],
}


def body(**changed):
    return json.dumps({"pods": [{**FIGURES, **changed}]})


def seen(answer):
    crowd = {"win-1": [{"metadata": {"namespace": "ns", "name": "crowd-0-0", "uid": "u0"}}]}
    shop = SimpleNamespace(namespace="ns")
    return StatsUnderLoad(shop, None, [NODE], crowds=crowd)._answered(NODE, answer)


def test_a_full_answer_has_nothing_wrong():
    """Each Pod with CPU, memory and the logs of its container."""
    assert seen(Answered(200, body(), 0.1)) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answered(500, "Internal Error: failed to list pod stats", 0.01), "500 Internal Error"),
        (Answered(200, "<html>", 0.01), "200 <html>"),
        (Answered(200, body(containers=[]), 0.1), "no containers"),
        (Answered(200, body(containers=[{"name": "main"}]), 0.1), "no logs.availableBytes of main"),
        (Answered(200, body(memory={"workingSetBytes": 0}), 0.1), "no memory.workingSetBytes"),
        (Answered(200, json.dumps({"pods": []}), 0.1), "not listed"),
    ],
)
def test_what_tells_of_no_pod_or_not_all_of_it_is_the_nodes(answer, words):
    """However quickly it came."""
    finding = seen(answer)
    assert words in finding.seen and finding.nodes == ("win-1",)
