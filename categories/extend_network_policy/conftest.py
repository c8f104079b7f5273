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
def begun(workshop, reachability, windows_nodes, linux_control):
    """Makes a subject in the Namespaces that are given, with these Pods on each Windows Node, and starts it."""
    def make(subject, spaces, *, beside=linux_control, **more):
        made = subject(workshop, reachability, windows_nodes, beside, spaces, **more)
        made.start()
        return made

    return make


@pytest.fixture
def two_spaces(begun):
    """Namespaces x (Pods a and b on each Windows Node) and y (a), open to each other."""
    return begun(Policed, {"x": ("a", "b"), "y": ("a",)})


@pytest.fixture
def three_spaces(begun):
    """Namespaces x (Pods a and b on each Windows Node), y and z (a), open to each other."""
    return begun(Policed, {"x": ("a", "b"), "y": ("a",), "z": ("a",)})


@pytest.fixture
def flipped(begun):
    """Namespaces x and y (Pod a of either on each Windows Node) and one policy with two forms, for all of x."""
    return begun(Flipped, {"x": ("a",), "y": ("a",)}, policy=policies.all_or_nobody)


@pytest.fixture
def cross_os(begun, linux_nodes):
    """Pods x/a and y/b on each Windows Node, x/b and y/a on Linux Nodes, open to each other."""
    return begun(CrossOs, {"x": ("a",), "y": ("b",)}, beside=linux_nodes, on_linux={"x": ("b",), "y": ("a",)})


@pytest.fixture
def two_doors(begun):
    """Namespaces x (Pods a and b on each Windows Node) and y (a), with two TCP ports each."""
    return begun(TwoDoors, {"x": ("a", "b"), "y": ("a",)})


@pytest.fixture
def leaving(begun):
    """The same, asked for where the Pods of x may go."""
    return begun(Leaving, {"x": ("a", "b"), "y": ("a",)})
