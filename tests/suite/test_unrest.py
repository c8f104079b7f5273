"""Replacements beside which nothing was deleted show nothing of what is promised."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.observe.targets import pod_target
from op_readiness.suite.subjects.concurrent.rescheduling import SERVICES, Rescheduling


def rescheduling(deleted):
    return Rescheduling(SimpleNamespace(namespace="ns"), None, [], None, seconds=[1.0] * 50, deleted=deleted)


@pytest.mark.parametrize("deleted", [0, 9])
def test_a_background_at_rest_is_no_pass(deleted):
    """Whatever kept it: a right that is missing, an API server that answered nothing to it."""
    with pytest.raises(CouldNotTell, match="deletions in the background"):
        rescheduling(deleted)._must_have_been_unrest()


def test_a_background_that_went_on_is_enough():
    """One deletion to five replacements."""
    rescheduling(10)._must_have_been_unrest()


def test_replacements_that_take_more_than_an_hour_are_too_slow():
    """Each within its own limit, and none slower than those before."""
    slow = rescheduling(10)
    slow.workshop.recorder = SimpleNamespace(figure=lambda name, value: None)
    slow.seconds = [80.0] * 45
    slow.every_successor_must_have_answered()
    slow.seconds = [80.0] * 46
    with pytest.raises(AbilityNotMet, match="46 took 3680 s"):
        slow.every_successor_must_have_answered()


def test_what_stays_behind_is_told_without_what_belongs_there():
    """Of either Deployment."""
    pods = [
        {"metadata": {"name": f"restless-{n}", "uid": f"u{n}"}, "spec": {"nodeName": f"win-{n}"}} for n in range(4)
    ]
    finding = rescheduling(10)._stuck(pods, pods[:3])
    assert (finding.where, finding.expected, finding.nodes) == ("restless-3", "3 Pods", ("win-3",))


@pytest.mark.parametrize(("reason", "raised"), [("FailedCreate", CouldNotTell), ("ScalingReplicaSet", AbilityNotMet)])
def test_a_successor_that_the_api_server_refused_is_no_failure_of_nodes(reason, raised):
    """The words of the webhook or quota are told; without any the controller is to blame."""
    refused = "Error creating: exceeded quota: small"
    made = rescheduling(10)
    made.workshop.cluster = SimpleNamespace(list=lambda kind, namespace: [{"reason": reason, "message": refused}])
    made.workshop.context = SimpleNamespace(timeouts=SimpleNamespace(pods_ready=300))
    told = made._none_came("moving", [])
    assert isinstance(told, raised)
    assert (refused in str(told)) == (raised is CouldNotTell)


@pytest.mark.parametrize("clients", [1, 2, 3, 4, 6, 9])
def test_each_client_asks_each_service_in_fifty_replacements(clients):
    """A Node whose proxy is stale for one of the Services is not always asked by another."""
    asked, pod = set(), {"metadata": {"name": "p", "namespace": "ns"}, "status": {"podIP": "10.244.1.2"}}
    pod["spec"] = {"nodeName": "win-1"}
    facts = SimpleNamespace(dns_ip="")
    shop = SimpleNamespace(namespace="ns", context=SimpleNamespace(facts=facts))
    shop.exposed = lambda service, pods: SimpleNamespace(by_cluster_ip=lambda: replace(pod_target(pod), path=service))
    mover = Rescheduling(shop, None, list(range(clients)), None, services={name: name for name in SERVICES}, pod=pod)
    for turn in range(1, 51):
        mover.seconds = [1.0] * turn
        client, target = mover._pairs()[-1]
        asked.add((client, target.path))
    assert len(asked) == clients * len(SERVICES)


def test_at_last_every_client_asks_every_service():
    """What churn has left behind on one Node is there still."""
    asked = []
    reach = SimpleNamespace(every=lambda clients, targets, **how: asked.append((clients, targets, how)))
    shop = SimpleNamespace(exposed=lambda service, pods: SimpleNamespace(by_cluster_ip=lambda: service))
    Rescheduling(shop, reach, ["a", "b"], None, services={n: n for n in SERVICES}).must_route_at_last()
    assert asked == [(["a", "b"], list(SERVICES), {"after_change": True})]
