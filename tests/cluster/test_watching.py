"""Waiting by watch, against an API server that breaks every promise."""

from __future__ import annotations

import time
from typing import Any

import pytest

from op_readiness.cluster.errors import Forbidden
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.clock import SYSTEM_CLOCK

from .hostile import HostileServer, by_watch, drop, reply, silence, status, watch

PODS = "/api/v1/namespaces/ns/pods"


def pod(phase: str, version: int = 2, uid: str = "u1") -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "ns", "uid": uid, "resourceVersion": str(version)},
            "status": {"phase": phase}}  # fmt: skip


def listing(*pods: dict[str, Any]) -> Any:
    return reply({"items": list(pods), "metadata": {"resourceVersion": "1"}})


def modified(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "MODIFIED", "object": item}


def running(item: Any) -> str | None:
    return item["metadata"]["uid"] if item and item["status"]["phase"] == "Running" else None


def test_the_list_alone_may_be_enough(server, cluster_of):
    """What is already so needs no watch."""
    server.on(PODS, listing(pod("Running")))

    assert wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=5) == "u1"
    assert len(server.requests) == 1
    assert "fieldSelector=metadata.name%3Dp" in server.requests[0].path


def test_an_event_ends_the_wait_and_others_are_shown(server, cluster_of):
    """on_wait sees each state that is not yet good; a bookmark is none."""
    bookmark = {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "9"}}}
    events = watch(modified(pod("Pending", 3)), bookmark, modified(pod("Running", 4)), then=silence)
    server.on(PODS, by_watch([listing(pod("Pending"))], [events]))
    seen: list[str] = []

    wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=5,
             on_wait=lambda item: seen.append(item["metadata"]["resourceVersion"]))  # fmt: skip

    assert seen == ["2", "3"]
    assert "resourceVersion=1" in server.requests[-1].path


@pytest.mark.parametrize("answer", [status(500), status(401), status(429), status(503), drop])
def test_errors_are_backed_off_and_survived(server, cluster_of, clock, answer):
    """Five errors in a row on the watch take seconds, not a burst; then the object is seen."""
    server.on(PODS, by_watch([listing(pod("Pending"))], [answer] * 5 + [watch(modified(pod("Running")))]))

    assert wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=60) == "u1"
    assert clock.now() > 3.0


def test_a_lasting_error_reaches_the_deadline_with_few_requests(server, cluster_of, clock):
    """60 s of 500 cost some twenty tries, and the timeout says what the API server said."""
    server.on(PODS, status(500, "InternalError", "etcd is down"))

    with pytest.raises(WatchTimeout, match=r"Pod ns/p not as wanted within 60 s.*etcd is down") as caught:
        wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=60)

    assert len(server.requests) < 25
    assert caught.value.last is None


def test_a_silent_watch_is_noticed(server, cluster_of):
    """The watch says nothing, but the object has changed: the next list finds it."""
    server.on(PODS, by_watch([listing(pod("Pending")), listing(pod("Running"))], [watch(then=silence)]))

    cluster = cluster_of(server, real_time=SYSTEM_CLOCK)
    assert wait_for(cluster, "Pod", "ns", running, name="p", within=5, silence=0.2) == "u1"


def test_a_quiet_watch_costs_no_pauses(server, cluster_of):
    """Nothing happens for long: each silence is followed by a list at once, not by a growing pause."""
    lists = [listing(pod("Pending"))] * 6 + [listing(pod("Running"))]
    server.on(PODS, by_watch(lists, [watch(then=silence)]))
    began = time.monotonic()

    wait_for(cluster_of(server, real_time=SYSTEM_CLOCK), "Pod", "ns", running, name="p", within=5, silence=0.1)

    assert time.monotonic() - began < 4.0


def test_a_list_that_says_nothing_is_an_error(server, cluster_of, monkeypatch):
    """It is the API server that is silent then, and the timeout says so."""
    monkeypatch.setattr("op_readiness.cluster.watching.LAST_LOOK", 0.1)
    server.on(PODS, silence)

    with pytest.raises(WatchTimeout, match=r"could not be asked.*timed out"):
        wait_for(cluster_of(server, real_time=SYSTEM_CLOCK, read=0.2), "Pod", "ns", running, name="p", within=0.3)


def test_a_watch_that_gives_no_head_is_noticed(server, cluster_of):
    """Not even an HTTP answer comes to the watch."""
    server.on(PODS, by_watch([listing(pod("Pending")), listing(pod("Running"))], [silence]))

    cluster = cluster_of(server, real_time=SYSTEM_CLOCK)
    assert wait_for(cluster, "Pod", "ns", running, name="p", within=5, silence=0.2) == "u1"


def test_the_deadline_takes_a_last_direct_look(server, cluster_of):
    """Silence up to the deadline: the object is looked at once more before no is said."""
    server.on(PODS, by_watch([listing(pod("Pending")), listing(pod("Running"))], [watch(then=silence)]))
    began = time.monotonic()

    cluster = cluster_of(server, real_time=SYSTEM_CLOCK)
    assert wait_for(cluster, "Pod", "ns", running, name="p", within=0.3) == "u1"
    assert time.monotonic() - began < 5.0


def test_the_timeout_carries_the_last_object(server, cluster_of):
    """So that a finding can say what was seen."""
    server.on(PODS, by_watch([listing(pod("Pending"))], [watch(then=silence)]))

    with pytest.raises(WatchTimeout) as caught:
        wait_for(cluster_of(server, real_time=SYSTEM_CLOCK), "Pod", "ns", running, name="p", within=0.3)

    assert caught.value.last["status"]["phase"] == "Pending"
    assert caught.value.error is None


def test_410_as_an_event_or_as_a_status_lists_again(server, cluster_of):
    """faults C142: a Status object among the events is no Pod."""
    gone = watch({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})
    odd = watch({"type": "ADDED", "object": {"kind": "Status", "code": 410, "reason": "Gone"}})
    lists = [listing(pod("Pending"))] * 3 + [listing(pod("Running"))]
    server.on(PODS, by_watch(lists, [gone, odd, status(410, "Expired")]))

    assert wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=5) == "u1"


def test_a_replayed_deletion_of_an_older_object_is_ignored(server, cluster_of):
    """faults C142: DELETED with another UID does not remove the Pod that has the name now."""
    replay = {"type": "DELETED", "object": pod("Failed", uid="u0")}
    server.on(PODS, by_watch([listing(pod("Pending"))], [watch(replay, modified(pod("Running")))]))
    seen: list[Any] = []

    wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=5, on_wait=seen.append)

    assert None not in seen


def test_gone_is_a_condition_too(server, cluster_of):
    """With a name, None stands for no object."""
    server.on(PODS, by_watch([listing(pod("Running"))], [watch({"type": "DELETED", "object": pod("Running")})]))

    assert wait_for(cluster_of(server), "Pod", "ns", lambda item: item is None, name="p", within=5) is True


def test_selectors_give_lists(server, cluster_of):
    """Without a name the condition sees all objects, ordered."""
    other = {**pod("Running"), "metadata": {**pod("Running")["metadata"], "name": "a", "uid": "u2"}}
    server.on(PODS, listing(pod("Running"), other))

    names = wait_for(cluster_of(server), "Pod", "ns", lambda pods: [p["metadata"]["name"] for p in pods],
                     labels="app=x", within=5)  # fmt: skip

    assert names == ["a", "p"]


def test_a_watch_that_ends_at_once_is_no_busy_loop(server, cluster_of):
    """A proxy that ends every watch at once is asked some twenty times in 60 s."""
    server.on(PODS, by_watch([listing(pod("Pending"))], [watch()]))

    with pytest.raises(WatchTimeout):
        wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=60)

    assert len(server.requests) < 50


def test_a_torn_event_is_an_error_of_the_watch(server, cluster_of):
    """Half a line of JSON is backed off like a broken connection."""
    def torn(connection: Any, _: Any) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"type\":\n\r\n")
        connection.close()

    server.on(PODS, by_watch([listing(pod("Pending")), listing(pod("Running"))], [torn]))

    assert wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=5) == "u1"


def test_no_right_is_said_at_once(server, cluster_of):
    """403 does not get better by waiting."""
    server.on(PODS, status(403, "Forbidden", "cannot list pods"))

    with pytest.raises(Forbidden):
        wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=60)


def test_nobody_listening_is_a_timeout_with_the_reason(cluster_of):
    """The API server is gone: the wait ends at its deadline and says so."""
    server = HostileServer()
    server.stop()

    with pytest.raises(WatchTimeout, match=r"could not be asked.*refused"):
        wait_for(cluster_of(server), "Pod", "ns", running, name="p", within=10)
