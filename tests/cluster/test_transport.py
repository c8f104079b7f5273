"""What a call does when the API server misbehaves."""

from __future__ import annotations

import threading
import time

import pytest

from op_readiness.cluster.errors import ApiRefused, ApiUnavailable, Conflict, Forbidden, Unauthorized
from op_readiness.cluster.transport import Limits

from .hostile import HostileServer, drop, reply, silence, status

PODS = "/api/v1/namespaces/ns/pods"
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "ns", "labels": {"run": "1"}}}
LATE = 'failed calling webhook "v.example.com": Post "https://x": context deadline exceeded'


def test_a_read_is_asked_again_after_500_429_and_a_broken_connection(server, cluster_of, clock):
    """Three different hiccups in a row cost three pauses and no error."""
    server.on(PODS, status(500, "InternalError"), status(429, "TooManyRequests", Retry_After="3"), drop, reply({}))

    assert cluster_of(server).list("Pod", "ns") == []
    assert server.count(PODS) == 4
    assert clock.now() > 3.0


def test_the_time_out_is_not_multiplied_by_hidden_retries(server, cluster_of):
    """A GET that gets no answer is given up after read time-out times the stated tries, and says how many."""
    server.on(PODS, silence)
    began = time.monotonic()

    with pytest.raises(ApiUnavailable, match=r"after 2 tries"):
        cluster_of(server, read=0.2, tries=2).list("Pod", "ns")

    assert time.monotonic() - began < 5.0
    assert server.count(PODS) == 2


def test_a_huge_retry_after_does_not_stop_the_run(server, cluster_of, clock):
    """Retry-After is heeded up to the longest pause."""
    server.on(PODS, status(429, "TooManyRequests", Retry_After="86400"), reply({}))

    cluster_of(server).list("Pod", "ns")

    assert clock.now() <= Limits().longest_pause * 1.01


def test_a_write_without_a_name_is_not_repeated_after_a_500(server, cluster_of):
    """Nobody knows whether it was done, and a second one would be another object."""
    server.on(PODS, status(500, "InternalError", "etcdserver: request timed out"))
    nameless = {**POD, "metadata": {"generateName": "p-", "namespace": "ns"}}

    with pytest.raises(ApiUnavailable, match=r"create pods ns/p-: 500 InternalError: etcdserver"):
        cluster_of(server).create(nameless)

    assert server.count(PODS) == 1


def test_a_json_patch_is_not_repeated_after_a_500(server, cluster_of):
    """An index in a list may mean something else the second time; a merge patch means the same."""
    server.on(PODS + "/p", status(500, "InternalError"))
    cluster = cluster_of(server)

    with pytest.raises(ApiUnavailable):
        cluster.patch("Pod", "p", "ns", [{"op": "remove", "path": "/metadata/labels/a"}], "json")
    assert server.count(PODS + "/p") == 1

    with pytest.raises(ApiUnavailable):
        cluster.patch("Pod", "p", "ns", {"metadata": {"labels": {"a": None}}})
    assert server.count(PODS + "/p") == 1 + 4
    assert server.requests[-1].headers["content-type"] == "application/merge-patch+json"


def test_a_redirect_is_refused_and_named(server, cluster_of):
    """The credentials go nowhere else."""
    server.on(PODS, status(302, "", "", Location="http://127.0.0.1:1/"))

    with pytest.raises(ApiRefused, match=r"list pods ns: 302"):
        cluster_of(server).list("Pod", "ns")


def test_a_webhook_deadline_is_asked_again_and_counted(server, cluster_of):
    """Nothing was stored, so the create is repeated; the count ends up in the report."""
    server.on(PODS, status(500, "InternalError", LATE), status(500, "InternalError", LATE), reply(POD))
    cluster = cluster_of(server)

    assert cluster.create(POD)["metadata"]["name"] == "p"
    assert cluster.take_notes() == [
        "2 calls to the API server had to be repeated: an admission webhook did not answer in time"
    ]
    assert cluster.take_notes() == []


def test_a_create_copes_with_its_own_object_after_an_unknown_outcome(server, cluster_of):
    """The connection broke, or a gateway timed out, after it was stored: AlreadyExists then means ours."""
    server.on(PODS, drop, status(504, "", "upstream"), status(409, "AlreadyExists"))
    server.on(PODS + "/p", reply({**POD, "metadata": {**POD["metadata"], "uid": "u1"}}))

    assert cluster_of(server).create(POD)["metadata"]["uid"] == "u1"


def test_a_create_does_not_take_a_stranger_for_its_own(server, cluster_of):
    """Same name, other labels: the conflict is reported."""
    server.on(PODS, drop, status(409, "AlreadyExists", "exists"))
    server.on(PODS + "/p", reply({**POD, "metadata": {"name": "p", "labels": {"run": "2"}}}))

    with pytest.raises(Conflict):
        cluster_of(server).create(POD)


def test_a_plain_conflict_is_reported(server, cluster_of):
    """AlreadyExists on the first try is nobody's accident."""
    server.on(PODS, status(409, "AlreadyExists", 'pods "p" already exists'))

    with pytest.raises(Conflict) as caught:
        cluster_of(server).create(POD)

    assert caught.value.already_exists
    assert str(caught.value) == 'create pods ns/p: 409 AlreadyExists: pods "p" already exists'


def test_a_refusal_is_not_asked_again(server, cluster_of):
    """403 names verb, resource and the server's words."""
    server.on(PODS, status(403, "Forbidden", "exceeded quota: q"))

    with pytest.raises(Forbidden, match=r"list pods ns: 403 Forbidden: exceeded quota: q"):
        cluster_of(server).list("Pod", "ns")

    assert server.count(PODS) == 1


def test_a_passing_401_is_survived_and_a_lasting_one_is_not(server, cluster_of):
    """A static token is tried once more, then reported as refused."""
    server.on(PODS, status(401, "Unauthorized"), reply({}))
    cluster = cluster_of(server)
    assert cluster.list("Pod", "ns") == []

    server.on(PODS, status(401, "Unauthorized", "Unauthorized"))
    with pytest.raises(Unauthorized):
        cluster.list("Pod", "ns")


def test_nobody_listening_is_retried_also_for_writes(cluster_of, clock):
    """Nothing was sent, so all stated tries are used; the message names the server and the tries."""
    server = HostileServer()
    server.stop()

    with pytest.raises(ApiUnavailable, match=rf"127.0.0.1:{server.port}.*refused.*after 4 tries") as caught:
        cluster_of(server).create(POD)

    assert not caught.value.outcome_unknown
    assert clock.now() > 1.0


def test_delete_again_after_a_lost_answer_counts_as_done(server, cluster_of):
    """Deleting is repeatable: 404 on the second try ends it."""
    server.on(PODS + "/p", drop, status(404, "NotFound"))

    assert cluster_of(server).delete("Pod", "p", "ns") is False


def test_an_answer_that_is_no_json_is_named(server, cluster_of):
    """A captive portal in front of the API server is shown, not swallowed."""
    server.on(PODS, reply(b"<html>Please log in</html>"))

    with pytest.raises(ApiUnavailable, match=r"no JSON.*Please log in"):
        cluster_of(server).list("Pod", "ns")


def test_lists_come_page_by_page_and_once_more_when_a_page_grew_too_old(server, cluster_of):
    """410 between two pages starts over without a limit."""
    first = reply({"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "x"}})
    whole = reply({"items": [{"metadata": {"name": n}} for n in "ab"], "metadata": {"resourceVersion": "7"}})
    server.on(PODS, first, status(410, "Expired"), whole)

    found, version = cluster_of(server).list_with_version("Pod", "ns")

    assert [item["metadata"]["name"] for item in found] == ["a", "b"]
    assert (version, found[0]["kind"], "limit" in server.requests[-1].path) == ("7", "Pod", False)


def test_many_threads_share_one_cluster(tls_server, cluster_of):
    """Parallel calls over TLS all get their own answer."""
    for number in range(8):
        tls_server.on(f"{PODS}/p{number}", reply({"metadata": {"name": f"p{number}"}}))
    cluster = cluster_of(tls_server)
    wrong: list[str] = []

    def ask(number: int) -> None:
        for _ in range(5):
            if cluster.get("Pod", f"p{number}", "ns")["metadata"]["name"] != f"p{number}":
                wrong.append(str(number))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert len(tls_server.requests) == 40
