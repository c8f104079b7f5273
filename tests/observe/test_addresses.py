"""Whose loss counts where many Pods of a Node are asked by their addresses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.observe.addresses import Addresses
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Client

NODES = {
    "win-1": NodeFact("win-1", "windows", "10.0.20348"),
    "win-2": NodeFact("win-2", "windows", "10.0.26100"),
    "linux-1": NodeFact("linux-1", "linux", ""),
}
PODS = {
    name: {
        "metadata": {"name": name, "namespace": "ns", "uid": name},
        "spec": {"nodeName": "win-1"},
        "status": {"podIP": f"10.244.1.{number}"},
    }
    for number, name in ((7, "a"), (8, "b"))
}
SILENT, REFUSED, ANOTHER = Answer(28, ""), Answer(7, "connection refused"), Answer(0, "c")


def asked(clients: tuple[str, ...], bad: dict[tuple[str, str], Answer], recorder: Recorder | None = None) -> Recorder:
    """Ask the Pods of win-1 from these Nodes, where (Node, Pod) get `bad`; gives back what was recorded."""

    class Asker:
        def ask(self, client: Client, asks: Any) -> dict[str, list[Answer]]:
            return {one.key: [bad.get((client.place.node, one.key), Answer(0, one.key))] for one in asks}

    recorder = recorder or Recorder()
    with ThreadPoolExecutor(1) as threads:
        cluster, facts = SimpleNamespace(), SimpleNamespace(node=NODES.get)
        addresses = Addresses(cluster, facts, Asker(), recorder, threads)  # type: ignore[arg-type]
        addresses.each_must_answer(
            {"win-1": list(PODS.values())}, [Client.at("ns", f"client-{node}", NODES[node]) for node in clients]
        )
    return recorder


def parts(recorder: Recorder) -> dict[str, tuple[Outcome, str]]:
    """Client's Node -> outcome and reason of its part."""
    return {part.source.node: (part.outcome, part.reason) for part in recorder.parts}


def test_a_way_from_linux_that_is_cut_is_noted_where_windows_clients_of_other_nodes_tell() -> None:
    """C24, C25: all Pods are silent to Linux alone; the part says that it was not judged, as the result passes."""
    lost = {("linux-1", "a"): SILENT, ("linux-1", "b"): SILENT}
    recorder = asked(("win-1", "win-2", "linux-1"), lost)
    why = "linux-1 reaches no Pod on win-1 by its IP: not judged here"
    assert recorder.notes.texts == [why]
    well = (Outcome.PASSED, "")
    assert parts(recorder) == {"win-1": well, "win-2": well, "linux-1": (Outcome.SKIPPED, why)}


@pytest.mark.parametrize("clients", [("linux-1",), ("win-1", "linux-1")])
def test_the_same_fails_where_no_windows_client_of_another_node_asks(clients: tuple[str, ...]) -> None:
    """Only Linux could tell that the Pods do not answer others."""
    recorder = Recorder()
    with pytest.raises(AbilityNotMet):
        asked(clients, {("linux-1", "a"): SILENT, ("linux-1", "b"): SILENT}, recorder)
    assert parts(recorder)["linux-1"] == (Outcome.FAILED, "")


@pytest.mark.parametrize(
    "lost",
    [
        {("linux-1", "a"): SILENT},
        {("linux-1", "a"): REFUSED, ("linux-1", "b"): REFUSED},
        {("linux-1", "a"): ANOTHER, ("linux-1", "b"): SILENT},
        {("win-2", "a"): SILENT},
        {("win-1", "b"): SILENT},
    ],
    ids=["one of two", "refused", "another's name", "windows elsewhere", "its own Node"],
)
def test_what_is_a_matter_of_addresses_fails_whoever_asked(lost: dict[tuple[str, str], Answer]) -> None:
    """One Pod of several, a refusal, another Pod's name, and anything that a Windows client does not get."""
    recorder = Recorder()
    with pytest.raises(AbilityNotMet):
        asked(("win-1", "win-2", "linux-1"), lost, recorder)
    failed = {node for node, (outcome, _) in parts(recorder).items() if outcome is Outcome.FAILED}
    assert (failed, recorder.notes.texts) == ({node for node, _ in lost}, [])


def test_a_way_that_is_not_judged_stays_so_where_windows_clients_lose_something() -> None:
    """It is told among what was seen, and tells whom to accuse."""
    recorder = Recorder()
    lost = {("linux-1", "a"): SILENT, ("linux-1", "b"): SILENT, ("win-2", "a"): ANOTHER}
    with pytest.raises(AbilityNotMet) as raised:
        asked(("win-1", "win-2", "linux-1"), lost, recorder)
    [finding] = raised.value.findings
    assert finding.nodes == ("win-1",) and "from linux-1: 10.244.1.7" in finding.seen
    assert {node: outcome for node, (outcome, _) in parts(recorder).items()} == {
        "win-1": Outcome.PASSED, "win-2": Outcome.FAILED, "linux-1": Outcome.SKIPPED,
    }  # fmt: skip


@pytest.mark.parametrize(("ip", "accused"), [("10.244.1.7", ("win-1",)), ("10.244.1.9", ())])
def test_an_address_that_another_pod_has_accuses_who_gave_it_out_last(ip: str, accused: tuple[str, ...]) -> None:
    """C40: whoever asks it may meet either."""
    other = {
        "metadata": {"name": "old", "namespace": "ns", "uid": "old"},
        "spec": {"nodeName": "win-2"},
        "status": {"podIP": ip, "phase": "Running", "startTime": "2026-01-01T00:00:00Z"},
    }
    new = {**PODS["a"], "status": {"podIP": "10.244.1.7", "startTime": "2026-01-01T00:00:09Z"}}
    cluster = SimpleNamespace(list=lambda kind: [other])
    addresses = Addresses(cluster, None, None, Recorder(), None)  # type: ignore[arg-type]
    if not accused:
        addresses.must_be_nobody_elses([new])
        return
    with pytest.raises(AbilityNotMet) as raised:
        addresses.must_be_nobody_elses([new])
    (finding,) = raised.value.findings
    assert finding.nodes == accused
    assert "10.244.1.7 is the address of Pod ns/old (Node win-2), Pod ns/a (Node win-1)" in finding.seen
