"""What is left on Nodes: nothing is shown by an HNS that tells of nothing, and VIPs of others are not ours."""

from types import SimpleNamespace

import pytest

from op_readiness.model.errors import CouldNotTell, NotApplicable, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.suite.subjects.worker.leftovers import Leftovers, _why

NODE = NodeFact("win-1", "windows", "10.0.20348")
EMPTY = {"missing": "", "error": "", "endpoints": [], "loadBalancers": 0, "vips": [], "shims": 0}


def pod(ip, **spec):
    return {"spec": {"nodeName": "win-1", **spec}, "status": {"phase": "Running", "podIP": ip}}


def leftovers(said, pods=(), services=()):
    listed = {"Pod": list(pods), "Service": [{"spec": {"clusterIP": one}} for one in services]}
    hosts = SimpleNamespace(
        nodes=[NODE], workshop=SimpleNamespace(cluster=SimpleNamespace(list=lambda kind: listed[kind])),
        ask=lambda script, turn: {"win-1": said}, nothing_may_be_unknown=lambda: None,
    )  # fmt: skip
    return Leftovers(hosts, before={"win-1": EMPTY})


def test_an_error_of_hns_is_no_empty_node():
    """It has said nothing of what it holds."""
    with pytest.raises(CouldNotTell, match="has not been started"):
        leftovers(EMPTY | {"error": "The service has not been started."})._told()


@pytest.mark.parametrize("endpoints", [[], [{"ip": "10.1.0.9", "remote": False}], [{"ip": "10.1.0.2", "remote": True}]])
def test_hns_has_to_tell_of_pods_that_run(endpoints):
    """Strangers and remote endpoints show nothing."""
    said = {"win-1": EMPTY | {"endpoints": endpoints}}
    with pytest.raises(CouldNotTell, match="tells of no Pod"):
        leftovers(EMPTY, [pod("10.1.0.2")])._must_tell_of_what_is_there(said)


def test_a_test_that_has_more_to_ask_goes_on_without():
    """A network that keeps no endpoints in HNS is told of as not looked at, and fails nobody."""
    parts = []
    ours = leftovers(EMPTY, [pod("10.1.0.2")])
    ours.hosts.workshop.recorder = SimpleNamespace(part=parts.append)
    assert not ours.count_where_one_may() and ours.before == {}
    assert [part.reason.partition(": ")[0] for part in parts] == ["not found out"]


def test_one_pod_is_enough_and_pods_of_the_hosts_network_have_no_endpoint():
    """Where nothing else runs nothing can be told of."""
    leftovers(EMPTY, [pod("10.240.0.11", hostNetwork=True)])._must_tell_of_what_is_there({"win-1": EMPTY})
    said = {"win-1": EMPTY | {"endpoints": [{"ip": "10.1.0.2", "remote": False}]}}
    leftovers(EMPTY, [pod("10.1.0.2"), pod("10.1.0.3")])._must_tell_of_what_is_there(said)


def test_a_load_balancer_is_left_while_no_service_has_its_address():
    """A ClusterIP may have been given out again."""
    said = {"win-1": EMPTY | {"vips": ["10.96.0.1", "10.96.7.7"]}}
    ours = leftovers(EMPTY)
    ours.vips = {"10.96.7.7"}
    assert [finding.seen for finding in ours._findings(said)] == ["load balancers for 10.96.7.7"]
    theirs = leftovers(EMPTY, services=["10.96.7.7"])
    theirs.vips = {"10.96.7.7"}
    assert theirs._findings(said) == []


def test_what_was_not_looked_at_is_told_in_the_words_of_skips():
    """A right, a design, or what went wrong."""
    assert _why(NotTested("no", reason=SkipReason.MISSING_RIGHT)).startswith("missing right: ")
    assert _why(NotApplicable("no", source="s")).startswith("not applicable: ")
    assert _why(CouldNotTell(Finding("what", "where", "this", "that"))).startswith("not found out: ")
