"""A Pod that runs where it was not sent to is no test of the Node that it was sent to."""

from __future__ import annotations

from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import pod

NODES = {
    "win-1": NodeFact("win-1", "windows", "10.0.20348", labels={"kubernetes.io/hostname": "host-of-win-1"}),
    "linux-1": NodeFact("linux-1", "linux", ""),
}


def made_on(node: str) -> None:
    """A Pod sent to win-1, of which the API shows that it runs on `node`."""
    cluster = SimpleNamespace(create=dict)
    context = SimpleNamespace(facts=SimpleNamespace(nodes=tuple(NODES.values())))
    workshop = Workshop(cluster, context, "a", None, None, ExitStack())  # type: ignore[arg-type]
    manifest = pod("p", "ns", os="windows", image="i", labels={}, nodes=[], args=[], node=NODES["win-1"])
    made: dict[str, Any] = workshop.create(manifest)
    workshop.must_be_where_sent([{**made, "spec": {"nodeName": node}}])


def test_a_pod_on_its_own_node_is_taken() -> None:
    """By the Node's host name, which may be another than its name."""
    made_on("win-1")


def test_a_pod_on_another_node_shows_nothing() -> None:
    """An error that names the Pod, where it was sent to and where it runs."""
    with pytest.raises(CouldNotTell) as raised:
        made_on("linux-1")
    finding = raised.value.findings[0]
    assert (finding.where, finding.expected, finding.seen) == (
        "Pod ns/p (Node linux-1)", "on host-of-win-1", "on linux-1"
    )  # fmt: skip
