"""What readiness tests are given: the run's standing clients, a workshop of their own, and ways to observe."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.kubelet import Kubelets
from op_readiness.observe.reach import Reach
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Asker, Client
from op_readiness.observe.traffic import Observer
from op_readiness.suite.context import RunContext
from op_readiness.suite.making import Workshop

THREADS = 8
"""Calls of one test at a time; many parallel execs block a Windows Node's runtime (kubernetes/kubernetes#124700)."""
NO_LINUX = "no Linux Node takes Pods"


@pytest.fixture(scope="session")
def context(request: pytest.FixtureRequest) -> RunContext:
    """The run."""
    from op_readiness.suite.plugin import context_of

    return context_of(request.config)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The cluster under test."""
    from op_readiness.suite.plugin import cluster_of

    return cluster_of(request.config)


@pytest.fixture(scope="session")
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for answers."""
    with ThreadPoolExecutor(THREADS, "observe") as pool:
        yield pool


@pytest.fixture(scope="session")
def facts(context: RunContext) -> Facts:
    """What was known before the first test."""
    return context.facts


@pytest.fixture(scope="session")
def timeouts(context: RunContext) -> Timeouts:
    """Deadlines by name."""
    return context.timeouts


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Recorder:
    """Where this test's parts, witnesses and notes are kept."""
    from op_readiness.suite.plugin import RECORDER

    return request.node.stash[RECORDER]  # type: ignore[no-any-return]


@pytest.fixture
def workshop(
    cluster: Cluster,
    context: RunContext,
    recorder: Recorder,
    threads: ThreadPoolExecutor,
    request: pytest.FixtureRequest,
) -> Iterator[Workshop]:
    """Makes this test's objects, and takes them away."""
    from op_readiness.suite.plugin import NAMESPACES, ability_id

    with ExitStack() as owned:
        yield Workshop(
            cluster, context, ability_id(request.node), recorder, threads, owned, request.node.stash[NAMESPACES]
        )


@pytest.fixture
def asker(cluster: Cluster, timeouts: Timeouts, recorder: Recorder) -> Asker:
    """Asks programs in Pods."""
    return Asker(cluster, timeouts, recorder)


@pytest.fixture
def kubelets(cluster: Cluster, timeouts: Timeouts, recorder: Recorder) -> Kubelets:
    """The kubelets, asked through the API server."""
    return Kubelets(cluster, timeouts, recorder)


@pytest.fixture
def observer(asker: Asker) -> Observer:
    """Observes single legs of traffic."""
    return Observer(asker)


@pytest.fixture
def reach(observer: Observer, recorder: Recorder, threads: ThreadPoolExecutor, context: RunContext) -> Reach:
    """Observes who reaches whom."""
    windows = frozenset(node.name for node in context.facts.nodes if node.os == "windows")
    return Reach(observer, recorder, threads, windows)


@pytest.fixture(scope="session")
def windows_nodes(context: RunContext) -> list[NodeFact]:
    """The selected Windows Nodes."""
    nodes = [context.facts.node(name) for name in context.windows_nodes]
    if not nodes:
        raise NotTested("no Ready, schedulable Windows Node is selected", reason=SkipReason.TOO_FEW_NODES)
    return nodes


@pytest.fixture(scope="session")
def linux_nodes(context: RunContext) -> list[NodeFact]:
    """Up to two Linux Nodes that take Pods."""
    nodes = context.facts.usable_nodes("linux")[:2]
    if not nodes:
        raise NotTested(NO_LINUX, reason=SkipReason.TOO_FEW_NODES)
    return nodes


@pytest.fixture(scope="session")
def windows_clients(context: RunContext, windows_nodes: list[NodeFact]) -> list[Client]:
    """A standing Windows Pod on each selected Windows Node."""
    return _clients(context, windows_nodes)


@pytest.fixture(scope="session")
def linux_clients(context: RunContext, linux_nodes: list[NodeFact]) -> list[Client]:
    """A standing Linux Pod, on the first Linux Node."""
    return _clients(context, linux_nodes[:1])


@pytest.fixture(scope="session")
def standing_linux(context: RunContext) -> list[Client]:
    """The standing Linux client, or none where no Linux Node takes Pods."""
    return _clients(context, context.facts.usable_nodes("linux")[:1])


@pytest.fixture
def clients(windows_clients: list[Client], standing_linux: list[Client], recorder: Recorder) -> list[Client]:
    """Every standing Windows client, and the Linux one; a side that the cluster does not have is a part not tested."""
    missing = [] if standing_linux else [("from Linux", NO_LINUX)]
    missing += [] if len(windows_clients) > 1 else [("between Windows Nodes", "one Windows Node is tested")]
    for path, why in missing:
        recorder.part(Part(path, windows_clients[0].place, "every target", Outcome.SKIPPED, reason=why))
    return [*windows_clients, *standing_linux]


def _clients(context: RunContext, nodes: list[NodeFact]) -> list[Client]:
    standing: dict[str, Any] = {client["node"]: client for client in context.standing.get("clients", [])}
    if lost := [node.name for node in nodes if node.name not in standing]:
        problems = [Finding.from_dict(problem) for problem in context.standing.get("problems", [])]
        raise CouldNotTell(
            *problems or [Finding("No standing client Pod", ", ".join(lost), "one a Node", "none", nodes=tuple(lost))]
        )
    return [
        Client.at(one["namespace"], one["pod"], context.facts.node(one["node"]), one["ip"], one["uid"])
        for one in (standing[node.name] for node in nodes)
    ]
