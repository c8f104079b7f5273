"""What the readiness tests of Core.Concurrent are given."""

from dataclasses import replace

import pytest

from op_readiness.observe.addresses import Addresses
from op_readiness.suite.subjects.concurrent.at_once import AtOnce
from op_readiness.suite.subjects.concurrent.rescheduling import Rescheduling
from op_readiness.suite.subjects.concurrent.ten_pods import TenPods
from op_readiness.suite.subjects.worker.hosts import Hosts
from op_readiness.suite.subjects.worker.kubelet_figures import StatsUnderLoad
from op_readiness.suite.subjects.worker.leftovers import Leftovers


@pytest.fixture
def ten_pods(workshop, reach, windows_nodes):
    """Ten Windows Pods behind a ClusterIP Service, Ready."""
    made = TenPods(workshop, reach, windows_nodes)
    made.start()
    return made


@pytest.fixture
def ten_node_port(workshop, reach, windows_nodes):
    """Ten Windows Pods behind a NodePort Service, Ready."""
    made = TenPods(workshop, reach, windows_nodes, kind="NodePort")
    made.start()
    return made


@pytest.fixture
def ways_in(windows_clients, standing_linux, windows_nodes, facts):
    """Who asks whose NodePort: Linux every Windows Node and one of Linux, Windows Pods the other Windows Nodes."""
    linux = [node for node in facts.nodes if node.os == "linux" and node.ready][:1]
    return [(standing_linux, [*windows_nodes, *linux]), (windows_clients, [*windows_nodes, *linux])]


@pytest.fixture
def at_once(workshop, reach, cluster, facts, asker, recorder, threads, windows_nodes, clients):
    """Ten Pods on each Windows Node, to be started."""
    addresses = Addresses(cluster, facts, asker, recorder, threads)
    return AtOnce(workshop, reach, addresses, windows_nodes, clients)


@pytest.fixture
def leftovers(workshop, windows_nodes):
    """What each Windows Node holds of Pods, seen by HostProcess Pods in a Namespace of their own."""
    return Leftovers(Hosts(replace(workshop, _namespace=""), windows_nodes), went="Pods that were replaced")


@pytest.fixture
def rescheduling(workshop, reach, clients, leftovers):
    """A Deployment of one Windows Pod, Ready, and another that is never at rest."""
    made = Rescheduling(workshop, reach, clients, leftovers)
    made.start()
    return made


@pytest.fixture
def stats_under_load(workshop, kubelets, windows_nodes):
    """Ten Pods on each Windows Node, Running."""
    made = StatsUnderLoad(workshop, kubelets, windows_nodes)
    made.start()
    return made
