"""What the readiness tests of Extend.Worker are given."""

import pytest

from op_readiness.suite.subjects.worker.host_facts import AdminAccess, Defender, Inventory, must_not_be_closed
from op_readiness.suite.subjects.worker.hosts import Hosts
from op_readiness.suite.subjects.worker.kubelet_figures import Metrics
from op_readiness.suite.subjects.worker.leftovers import Leftovers
from op_readiness.suite.subjects.worker.node_logs import NodeLogs
from op_readiness.suite.subjects.worker.node_paths import NodePings, NodePorts


@pytest.fixture
def hosts(workshop, windows_nodes):
    """The Windows Nodes, seen from within by HostProcess Pods."""
    return Hosts(workshop, windows_nodes)


@pytest.fixture
def defender(hosts, recorder):
    """Microsoft Defender on each Windows Node."""
    return Defender(hosts, recorder)


@pytest.fixture
def admin_access(context, hosts, asker, recorder, standing_linux):
    """SSH and RDP of each Windows Node, unless these are closed by design."""
    must_not_be_closed(context.inputs)
    return AdminAccess(hosts, asker, recorder, standing_linux)


@pytest.fixture
def node_pings(hosts, facts, recorder):
    """Each Windows Node, to ping the other Nodes."""
    return NodePings(hosts, facts, recorder)


@pytest.fixture
def node_ports(hosts, facts, recorder):
    """NodePort Services of Windows and Linux Pods, Ready."""
    made = NodePorts(hosts, facts, recorder)
    made.start()
    return made


@pytest.fixture
def inventory(hosts, recorder):
    """What each Windows Node is."""
    return Inventory(hosts, recorder)


@pytest.fixture
def node_logs(kubelets, recorder, windows_nodes, hosts):
    """The logs of each Windows Node, through its kubelet."""
    return NodeLogs(kubelets, recorder, windows_nodes, hosts)


@pytest.fixture
def metrics(workshop, kubelets, windows_nodes):
    """Two Pods on each Windows Node, Running."""
    made = Metrics(workshop, kubelets, windows_nodes)
    made.start()
    return made


@pytest.fixture
def leftovers(hosts):
    """What each Windows Node holds of Pods."""
    return Leftovers(hosts)
