"""Pods that Pod Security refuses: a typed skip, however many there are; any other refusal stays what it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.reach import together
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.refusals import without_privileges
from op_readiness.suite.subjects.host_process.running import HostProcess
from op_readiness.suite.subjects.worker.hosts import Hosts

NODES = [NodeFact(name, "windows", "10.0.20348", runtime="containerd://1.7.27") for name in ("win-1", "win-2")]
CLOSED = '403 Forbidden: pods "p" is forbidden: violates PodSecurity "baseline:latest": hostProcess'


def workshop(words: str) -> Any:
    """One that gets these words for each Pod that it makes."""

    def create(_: object) -> object:
        raise CouldNotTell(Finding("The API server did not take an object of ours", "Pod n/p", "201", words))

    def create_all(manifests: list[object]) -> list[object]:
        with ThreadPoolExecutor(2) as threads:
            return together(threads, create, manifests)

    context = SimpleNamespace(images=SimpleNamespace(agnhost="agnhost"), pull_secret="")
    return SimpleNamespace(
        create_all=create_all, context=context, namespace="n", labels={}, level="", note_script=lambda script: None,
        own_namespace=lambda level: "n", recorder=Recorder(),
    )  # fmt: skip


def hosts(words: str) -> None:
    Hosts(workshop(words), NODES).ask("inventory")


def host_process(words: str) -> None:
    pods = HostProcess(workshop(words), NODES)
    pods.start()
    pods.cmd("name", lambda node: "hostname")


@pytest.mark.parametrize("ask", [hosts, host_process])
def test_where_no_privileged_pod_may_be_made_nothing_is_tested(ask):
    """Of all Nodes at once; the reason has the API server's words."""
    with pytest.raises(NotTested, match="requires privileged Pods: 403") as raised:
        ask(CLOSED)
    assert raised.value.reason == SkipReason.MISSING_RIGHT


@pytest.mark.parametrize("ask", [hosts, host_process])
def test_another_refusal_is_no_skip(ask):
    """It cannot be judged."""
    with pytest.raises(CouldNotTell, match="quota"):
        ask("403 Forbidden: exceeded quota")


def test_where_only_some_are_refused_for_it_nothing_is_skipped():
    """The other trouble is to be seen."""
    one, other = (Finding("refused", "Pod", "201", words) for words in (CLOSED, "500"))
    assert without_privileges(CouldNotTell(one, other)) is None
