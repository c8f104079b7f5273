"""A cluster as plain dicts: what is asked, and what is made of the answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from op_readiness.cluster.errors import ApiRefused, ApiUnavailable, Invalid, NotFound, Unauthorized

from .hostile import drop, reply, status

NS = "/api/v1/namespaces/ns"


def test_unknown_fields_survive(server, cluster_of):
    """A newer API server's fields are kept as they come."""
    server.on(f"{NS}/pods/p", reply({"metadata": {"name": "p"}, "spec": {"brandNew": 1}}))

    assert cluster_of(server).get("Pod", "p", "ns")["spec"] == {"brandNew": 1}


def test_what_is_not_there_raises_or_is_none(server, cluster_of):
    """`get` raises, `find` gives None."""
    server.on(f"{NS}/pods/p", status(404, "NotFound", 'pods "p" not found'))
    cluster = cluster_of(server)

    assert cluster.find("Pod", "p", "ns") is None
    with pytest.raises(NotFound, match=r'get pods ns/p: 404 NotFound: pods "p" not found'):
        cluster.get("Pod", "p", "ns")


def test_writes_are_validated_strictly(server, cluster_of):
    """A misspelt field of ours is an error; the causes of a 422 are kept."""
    causes = [{"field": "spec.securityContext.fsGroup", "message": "Forbidden: cannot be set for a windows pod"}]
    server.on(f"{NS}/pods", reply({"kind": "Status", "reason": "Invalid", "details": {"causes": causes}}, 422))

    with pytest.raises(Invalid) as caught:
        cluster_of(server).create({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "namespace": "ns"}})

    assert caught.value.details["causes"] == causes
    assert "fieldValidation=Strict" in server.requests[0].path


def test_delete_says_whether_there_was_something(server, cluster_of):
    """Grace, propagation and UID go along; another object of the same name is left alone."""
    server.on(f"{NS}/pods/p", reply({}), status(404, "NotFound"), status(409, "Conflict"))
    cluster = cluster_of(server)

    assert [cluster.delete("Pod", "p", "ns", grace=0, uid="u1") for _ in range(3)] == [True, False, False]
    assert server.requests[0].json == {
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u1"},
    }  # fmt: skip


def test_a_collection_is_deleted_by_label_only(server, cluster_of):
    """Never a whole Namespace's by an empty selector."""
    server.on(f"{NS}/pods", reply({}))
    cluster = cluster_of(server)

    cluster.delete_collection("Pod", "ns", "run=1", grace=0)
    assert "labelSelector=run%3D1" in server.requests[0].path
    with pytest.raises(ValueError, match="label selector"):
        cluster.delete_collection("Pod", "ns", "")


def test_rights_are_asked_with_group_and_subresource(server, cluster_of):
    """`pods/exec` and `deployments.apps` as RBAC spells them."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    server.on(path, reply({"status": {"allowed": True}}), reply({"status": {"allowed": False}}))
    cluster = cluster_of(server)

    assert cluster.can_i("create", "pods/exec", "ns") is True
    assert cluster.can_i("list", "deployments.apps") is False
    asked = [request.json["spec"]["resourceAttributes"] for request in server.requests]
    assert asked == [
        {"verb": "create", "resource": "pods", "namespace": "ns", "subresource": "exec"},
        {"verb": "list", "resource": "deployments", "group": "apps"},
    ]


def test_the_user_is_asked_for_and_may_be_unknown(server, cluster_of):
    """Before 1.28 there is no SelfSubjectReview; refused credentials are no unknown user."""
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    server.on(path, reply({"status": {"userInfo": {"username": "me"}}}), status(404), status(401, "Unauthorized"))
    cluster = cluster_of(server, tries=1)

    assert (cluster.user(), cluster.user()) == ("me", "")
    with pytest.raises(Unauthorized):
        cluster.user()


def test_events_come_oldest_first(server, cluster_of):
    """By series, last or event time, whichever is set."""
    events = [
        {"metadata": {"name": "c"}, "lastTimestamp": "2026-01-01T00:00:03Z"},
        {"metadata": {"name": "a"}, "eventTime": "2026-01-01T00:00:01.000000Z", "lastTimestamp": None},
        {"metadata": {"name": "b"}, "series": {"lastObservedTime": "2026-01-01T00:00:02Z"}, "eventTime": "2025-01-01"},
        {"metadata": {"name": "0", "creationTimestamp": "2026-01-01T00:00:00Z"}},
    ]
    server.on(f"{NS}/events", reply({"items": events}))

    found = cluster_of(server).events("ns", about="p")

    assert [event["metadata"]["name"] for event in found] == ["0", "a", "b", "c"]
    assert "involvedObject.name%3Dp" in server.requests[0].path


def test_a_proxied_answer_keeps_its_status(server, cluster_of):
    """What the Pod said is told from what the API server said in its place."""
    server.on(f"{NS}/pods/p:8080/proxy/hostname", reply(b"win-1"), reply(b"busy", 503),
              status(503, "ServiceUnavailable", "error trying to reach service: dial tcp 10.244.1.5:8080: i/o timeout"),
              drop)  # fmt: skip
    cluster = cluster_of(server)
    seen = [cluster.pod_proxy("p", "ns", "/hostname?x=1", port=8080) for _ in range(3)]

    assert [(a.status, a.body[:5], a.from_api_server) for a in seen] == [
        (200, "win-1", False), (503, "busy", False), (503, "error", True),
    ]  # fmt: skip
    assert server.requests[0].path.endswith("/proxy/hostname?x=1")
    with pytest.raises(ApiUnavailable):
        cluster.pod_proxy("p", "ns", "/hostname", port=8080)
    assert len(server.requests) == 4


def test_logs_are_text_whatever_their_bytes(server, cluster_of):
    """With the options that matter."""
    server.on(f"{NS}/pods/p/log", reply(b"gr\xf6\xdfe\n"))

    assert cluster_of(server).logs("p", "ns", "c", previous=True, tail=5) == "gr\ufffd\ufffde\n"
    assert server.requests[0].path.endswith("/log?container=c&previous=true&tailLines=5")


def test_a_patch_is_of_the_type_asked_for(server, cluster_of):
    """Apply with its field manager."""
    server.on(f"{NS}/pods/p", reply({}))
    cluster = cluster_of(server)
    for kind in ("merge", "strategic", "json", "apply"):
        cluster.patch("Pod", "p", "ns", [] if kind == "json" else {}, kind, force=kind == "apply")

    assert [r.headers["content-type"].split("/")[1].split("-patch")[0] for r in server.requests] == [
        "merge", "strategic-merge", "json", "apply",
    ]  # fmt: skip
    assert "fieldManager=op-readiness&force=true" in server.requests[3].path


def test_a_plain_text_refusal_is_shown(server, cluster_of):
    """Not every 404 is a Status object."""
    server.on("/apis/x", reply(b"404 page not found\n", 404))

    with pytest.raises(ApiRefused, match=r"get /apis/x: 404: 404 page not found"):
        cluster_of(server).raw("/apis/x")


def test_workers_load_little():
    """The client comes with the first call only, and its typed API classes and models never (0.4 s, 20 MB each)."""
    code = (
        "import sys, op_readiness.cluster.api, op_readiness.cluster.watching\n"
        "first = [m for m in sys.modules if m.split('.')[0] in ('kubernetes', 'urllib3', 'yaml', 'websocket')]\n"
        "from kubernetes.client.rest import RESTClientObject\n"
        "from kubernetes.watch.watch import iter_resp_lines\n"
        "later = [m for m in sys.modules if m.startswith(('kubernetes.client.models.v1_', 'kubernetes.client.api.'))]\n"
        "print(first, len(later))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[] 0\n"
