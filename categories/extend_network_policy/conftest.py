"""What the readiness tests of Extend.NetworkPolicy are given."""

import pytest

from op_readiness.observe.reachability import Reachability
from op_readiness.suite.subjects.network_policy.policed import Policed


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
