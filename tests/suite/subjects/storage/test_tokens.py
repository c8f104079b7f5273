"""Tokens of running Pods: renewed, of the same user, good all the while; on a clock turned by hand."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import CouldNotTell
from op_readiness.suite.subjects.storage.held_recreation import CALLING, VALUE, HeldRecreation
from op_readiness.suite.subjects.storage.mounting import ENGLISH
from op_readiness.suite.subjects.storage.tokens import (
    ACCOUNT,
    CALLS,
    GIVE_UP,
    TokenRotation,
    Tokens,
    claims_of,
    token_volume,
)

from .bench import NAMESPACE, NODES, bench, client_on, wrong

USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
POD = "calling-0"


def jwt(end, number=1):
    body = base64.urlsafe_b64encode(json.dumps({"exp": end, "jti": str(number)}).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


OLD, NEW = jwt(600), jwt(1080, 2)


class Life:
    """A Pod whose token changes at `at` seconds; `log` is what it has written by then and before."""

    def __init__(self, at=480, new=NEW, failed=10**9, sends=True):
        self.clock, self.at, self.new, self.failed, self.sends = TurnedClock(), at, new, failed, sends

    def token(self, *_):
        return self.new if self.clock.now() >= self.at else OLD

    def log(self):
        renewed = self.clock.now() >= self.at and self.sends
        hashes = ["one", "two"] if renewed else ["one"]
        lines = [f"authz_header={name}" for name in hashes]
        return "\n".join([*lines, *(["status=failed"] if self.clock.now() >= self.failed else [])])


@pytest.mark.parametrize(
    ("life", "broken", "waited"),
    [
        (Life(), [], 510),
        (Life(at=10**9), ["token file the second token", "tokens sent calls to /healthz"], 1200),
        (Life(new=jwt(500, 3)), ["token file the second token"], 510),
        (Life(new="stranger"), [f"second token {ACCOUNT}", "token file the second token"], 510),
        (Life(sends=False), ["tokens sent calls to /healthz"], 1230),
        (Life(failed=490), ["API access calls to /healthz"], 510),
        (Life(failed=0), ["token file the second token", "tokens sent calls to /healthz",
                             "API access calls to /healthz"], 60),
    ],
)  # fmt: skip
def test_a_second_token_comes_and_is_of_the_same_user(monkeypatch, life, broken, waited):
    """Another end, later; sent by the Pod; no call has failed, with the second one neither: each is a statement."""
    with bench(life.token) as made:
        rotation = TokenRotation(made.mounting, NODES, life.clock, first={POD: (OLD, USER)})
        monkeypatch.setattr(TokenRotation, "_log", lambda self, client: life.log())
        made.cluster.users = {OLD: USER, NEW: USER, jwt(500, 3): USER}
        assert wrong(rotation._watched(client_on(NODES[0], POD))) == broken
        assert life.clock.now() == waited


class Slowly(Life):
    """A Pod whose clock goes so many times slower than ours; it calls every 10 s of its own."""

    def __init__(self, times, at=480):
        super().__init__(at=at * times)
        self.times = times

    def log(self):
        calls = ["authz_header=one"] * int(self.clock.now() / self.times / CALLS)
        return "\n".join([*calls, *(["authz_header=two"] if self.clock.now() >= self.at else [])])


@pytest.mark.parametrize(
    ("life", "broken", "waited"),
    [
        (Slowly(4), [], 1950),
        (Slowly(2, at=10**9), ["token file the second token", "tokens sent calls to /healthz"], 2400),
        (Slowly(1, at=10**9), ["token file the second token", "tokens sent calls to /healthz"], 1200),
    ],
)
def test_twenty_minutes_are_those_of_the_pod(monkeypatch, life, broken, waited):
    """Its own calls count them: a machine that makes a simulated cluster slow makes no token late."""
    with bench(life.token) as made:
        rotation = TokenRotation(made.mounting, NODES, life.clock, first={POD: (OLD, USER)})
        monkeypatch.setattr(TokenRotation, "_log", lambda self, client: life.log())
        made.cluster.users = {OLD: USER, NEW: USER}
        assert wrong(rotation._watched(client_on(NODES[0], POD))) == broken
        assert life.clock.now() == waited


def test_a_clock_that_all_but_stands_still_tells_nothing(monkeypatch):
    """Neither a pass nor a failure."""
    life = Slowly(7, at=10**9)
    with bench(life.token) as made:
        rotation = TokenRotation(made.mounting, NODES, life.clock, first={POD: (OLD, USER)})
        monkeypatch.setattr(TokenRotation, "_log", lambda self, client: life.log())
        with pytest.raises(CouldNotTell, match="too slowly"):
            rotation._watched(client_on(NODES[0], POD))
        assert life.clock.now() == GIVE_UP * 1200


def test_a_first_token_that_is_not_good_is_no_rotation(monkeypatch):
    """Whatever comes after it."""
    life = Life()
    with bench(life.token) as made:
        rotation = TokenRotation(made.mounting, NODES, life.clock, first={POD: ("", "")})
        monkeypatch.setattr(TokenRotation, "_log", lambda self, client: life.log())
        made.cluster.users = {NEW: USER}
        assert wrong(rotation._watched(client_on(NODES[0], POD))) == [f"first token {ACCOUNT}"]


def test_a_token_is_read_and_shown_to_the_api_server():
    """None where there is no file; nobody where the API server refuses it."""
    with bench(lambda *_: (1, "cat: can't open")) as made:
        assert Tokens(made.mounting).read(client_on(NODES[0])) == ""
        made.cluster.users = {OLD: USER}
        assert [Tokens(made.mounting).user_of(token) for token in ("", "bad", OLD)] == ["", "", USER]


def test_claims_of_what_is_no_token_are_empty():
    """Cut, or not JSON."""
    assert [claims_of(text) for text in ("", "a.b", "a.!!.c", "a.W10.c")] == [{}, {}, {}, {}]
    assert claims_of(OLD)["exp"] == 600


def test_the_volume_is_that_of_the_admission_with_a_life_of_its_own():
    """Token, the cluster's certificate and the Namespace."""
    [token, certificate, namespace] = token_volume(life=700)["projected"]["sources"]
    assert token["serviceAccountToken"] == {"path": "token", "expirationSeconds": 700}
    assert (certificate["configMap"]["name"], namespace["downwardAPI"]["items"][0]["path"]) == (
        "kube-root-ca.crt", "namespace",
    )  # fmt: skip


CALL = "calling /healthz\nauthz_header=one\n"


class Calling(dict):
    """Logs of a Pod that calls every ten seconds, of which each wait in it spends five."""

    def __init__(self, calls=1, ends=10**9, tail=""):
        self.calls, self.ends, self.tail, self.waits = calls, ends, tail, 0

    def get(self, *_):
        return CALL * min(self.calls + self.waits // 2, self.ends) + self.tail


@pytest.mark.parametrize(
    ("volume", "user", "log", "broken"),
    [
        (f"{VALUE} ", "default", Calling(), []),
        ((1, ENGLISH), "default", Calling(), ["volume after word"]),
        (VALUE, "other", Calling(), ["token after TokenReview"]),
        (VALUE, "", Calling(), ["token after TokenReview"]),
        (VALUE, "default", Calling(tail="status=failed"), ["API access after calls to /healthz"]),
        (VALUE, "default", Calling(calls=0, ends=0), ["API access after calls to /healthz"]),  # there was never a call
        (VALUE, "default", Calling(ends=1), ["API access after calls to /healthz"]),  # none has come since
        (VALUE, "default", Calling(ends=2), ["API access after calls to /healthz"]),  # one was begun, and it hangs
    ],
)
def test_what_pods_hold_is_asked_after_each_turn_of_their_service(volume, user, log, broken):
    """The volume, the token, and calls to the API, of which one that is begun afterwards has to end well."""

    def tongue(_, command):
        log.waits += command.startswith("sleep")
        return volume if command.startswith("type") else OLD

    with bench(tongue) as made:
        made.cluster.users = {OLD: f"system:serviceaccount:{NAMESPACE}:{user}"} if user else {}
        made.cluster.logged = log
        held = HeldRecreation(made.workshop, None, [], NODES, asker=made.told, clock=TurnedClock())
        assert wrong(held._held(client_on(NODES[0], POD), "after")) == broken
        assert log.waits * CALLS / 2 <= 60


def test_pods_that_lived_through_a_deletion_are_judged_before_they_are_replaced(monkeypatch):
    """Not only those that come after them."""
    judged, old = [], client_on(NODES[0], "again-0-0")

    def replace_pods(held):
        held.holders, held.generation = [client_on(NODES[0], "again-1-0")], held.generation + 1

    monkeypatch.setattr(HeldRecreation, "replace_pods", replace_pods)
    for method in ("_exposed", "_take_away", "_manifest", "must_route"):
        monkeypatch.setattr(HeldRecreation, method, lambda *_, **__: SimpleNamespace(cluster_ip="10.96.0.7"))
    monkeypatch.setattr(
        HeldRecreation, "must_hold", lambda held, when: judged.append((when, [one.pod for one in held.holders]))
    )
    with bench() as made:
        made.workshop.recorder.figure = lambda *_: None
        made.workshop.create = lambda manifest: manifest
        held = HeldRecreation(made.workshop, None, [], NODES, asker=made.told, holders=[old])
        held.turn(new_pods=True)
    assert judged == [("after deletion 1", ["again-0-0"]), ("after cycle 2", ["again-1-0"])]


def test_pods_of_the_service_hold_a_volume_and_a_token_in_two_containers():
    """The second one calls the API with it."""
    with bench() as made:
        pod = HeldRecreation._with_hands_full(made.workshop.echo_pod("again-0", "windows", NODES[0], app="again"))
        assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["held", "token"]
        assert [one["name"] for one in pod["spec"]["containers"]] == ["main", CALLING]
        with pytest.raises(TypeError):
            HeldRecreation(made.workshop, None, [], NODES)._mounting()
