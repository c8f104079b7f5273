"""What the readiness tests of Core.Storage are given."""

import pytest

from op_readiness.suite.subjects.host_process.running import HostProcess
from op_readiness.suite.subjects.reboot.all_nodes import AllNodes
from op_readiness.suite.subjects.storage.config_volumes import ConfigVolumes
from op_readiness.suite.subjects.storage.downward import Downward
from op_readiness.suite.subjects.storage.held_recreation import HeldRecreation
from op_readiness.suite.subjects.storage.host_folders import HostFolders
from op_readiness.suite.subjects.storage.host_paths import HostPaths
from op_readiness.suite.subjects.storage.mount_modes import MountModes
from op_readiness.suite.subjects.storage.mounting import Mounting
from op_readiness.suite.subjects.storage.shared_files import SharedFiles
from op_readiness.suite.subjects.storage.subpaths import SubPaths
from op_readiness.suite.subjects.storage.tokens import TokenRotation


@pytest.fixture
def mounting(workshop, asker):
    """Makes Pods whose volumes are judged."""
    return Mounting(workshop, asker)


@pytest.fixture
def host_folders(mounting, windows_nodes):
    """A folder on each Windows Node, not made yet."""
    return HostFolders(mounting, windows_nodes)


@pytest.fixture
def host_paths(host_folders):
    """Pods that have a folder of their Node as a volume."""
    return HostPaths(host_folders)


@pytest.fixture
def config_volumes(mounting, windows_nodes):
    """Pods with volumes of ConfigMap and Secret on each Windows Node, Running."""
    made = ConfigVolumes(mounting, windows_nodes)
    made.start()
    return made


@pytest.fixture
def shared_files(host_folders):
    """Three containers and three Pods on each Windows Node, Running."""
    made = SharedFiles(host_folders)
    made.start()
    return made


@pytest.fixture
def token_rotation(mounting, windows_nodes):
    """Pods that call the API with a token of ten minutes on each Windows Node, Running."""
    made = TokenRotation(mounting, windows_nodes)
    made.start()
    return made


@pytest.fixture
def held_recreation(workshop, reach, clients, windows_nodes, asker):
    """A Service to be made again, answering, in front of Pods that hold a volume and a token."""
    made = HeldRecreation(workshop, reach, clients, windows_nodes, asker=asker)
    made.start()
    return made


@pytest.fixture
def mount_modes(host_folders):
    """Pods that may read and Pods that may write, with both kinds of volumes on each Windows Node, Running."""
    made = MountModes(host_folders)
    made.start()
    return made


@pytest.fixture
def sub_paths(host_folders):
    """A Pod with many subPath mounts on each Windows Node, Running."""
    made = SubPaths(host_folders)
    made.start()
    return made


@pytest.fixture
def downward(mounting, windows_nodes):
    """A Pod that is told of itself on each Windows Node, Running."""
    made = Downward(mounting, windows_nodes)
    made.start()
    return made


@pytest.fixture
def all_nodes(workshop, windows_nodes, reach, asker, facts):
    """A Pod on each Windows Node, behind a Service that a Linux Pod asks all the time."""
    made = AllNodes(HostProcess(workshop, windows_nodes), reach, asker, facts.usable_nodes("linux"))
    made.start()
    return made
