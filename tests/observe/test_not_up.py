"""Pods that run and are not Ready: a cluster's answer only where the kubelet says that its probe failed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.observe.pods import HELD, not_up, still_there

POD = {
    "metadata": {"name": "echo", "namespace": "n", "uid": "u-1"},
    "spec": {
        "nodeName": "win-1",
        "os": {"name": "windows"},
        "containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 8080, "path": "/healthz"}}}],
    },
    "status": {
        "phase": "Running",
        "podIP": "10.244.1.5",
        "containerStatuses": [{"name": "main", "ready": False, "restartCount": 0, "state": {"running": {}}}],
    },
}


class Cluster:
    """Has Events, and Pods that answer an exec with an exit code."""

    def __init__(self, events=(), code=0):
        self.events, self.code, self.lists = events, code, 0

    def list(self, kind, namespace):
        assert (kind, namespace) == ("Event", "n")
        self.lists += 1
        return list(self.events)

    def exec(self, *_, **__):
        return SimpleNamespace(exit_code=self.code)


def event(reason="Unhealthy", message="Readiness probe failed: context deadline exceeded", uid="u-1"):
    about = {"name": "echo", "uid": uid}
    return {"reason": reason, "message": message, "type": "Warning", "involvedObject": about}


def judged(cluster, *pods):
    pods = pods or (POD,)
    return not_up(cluster, "n", frozenset(pod["metadata"]["name"] for pod in pods), pods, until_ready=True, waited=300)


def test_a_probe_that_failed_while_the_pod_answers_itself_is_the_answer():
    """Host to Pod is cut on that Node."""
    error = judged(Cluster([event()]))
    assert isinstance(error, AbilityNotMet)
    assert (error.findings[0].code, error.findings[0].nodes) == ("probes-blocked", ("win-1",))


@pytest.mark.parametrize(
    "cluster",
    [
        Cluster(),
        Cluster([event("Started", "Container started")]),
        Cluster([event(message="Startup probe failed: nobody listens")]),
        Cluster([event(uid="u-0")]),
        Cluster([event()], code=7),
    ],
    ids=["no Event", "only started", "another probe", "a Pod of that name before", "it does not answer itself"],
)
def test_a_pod_that_is_only_late_accuses_nobody(cluster):
    """A busy kubelet that has not asked yet shows the same condition."""
    assert isinstance(judged(cluster), CouldNotTell)


def test_events_are_listed_once_however_many_pods_are_late():
    """A large crowd that is late asks no more of the API server than one Pod."""
    other = {**POD, "metadata": {"name": "other", "namespace": "n", "uid": "u-2"}}
    cluster = Cluster([event(), event(uid="u-2")])
    assert isinstance(judged(cluster, POD, other), AbilityNotMet)
    assert cluster.lists == 1
    assert isinstance(judged(Cluster([event()]), POD, other), CouldNotTell)


def test_pods_that_only_finalizers_keep_accuse_no_node():
    """Who set the finalizer has to take it away; the Node may have done its part."""
    held = {**POD, "metadata": {**POD["metadata"], "name": "held", "finalizers": ["example.com/hold"]}}
    finding = still_there("n", [held], 30)
    assert (finding.code, finding.nodes, finding.where) == (HELD, (), "Pod n/held")
    assert "example.com/hold" in finding.seen
    finding = still_there("n", [held, POD], 30)
    assert (finding.code, finding.nodes, finding.where) == ("", ("win-1",), "Pod n/echo")
    assert finding.seen == "still Terminating"
