"""What a connect to a Node's port says, and when silence is only a firewall."""

import pytest

from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Place
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.network.beyond_services import has_affinity
from op_readiness.suite.subjects.network.nodes_and_pods import Met, NodePaths, Try, read


@pytest.mark.parametrize(
    ("answer", "met"),
    [
        (Answer(0, ""), Met.THERE),
        (Answer(1, "REFUSED"), Met.THERE),
        (Answer(1, "OTHER: dial tcp 10.240.0.11:10250: connectex: No connection could be made because the target "
                   "machine actively refused it."), Met.THERE),
        (Answer(1, "TIMEOUT"), Met.SILENCE),
        (Answer(1, "OTHER: dial tcp 10.240.0.11:10250: connectex: A socket operation was attempted to an unreachable "
                   "network."), Met.NO_WAY),
    ],
)  # fmt: skip
def test_a_refusal_came_from_the_node(answer, met):
    """Windows clients say it in the words of error 10061; only silence may be a firewall's."""
    assert read(answer)[0] is met


def closed(**met: Met) -> list[str]:
    node = NodeFact("home", "windows", "10.0.20348")
    tries = [Try(Client("n", name, Place(name)), node, how, "") for name, how in met.items()]
    return [one.client.pod for one in NodePaths._closed(tries)]


def test_a_node_that_answers_no_pod_of_another_node_is_closed():
    """One Pod that gets through shows that no firewall keeps the others out; the Node's own Pods show nothing of it."""
    assert closed(a=Met.SILENCE, b=Met.SILENCE) == ["a", "b"]
    assert closed(a=Met.SILENCE, b=Met.THERE) == []
    assert closed(a=Met.SILENCE, b=Met.NO_WAY) == []
    assert closed(a=Met.SILENCE, home=Met.THERE) == ["a"]
    assert closed(home=Met.SILENCE, a=Met.THERE) == []
    assert closed(home=Met.SILENCE, a=Met.SILENCE) == ["home", "a"]


@pytest.mark.parametrize(
    ("build", "able"), [("10.0.17763", False), ("10.0.20348", True), ("10.0.26100", True), ("", True)]
)
def test_session_affinity_came_with_server_2022(build, able):
    """A build that cannot be read is asked."""
    assert has_affinity(build) is able
