"""A Node that restarts while a test runs: what the test says is then no answer."""

from __future__ import annotations

from op_readiness.cluster.errors import ApiUnavailable, Call
from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.findings import Finding
from op_readiness.suite.meanwhile import Restart, as_unknown, boot_ids, restarts

BEFORE = {"win-1": "21", "win-2": "22", "win-3": "23"}


class Listing:
    def __init__(self, answer: object) -> None:
        self.answer = answer

    def list(self, kind: str, labels: str = "") -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_boot_ids_are_read_where_the_api_gives_them():
    """An API server that does not answer leaves the test as it is."""
    node = {"metadata": {"name": "win-1"}, "status": {"nodeInfo": {"bootID": "21"}}}
    assert boot_ids(Listing([node, {"metadata": {"name": "win-2"}}])) == {"win-1": "21", "win-2": ""}
    assert boot_ids(Listing(ApiUnavailable(Call("list", "nodes", "", ""), message="timed out"))) == {}


def test_another_boot_id_of_a_tested_node_is_a_restart():
    """Not where the test has restarted it itself, and not where nothing is known."""
    now = {"win-1": "a73baaf1", "win-2": "23", "win-3": "24", "win-9": "1"}
    assert restarts(BEFORE, now, {"win-2"}, ["win-1", "win-2"]) == {"win-1": Restart("21", "a73baaf1")}
    assert restarts(BEFORE, BEFORE, (), ["win-1"]) == {}
    assert restarts({}, now, (), ["win-1"]) == {} and restarts(BEFORE, {}, (), ["win-1"]) == {}


def test_a_failure_becomes_an_error_that_begins_with_the_restart():
    """What the test had found comes after it."""
    finding = Finding("no answer", "w", "e", "s", nodes=("win-1",))
    seen = {"win-2": Restart("22", "23"), "win-1": Restart("21", "a73baaf1")}
    error = as_unknown(AbilityNotMet(finding), seen)
    assert [one.code for one in error.findings] == ["restarted", ""]
    assert (error.findings[0].nodes, error.findings[1]) == (("win-1", "win-2"), finding)
    assert error.findings[0].seen == "Node win-2: boot id 22 -> 23\nNode win-1: boot id 21 -> a73baaf1"
    assert len(as_unknown(ValueError("x"), seen).findings) == 1
