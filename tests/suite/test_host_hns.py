"""Rules of HNS under judgement: whose doing it is that policies of others come or go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Checks
from op_readiness.observe.judging import Try, judge
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.subjects.host_process.hns import HnsRules, _restless, _words
from op_readiness.suite.subjects.host_process.policy_owners import OWNER, Served, changes, served
from op_readiness.suite.subjects.host_process.running import Ended

NODE = NodeFact("win-1", "windows", "10.0.20348")
POD = {"metadata": {"name": "hns", "namespace": "n"}}


OTHERS, MINE = "10.96.0.10:53", "10.96.0.77:80"
BOTH = {"Service kube-system/kube-dns": Served(frozenset({OTHERS, ":30053"}), "1"),
        "Service n/ends": Served(frozenset({MINE}), "1")}  # fmt: skip
ENDS_CHANGED = {**BOTH, "Service n/ends": Served(frozenset({MINE}), "2")}


def said(*ids: str, ours: tuple[str, ...] = (), error: str = "") -> dict[str, Any]:
    """Ids that begin with d are kube-dns's, with m those of the Service of ours; the others are nobody's."""
    fronts = {"d": OTHERS, "m": MINE, "p": ":30053"}
    lists = [{"id": id, "fronts": [fronts[id[0]]] if id[0] in fronts else []} for id in ids]
    return {"win-1": (Ended(NODE, POD, 0, "exit code 0"), {"lists": lists, "ours": list(ours), "error": error})}


def judged(before: dict[str, Any], after: dict[str, Any], now: dict[str, Served] = BOTH) -> tuple[list[str], Checks]:
    nothing: Any = SimpleNamespace()
    checks = Checks(Recorder())
    unclear = HnsRules(nothing, nothing, [])._judge_others(before, after, checks, BOTH, now)
    return unclear, checks


@pytest.mark.parametrize(("before", "after", "words"), [
    (("d1", "m1"), ("d1",), "1 went: m1 (10.96.0.77:80)"),
    (("d1",), ("d1", "c"), "1 came: c (no port)"),
    (("p1", "d1"), ("p2", "d1"), "1 went: p1 (:30053); 1 came: p2 (:30053)"),
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
    """An error of the list is a statement of its own."""
    assert judged(said("a"), said(error="HNS is not there"))[0] == []


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
