"""What the readiness tests of Extend.Network are given."""

import pytest

from op_readiness.suite.subjects.network.by_family import MultiPort, NodePorts
from op_readiness.suite.subjects.network.dual_stack import DualStack


@pytest.fixture
def linux_multi_port(workshop, reach, linux_nodes, windows_clients):
    """Linux Pods behind a Service of two named ports, one a family, for Windows clients."""
    made = MultiPort(workshop, reach, "linux", linux_nodes, windows_clients)
    made.start()
    return made


@pytest.fixture
def windows_multi_port(workshop, reach, windows_nodes, linux_clients):
    """Windows Pods behind a Service of two named ports, one a family, for a Linux client."""
    made = MultiPort(workshop, reach, "windows", windows_nodes, linux_clients)
    made.start()
    return made


@pytest.fixture
def linux_node_ports(workshop, reach, linux_nodes, windows_nodes, windows_clients):
    """Linux Pods behind NodePorts, one a family, for Windows clients."""
    made = NodePorts(
        workshop, reach, "linux", linux_nodes, windows_clients, through=[*linux_nodes[:1], *windows_nodes]
    )
    made.start()
    return made


@pytest.fixture
def windows_node_ports(workshop, reach, windows_nodes, linux_nodes, linux_clients):
    """Windows Pods behind NodePorts, one a family, for a Linux client."""
    made = NodePorts(workshop, reach, "windows", windows_nodes, linux_clients, through=[*windows_nodes, *linux_nodes])
    made.start()
    return made


@pytest.fixture
def dual_stack(workshop, reach, windows_nodes, facts, clients):
    """Nodes and Pods of a dual-stack cluster."""
    made = DualStack(workshop, reach, windows_nodes, facts.usable_nodes("linux"), clients)
    made.start()
    return made
