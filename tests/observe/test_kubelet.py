"""What a kubelet answers, and what is no answer: never a figure, always with the Node's name."""

from __future__ import annotations

from typing import Any

import pytest

from op_readiness.cluster.api import ProxyAnswer
from op_readiness.cluster.errors import ApiUnavailable, Call
from op_readiness.model.errors import CouldNotTell, NotTested
from op_readiness.model.facts import NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.kubelet import Kubelets, container_figures, given, pod_figures
from op_readiness.observe.recorder import Recorder

NODE = NodeFact("win-1", "windows", "10.0.20348", kubelet="v1.37.2", boot_id="21")


class Proxy:
    """Gives the same answer, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def node_proxy(self, node: str, path: str, *, read: float | None = None) -> ProxyAnswer:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def kubelets(answer: Any) -> Kubelets:
    return Kubelets(Proxy(answer), Timeouts(), Recorder())  # type: ignore[arg-type]


def test_a_configuration_is_read_and_the_node_has_answered():
    """The proof names Node, build, boot and question."""
    asked = kubelets(ProxyAnswer(200, '{"kubeletconfig": {"maxPods": 110}}'))
    assert asked.configuration(NODE) == {"maxPods": 110}
    asked.configuration(NODE)
    assert [one["node"] for one in asked.recorder.node_answers] == ["win-1"]
    assert asked.recorder.node_answers[0]["answer"].startswith("GET /configz: 200")


@pytest.mark.parametrize(
    "answer",
    [
        ProxyAnswer(500, "runtime is broken"),
        ProxyAnswer(200, "no JSON"),
        ProxyAnswer(200, "{}"),
        ProxyAnswer(503, "error trying to reach service", from_api_server=True),
        ApiUnavailable(Call("get", "nodes/proxy", "", "win-1"), message="timed out"),
    ],
)
def test_anything_else_is_no_answer_and_names_the_node(answer):
    """A status, a text, an API server that has no way there, silence."""
    with pytest.raises(CouldNotTell) as caught:
        kubelets(answer).configuration(NODE)
    assert caught.value.findings[0].nodes == ("win-1",)


def test_a_missing_right_is_no_fault_of_the_node():
    """403 of the API server."""
    with pytest.raises(NotTested, match="nodes/proxy"):
        kubelets(ProxyAnswer(403, "nodes is forbidden", from_api_server=True)).summary(NODE)


def test_metrics_with_and_without_labels():
    """Comments and time stamps are left out."""
    text = '# HELP a b\na{pod="p",namespace="n"} 12 1700000000000\nresource_scrape_error 0\n'
    assert kubelets(ProxyAnswer(200, text)).metrics(NODE, "metrics/resource") == [
        ("a", {"pod": "p", "namespace": "n"}, 12.0), ("resource_scrape_error", {}, 0.0)
    ]  # fmt: skip


def test_figures_of_a_pod_and_what_is_none():
    """Missing anywhere on the way, and 0, are no figure."""
    pod = {"podRef": {"name": "p", "namespace": "n"}, "containers": [{"name": "main", "cpu": {"usageNanoCores": 0}}]}
    one = container_figures(pod_figures({"pods": [pod]}, "n", "p"))
    assert one is not None
    assert given(lambda: one["cpu"]["usageNanoCores"]) is None
    assert given(lambda: one["memory"]["usageBytes"]) is None
    assert given(lambda: 5) == 5.0
    assert container_figures(pod_figures({"pods": [pod]}, "n", "other")) is None
