"""What the readiness tests of Core.Scheduling are given."""

import pytest

from op_readiness.suite.subjects.scheduling.allocatable import Allocatable
from op_readiness.suite.subjects.scheduling.cpu_limit import CpuLimit
from op_readiness.suite.subjects.scheduling.full_node import FullNodes
from op_readiness.suite.subjects.scheduling.memory_limit import MemoryLimit
from op_readiness.suite.subjects.scheduling.os_field import OsField
from op_readiness.suite.subjects.scheduling.pending import Pending
from op_readiness.suite.subjects.scheduling.taints import Taints


@pytest.fixture
def allocatable(cluster, kubelets, recorder, windows_nodes):
    """What each Windows Node offers."""
    return Allocatable(cluster, kubelets, recorder, windows_nodes)


@pytest.fixture
def pending(workshop, windows_nodes):
    """Pods that no Windows Node can take, and small ones."""
    return Pending(workshop, windows_nodes)


@pytest.fixture
def cpu_limit(workshop, kubelets, windows_nodes):
    """On each Windows Node a Pod that may use half a core, and one without a limit; both compute."""
    made = CpuLimit(workshop, kubelets, windows_nodes)
    made.start()
    return made


@pytest.fixture
def memory_limit(workshop, kubelets, asker, windows_nodes, windows_clients):
    """On each Windows Node a Pod that takes memory beyond its limit, and a quiet one."""
    made = MemoryLimit(workshop, kubelets, asker, windows_nodes, windows_clients)
    made.start()
    return made


@pytest.fixture
def full_nodes(workshop, windows_nodes):
    """The Windows Nodes, to be filled where that was asked for."""
    return FullNodes(workshop, windows_nodes)


@pytest.fixture
def os_field(workshop, windows_nodes, facts):
    """Pods of one system, tried, and bound to Nodes of the other."""
    return OsField(workshop, windows_nodes, facts.usable_nodes("linux"))


@pytest.fixture
def taints(workshop, windows_nodes):
    """The taints of the Windows Nodes."""
    return Taints(workshop, windows_nodes)
