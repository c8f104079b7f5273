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
from op_readiness.suite.subjects.host_process.hns import HnsRules, _changes, _restless, _words
from op_readiness.suite.subjects.host_process.running import Ended

NODE = NodeFact("win-1", "windows", "10.0.20348")
POD = {"metadata": {"name": "hns", "namespace": "n"}}


def said(*ids: str, ours: tuple[str, ...] = (), error: str = "") -> dict[str, Any]:
    return {"win-1": (Ended(NODE, POD, 0, "exit code 0"), {"ids": list(ids), "ours": list(ours), "error": error})}


def judged(before: dict[str, Any], after: dict[str, Any], *, quiet: bool = True) -> tuple[list[str], Checks]:
    nothing: Any = SimpleNamespace()
    checks = Checks(Recorder())
    differing = HnsRules(nothing, nothing, [])._judge_others(before, after, checks, judged=quiet)
    return differing, checks


def test_policies_that_go_are_the_abilitys_answer_while_no_service_changes():
    """Also one that came; the Node and the ids are named."""
    for before, after, words in ((("a", "b"), ("a",), "1 went: b"), (("a",), ("a", "c"), "1 came: c")):
        differing, checks = judged(said(*before), said(*after))
        assert differing == [f"win-1: {words}"]
        with pytest.raises(AbilityNotMet) as failed:
            checks.must_hold("others", code="hns")
        finding = failed.value.findings[0]
        assert finding.nodes == ("win-1",) and words in finding.seen and "ids of before" in finding.expected


def test_policies_that_stay_hold_and_our_own_is_no_others():
    """What of ours stays is told by another statement."""
    differing, checks = judged(said("a"), said("a", "x", ours=("x",)))
    checks.must_hold("others")
    assert (differing, [check.good for check in checks.taken]) == ([], [True])


def test_a_difference_beside_changing_services_is_kept_and_not_judged():
    """Then everything is done again; at last it is an error that names the Node."""
    differing, checks = judged(said("a", "b"), said("a"), quiet=False)
    assert (differing, checks.taken) == (["win-1: 1 went: b"], [])
    assert _restless(["Service a/b"], differing).nodes == ("win-1",)


def test_what_hns_did_not_tell_is_not_compared():
    """An error of the list is a statement of its own."""
    assert judged(said("a"), said(error="HNS is not there"))[0] == []


def test_services_that_changed_are_named():
    """Gone, come, or saying something else."""
    assert _changes({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"}) == ["b", "c", "d"]


def test_a_series_tells_what_it_lost():
    """Whom it happened not to meet does not matter here."""
    tries = [Try(True, "end-0"), Try(False, ""), Try(False, ""), Try(True, "end-0")]
    assert _words(judge(frozenset({"end-0", "end-1"}), tries, [], tries)) == "2 of 4 tries lost, up to 2 in a row"
