"""What the readiness tests of Extend.HostProcess are given."""

import pytest

from op_readiness.suite.subjects.host_process.admission import Admission
from op_readiness.suite.subjects.host_process.basics import Basics, InitContainers, Volumes
from op_readiness.suite.subjects.host_process.hns import HnsRules
from op_readiness.suite.subjects.host_process.network import ApiAccess, Binding
from op_readiness.suite.subjects.host_process.rights import PrivilegedApis, Termination
from op_readiness.suite.subjects.host_process.running import HostProcess
from op_readiness.suite.subjects.reboot.rejoin import Rejoin


@pytest.fixture
def pods(workshop, windows_nodes):
    """HostProcess Pods on the Windows Nodes that can have them."""
    made = HostProcess(workshop, windows_nodes)
    made.start()
    return made


@pytest.fixture
def basics(pods):
    """Short HostProcess Pods."""
    return Basics(pods)


@pytest.fixture
def init_containers(pods):
    """HostProcess Pods with an init container."""
    return InitContainers(pods)


@pytest.fixture
def volumes(pods):
    """HostProcess Pods with volumes of each kind."""
    return Volumes(pods)


@pytest.fixture
def api_access(pods):
    """HostProcess Pods with their ServiceAccount's token."""
    return ApiAccess(pods)


@pytest.fixture
def binding(workshop, windows_nodes, asker, windows_clients, standing_linux):
    """HostProcess Pods that listen on a port of each Node."""
    made = Binding(HostProcess(workshop, windows_nodes), asker, windows_clients, standing_linux)
    made.start()
    return made


@pytest.fixture
def hns_rules(workshop, windows_nodes, reach, windows_clients):
    """A Pod on each Node behind a Service, and HostProcess Pods to make rules that lead to it."""
    made = HnsRules(HostProcess(workshop, windows_nodes), reach, windows_clients)
    made.start()
    return made


@pytest.fixture
def privileged_apis(pods):
    """HostProcess Pods and ordinary ones that ask the same."""
    return PrivilegedApis(pods)


@pytest.fixture
def termination(pods):
    """HostProcess Pods with processes below them, and others that look."""
    return Termination(pods)


@pytest.fixture
def admission(workshop, windows_nodes, recorder):
    """The API server, to be asked what it takes."""
    return Admission(workshop, windows_nodes[0], recorder)


@pytest.fixture
def rejoining(workshop, windows_nodes, reach, asker, facts):
    """A Windows Node to be restarted, with Pods on it and on others."""
    made = Rejoin(HostProcess(workshop, windows_nodes), reach, asker, facts.usable_nodes("linux"))
    made.start()
    return made
