"""Rules of HNS under judgement: whose doing it is that policies of others come or go."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import AbilityNotMet, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.observe.checks import Checks
from op_readiness.observe.judging import Try, judge
from op_readiness.observe.meanwhile import _words
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.subjects.host_process import hns
from op_readiness.suite.subjects.host_process.hns import HnsRules, _restless
from op_readiness.suite.subjects.host_process.policy_owners import OWNER, Served, changes, missing, served
from op_readiness.suite.subjects.host_process.running import Ended

NODE = NodeFact("win-1", "windows", "10.0.20348")
POD = {"metadata": {"name": "hns", "namespace": "n"}}


OTHERS, MINE = "10.96.0.10:53", "10.96.0.77:80"
BOTH = {"Service kube-system/kube-dns": Served(frozenset({OTHERS, ":30053"}), "1"),
        "Service n/ends": Served(frozenset({MINE}), "1")}  # fmt: skip
ENDS_CHANGED = {**BOTH, "Service n/ends": Served(frozenset({MINE}), "2")}


def said(*ids: str, ours: tuple[str, ...] = (), error: str = "") -> dict[str, Any]:
    """Ids that begin with d are kube-dns's, with m those of the Service of ours; the others are nobody's."""
    fronts = {"d": f"{OTHERS}/17", "m": f"{MINE}/6", "p": ":30053/17"}
    lists = [{"id": id, "fronts": [fronts[id[0]]] if id[0] in fronts else []} for id in ids]
    return {"win-1": (Ended(NODE, POD, 0, "exit code 0"), {"lists": lists, "ours": list(ours), "error": error})}


def judged(before: dict[str, Any], after: dict[str, Any], now: dict[str, Served] = BOTH) -> tuple[list[str], Checks]:
    nothing: Any = SimpleNamespace()
    checks = Checks(Recorder())
    unclear = HnsRules(nothing, nothing, [])._judge_others(before, after, checks, BOTH, now)
    return unclear, checks


@pytest.mark.parametrize(("before", "after", "words"), [
    (("d1", "m1"), ("d1",), "1 went: m1 (10.96.0.77:80/6)"),
    (("d1",), ("d1", "c"), "1 came: c (no port)"),
    (("p1", "d1"), ("p2", "d1"), "1 went: p1 (:30053/17); 1 came: p2 (:30053/17)"),
])  # fmt: skip
def test_policies_that_go_are_the_abilitys_answer_while_no_service_changes(before, after, words):
    """Also one that came; the Node, the ids and their addresses are named."""
    unclear, checks = judged(said(*before), said(*after))
    assert unclear == []
    with pytest.raises(AbilityNotMet) as failed:
        checks.must_hold("others", code="hns")
    finding = failed.value.findings[0]
    assert finding.nodes == ("win-1",) and words in finding.seen and "ids of before" in finding.expected


def test_policies_of_a_service_that_stayed_accuse_beside_one_that_changed():
    """Else a loss would hide behind any change in the cluster, and the next round would begin after it."""
    for lost in ("d1", "p1"):
        unclear, checks = judged(said("d1", "p1", "m1"), said(*({"d1", "p1", "m1"} - {lost})), ENDS_CHANGED)
        assert (unclear, [check.good for check in checks.taken]) == ([], [False])


def test_policies_that_stay_hold_and_our_own_is_no_others():
    """What of ours stays is told by another statement."""
    unclear, checks = judged(said("d1"), said("d1", "x", ours=("x",)))
    checks.must_hold("others")
    assert (unclear, [check.good for check in checks.taken]) == ([], [True])


@pytest.mark.parametrize("own", ["m1", "x"])
def test_policies_of_a_service_that_changed_and_of_nobody_are_not_judged_beside_it(own):
    """Then everything is done again; at last it is an error that names the Node."""
    unclear, checks = judged(said("d1", own), said("d1"), ENDS_CHANGED)
    assert len(unclear) == 1 and unclear[0].startswith(f"win-1: 1 went: {own}")
    assert [check.good for check in checks.taken] == [True]
    assert _restless(["Service a/b"], unclear).nodes == ("win-1",)


def test_what_hns_did_not_tell_is_not_compared():
    """An error of the list is a statement of its own, see below."""
    assert judged(said("d1"), said(error="HNS is not there"))[0] == []


OURS = {"create": {"created": "x"}, "read": {"lists": ["d1", "w1", "x"], "ours": ["x"]}, "remove": {}}
WEB = {"Service shop/web": Served(frozenset({"10.96.0.99:80"}), "1")}
ROLLED = {"Service shop/web": Served(frozenset({"10.96.0.99:80"}), "2")}


def told(act: dict[str, Any]) -> dict[str, Any]:
    fronts = {"d": f"{OTHERS}/17", "w": "10.96.0.99:80/6"}
    lists = [{"id": id, "fronts": [fronts[id[0]]] if id[0] in fronts else []} for id in act.get("lists", ["d1", "w1"])]
    return {"missing": "", "error": "", "created": "", "ours": [], **act, "lists": lists}


class Pods(SimpleNamespace):
    """HostProcess Pods as far as HnsRules knows them."""

    @property
    def checks(self) -> Checks:
        """A new collection of statements."""
        return Checks(self.recorder)


def managed(
    monkeypatch: pytest.MonkeyPatch, rounds: list[dict[str, dict[str, Any]]], services: list[dict[str, Served]]
) -> Recorder:
    """Rules managed on one Node: what its script says in each round by act, and the Services look by look."""
    recorder, looks = Recorder(), iter(services)
    monkeypatch.setattr(hns, "served", lambda cluster: next(looks))

    def script(name: str, script: str, given: Any) -> list[Ended]:
        act, _, turn = name.removeprefix("hns-").rpartition("-")
        said = told({**OURS, **rounds[int(turn)]}.get(act, {}))
        return [Ended(NODE, POD, 0, "exit code 0", json.dumps(said))]

    timeouts = SimpleNamespace(endpoints_follow=30.0, scale=1.0)
    workshop = SimpleNamespace(
        recorder=recorder, cluster=None, context=SimpleNamespace(timeouts=timeouts), promise=lambda *_: None
    )
    pods: Any = Pods(
        workshop=workshop, nodes=[NODE], script=script, unknown=[], recorder=recorder,
        must_hold=lambda checks, what, **more: checks.must_hold(what, **more),
    )  # fmt: skip
    reach: Any = SimpleNamespace(every=lambda *_, **__: None)
    rules = HnsRules(pods, reach, [], ends={"win-1": "10.244.1.2"}, clock=TurnedClock())
    rules.service = SimpleNamespace(names=frozenset(), by_cluster_ip=lambda: None)
    rules.must_be_managed()
    return recorder


def test_rules_that_come_and_go_beside_policies_that_stay(monkeypatch):
    """One round; every act is a statement."""
    recorder = managed(monkeypatch, [{}], [WEB, WEB])
    assert {part.outcome for part in recorder.parts} == {Outcome.PASSED}


@pytest.mark.parametrize("act", ["list", "read", "after"])
def test_a_list_that_fails_is_no_empty_list(monkeypatch, act):
    """HNS restarted, say: neither is our rule known to be gone, nor are others' known to be there."""
    with pytest.raises(AbilityNotMet) as failed:
        managed(monkeypatch, [{act: {"error": "hns is not running", "lists": []}}], [WEB, WEB])
    assert "hns is not running" in failed.value.findings[0].seen


def test_a_cluster_without_hns_is_not_judged(monkeypatch):
    """Nothing was asked, so that the Service's traffic alone shows nothing of HNS."""
    missing = {act: {"missing": "there is no vmcompute.dll"} for act in ("list", "create", "read", "remove", "after")}
    with pytest.raises(NotApplicable):
        managed(monkeypatch, [missing], [WEB, WEB])


def test_what_went_beside_a_change_has_to_come_again(monkeypatch):
    """The next round begins after the loss; under another id kube-proxy made it anew, else HNS lost it."""
    lost, anew = ["d1"], ["d1", "w2"]
    looks = [WEB, ROLLED, ROLLED, ROLLED, ROLLED]
    managed(monkeypatch, [{"after": {"lists": lost}}, {act: {"lists": anew} for act in ("list", "after")}], looks)
    with pytest.raises(AbilityNotMet) as failed:
        managed(monkeypatch, [{"after": {"lists": lost}}, {act: {"lists": lost} for act in ("list", "after")}], looks)
    assert "not there: 10.96.0.99:80/6" in failed.value.findings[0].seen


def test_a_round_after_a_change_begins_when_services_are_at_rest(monkeypatch):
    """kube-proxy may still be behind the change that spoilt the round before."""
    third = {"Service shop/web": Served(frozenset({"10.96.0.99:80"}), "3")}
    rounds = [{"after": {"lists": ["d1", "w2"]}}, {act: {"lists": ["d1", "w3"]} for act in ("list", "after")}]
    managed(monkeypatch, rounds, [WEB, ROLLED, ROLLED, third, third, third])


def test_only_what_every_node_has_must_come_again():
    """A Service without Ready Pods, or with those of some Nodes only, has load balancers where kube-proxy likes."""
    fronts = ["10.96.0.99:80/6", "10.96.0.99:80/17"]
    assert missing(fronts, {"10.96.0.99:80/17"}, WEB) == ["10.96.0.99:80/6"]
    assert missing(fronts, set(), {"Service shop/web": Served(frozenset({"10.96.0.99:80"}), "1", False)}) == []
    assert missing(fronts, set(), BOTH) == []


def service(name: str, *, node_port: int = 0) -> dict[str, Any]:
    port = {"port": 80, "nodePort": node_port} if node_port else {"port": 80}
    spec = {"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1", "fd00::1"], "ports": [port]}
    status = {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}]}}
    return {"metadata": {"namespace": "a", "name": name}, "spec": spec, "status": status}


def piece(name: str, ready: bool) -> dict[str, Any]:
    meta = {"namespace": "a", "name": f"{name}-1", "labels": {OWNER: name}}
    return {"metadata": meta, "endpoints": [{"addresses": ["10.244.1.2"], "conditions": {"ready": ready}}]}


def test_services_are_known_by_all_their_fronts():
    """Addresses of both families, those outside, and the NodePort at any address."""
    cluster: Any = SimpleNamespace(list=lambda kind: [service("web", node_port=30080)] if kind == "Service" else [])
    fronts = served(cluster)["Service a/web"].fronts
    assert fronts == {"10.96.0.1:80", "fd00::1:80", "198.51.100.7:80", ":30080"}
    headless: Any = SimpleNamespace(list=lambda kind: [
        {"metadata": {"namespace": "a", "name": "none"}, "spec": {"clusterIP": "None"}}] if kind == "Service" else [])
    assert served(headless)["Service a/none"].fronts == frozenset()  # fmt: skip


def test_services_that_every_node_serves():
    """Something Ready is behind them, and their traffic is for all Nodes."""
    def at(ready: bool, **spec: str) -> bool:
        one = service("b")
        one["spec"] |= spec
        cluster: Any = SimpleNamespace(list=lambda kind: [one] if kind == "Service" else [piece("b", ready)])
        return served(cluster)["Service a/b"].everywhere

    assert (at(True), at(False)) == (True, False)
    assert not at(True, externalTrafficPolicy="Local") and not at(True, internalTrafficPolicy="Local")


def test_services_that_changed_are_named():
    """Gone, come, or with other endpoints behind them."""
    def at(*names: str, ready: bool = True) -> dict[str, Served]:
        cluster: Any = SimpleNamespace(
            list=lambda kind: [service(n) for n in names] if kind == "Service" else [piece("b", ready)]
        )
        return served(cluster)

    assert changes(at("a", "b"), at("a", "b")) == []
    assert changes(at("a", "b", "c"), at("a", "b", "d", ready=False)) == [f"Service a/{n}" for n in "bcd"]


def test_a_series_tells_what_it_lost():
    """Whom it happened not to meet does not matter here."""
    tries = [Try(True, "end-0"), Try(False, ""), Try(False, ""), Try(True, "end-0")]
    assert _words(judge(frozenset({"end-0", "end-1"}), tries, [], tries)) == "2 of 4 tries lost, up to 2 in a row"
