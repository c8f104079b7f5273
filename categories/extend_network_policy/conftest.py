"""What the readiness tests of Extend.NetworkPolicy are given."""

import pytest

from op_readiness.observe.reachability import Reachability
from op_readiness.suite.subjects.network_policy.cross_os import CrossOs
from op_readiness.suite.subjects.network_policy.doors import Leaving, TwoDoors
from op_readiness.suite.subjects.network_policy.flipped import Flipped
from op_readiness.suite.subjects.network_policy.policed import Policed
from op_readiness.workloads import policies


@pytest.fixture
def reachability(asker, recorder, threads):
    """Asks whole truth tables."""
    return Reachability(asker, recorder, threads)


@pytest.fixture
def linux_control(facts):
    """The Linux Node on which the same policies are tried, or none."""
    return facts.usable_nodes("linux")[:1]


@pytest.fixture
def two_spaces(workshop, reachability, windows_nodes, linux_control):
    """Namespaces x (Pods a and b on each Windows Node) and y (a), open to each other."""
    made = Policed(workshop, reachability, windows_nodes, linux_control, {"x": ("a", "b"), "y": ("a",)})
    made.start()
    return made


@pytest.fixture
def three_spaces(workshop, reachability, windows_nodes, linux_control):
    """Namespaces x (Pods a and b on each Windows Node), y and z (a), open to each other."""
    made = Policed(workshop, reachability, windows_nodes, linux_control, {"x": ("a", "b"), "y": ("a",), "z": ("a",)})
    made.start()
    return made


@pytest.fixture
def flipped(workshop, reachability, windows_nodes, linux_control):
    """Namespaces x and y (Pod a of either on each Windows Node) and one policy with two forms, for all of x."""
    made = Flipped(
        workshop, reachability, windows_nodes, linux_control, {"x": ("a",), "y": ("a",)},
        policy=policies.all_or_nobody,
    )  # fmt: skip
    made.start()
    return made


@pytest.fixture
def cross_os(workshop, reachability, windows_nodes, linux_nodes):
    """Pods x/a and y/b on each Windows Node, x/b and y/a on Linux Nodes, open to each other."""
    made = CrossOs(
        workshop, reachability, windows_nodes, linux_nodes, {"x": ("a",), "y": ("b",)},
        on_linux={"x": ("b",), "y": ("a",)},
    )  # fmt: skip
    made.start()
    return made


@pytest.fixture
def two_doors(workshop, reachability, windows_nodes, linux_control):
    """Namespaces x (Pods a and b on each Windows Node) and y (a), with two TCP ports each."""
    made = TwoDoors(workshop, reachability, windows_nodes, linux_control, {"x": ("a", "b"), "y": ("a",)})
    made.start()
    return made


@pytest.fixture
def leaving(workshop, reachability, windows_nodes, linux_control):
    """The same, asked for where the Pods of x may go."""
    made = Leaving(workshop, reachability, windows_nodes, linux_control, {"x": ("a", "b"), "y": ("a",)})
    made.start()
    return made
