"""HostProcess Pods under judgement: which Nodes can have them, and how a Pod that did not run is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.subjects.host_process.basics import has_address, has_sid, names_of
from op_readiness.suite.subjects.host_process.running import (
    BINDS,
    FIRST_RUNTIME,
    SOURCE,
    HostProcess,
    _state,
    runtime_version,
)


def node(name: str, runtime: str, **labels: str) -> NodeFact:
    return NodeFact(name, "windows", "10.0.20348", runtime=runtime, labels=labels)


def judged(*nodes: NodeFact) -> tuple[HostProcess, Recorder]:
    recorder = Recorder()
    workshop: Any = SimpleNamespace(recorder=recorder)
    return HostProcess(workshop, list(nodes)), recorder


@pytest.mark.parametrize(("runtime", "version"), [
    ("containerd://1.6.33", (1, 6)), ("containerd://v2.1.0", (2, 1)), ("containerd://1.7.27+azure", (1, 7)),
    ("docker://20.10", None), ("", None),
])  # fmt: skip
def test_the_version_of_containerd_is_read(runtime, version):
    """Another runtime has none, and is asked all the same."""
    assert runtime_version(node("w", runtime)) == version


def test_nodes_whose_runtime_is_too_old_are_left_out_with_the_reason():
    """The others are asked."""
    pods, recorder = judged(node("old", "containerd://1.5.9"), node("new", "containerd://1.7.27"))
    assert [one.name for one in pods.only("HostProcess", FIRST_RUNTIME, SOURCE, pods.selected)] == ["new"]
    assert [(part.outcome, part.target_node) for part in recorder.parts] == [("skipped", "old")]
    assert "need containerd 1.6 or later, old has containerd://1.5.9" in recorder.parts[0].reason


def test_where_no_node_can_have_them_nothing_applies():
    """A typed skip, with the source that says so."""
    pods, _ = judged(node("old", "containerd://1.6.33"))
    with pytest.raises(NotApplicable, match=r"containerd 1\.7 or later"):
        pods.only("binds", BINDS, SOURCE, pods.selected)


def test_a_node_may_be_named_by_dns_and_its_host_by_the_first_label():
    """The label kubernetes.io/hostname counts too."""
    named = node("Win-1.example.com", "", **{"kubernetes.io/hostname": "WIN-1"})
    assert names_of(named) == {"win-1", "win-1.example.com"}


def test_sids_and_addresses_are_found_as_a_whole():
    """S-1-5-18 is not S-1-5-181, 10.0.0.1 is not 10.0.0.11."""
    assert has_sid("x S-1-5-18\r\n", "S-1-5-18") and not has_sid("S-1-5-181", "S-1-5-18")
    assert has_address("IPv4: 10.0.0.1(Preferred)", "10.0.0.1") and not has_address("10.0.0.11", "10.0.0.1")


def test_a_container_that_did_not_start_has_no_exit_code_of_its_own():
    """Its reason and message are what is seen; an init container that failed is named."""
    refused = {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no token"}}
    assert _state({"status": {"containerStatuses": [{"name": "main", "state": refused}]}}) == (
        "main StartError no token", None,
    )  # fmt: skip
    failed = [{"name": "first", "state": {"terminated": {"exitCode": 3}}}]
    assert _state({"status": {"initContainerStatuses": failed}}) == ("first: exit code 3", None)
    ended = [{"name": "main", "state": {"terminated": {"exitCode": 7}}}]
    assert _state({"status": {"containerStatuses": ended}}) == ("exit code 7", 7)
