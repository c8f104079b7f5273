"""Statements about Pods become parts, and one finding that accuses the Nodes of those that do not hold."""

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.findings import Outcome, Place
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.recorder import Recorder


def check(node, good, seen="x"):
    place = Place(node, "windows", "10.0.20348", "space", f"pod-{node}")
    return Check("user of", place, "main", "y", seen, good, "kubectl exec")


def test_what_does_not_hold_is_one_finding_that_names_its_nodes():
    """The healthy Node is no part of it."""
    checks = Checks(Recorder())
    for one in (check("win-1", True), check("win-2", False, "somebody\nelse")):
        checks.take(one)
    with pytest.raises(AbilityNotMet) as caught:
        checks.must_hold("wrong users", hint="look", code="user")
    finding = caught.value.findings[0]
    assert (finding.nodes, finding.code, finding.command) == (("win-2",), "user", "kubectl exec")
    assert (finding.expected, finding.seen) == ("user of main: y", "win-2: user of main: somebody else")
    assert [part.outcome for part in checks.recorder.parts] == [Outcome.PASSED, Outcome.FAILED]


def test_what_holds_raises_nothing_and_a_long_list_is_cut():
    """Eight lines, and how many more there are."""
    good = Checks(Recorder())
    good.take(check("win-1", True))
    good.must_hold("nothing")
    bad = Checks(Recorder())
    for number in range(12):
        bad.take(check(f"win-{number}", False))
    with pytest.raises(AbilityNotMet) as caught:
        bad.must_hold("many")
    assert caught.value.findings[0].seen.endswith("and 4 more")
