"""Whose loss counts where many Pods of a Node are asked by their addresses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
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


def asked(clients: tuple[str, ...], bad: dict[tuple[str, str], Answer]) -> list[str]:
    """Ask the Pods of win-1 from these Nodes, where (Node, Pod) get `bad`; gives the notes back."""

    class Asker:
        def ask(self, client: Client, asks: Any) -> dict[str, list[Answer]]:
            return {one.key: [bad.get((client.place.node, one.key), Answer(0, one.key))] for one in asks}

    recorder = Recorder()
    with ThreadPoolExecutor(1) as threads:
        cluster, facts = SimpleNamespace(), SimpleNamespace(node=NODES.get)
        addresses = Addresses(cluster, facts, Asker(), recorder, threads)  # type: ignore[arg-type]
        addresses.each_must_answer(
            {"win-1": list(PODS.values())}, [Client.at("ns", f"client-{node}", NODES[node]) for node in clients]
        )
    return recorder.notes.texts


def test_a_way_from_linux_that_is_cut_is_noted_where_windows_clients_of_other_nodes_tell() -> None:
    """C24, C25: all Pods are silent to Linux alone."""
    lost = {("linux-1", "a"): SILENT, ("linux-1", "b"): SILENT}
    assert asked(("win-1", "win-2", "linux-1"), lost) == [
        "linux-1 reaches no Pod on win-1 by its IP: not judged here"
    ]  # fmt: skip


@pytest.mark.parametrize("clients", [("linux-1",), ("win-1", "linux-1")])
def test_the_same_fails_where_no_windows_client_of_another_node_asks(clients: tuple[str, ...]) -> None:
    """Only Linux could tell that the Pods do not answer others."""
    with pytest.raises(AbilityNotMet):
        asked(clients, {("linux-1", "a"): SILENT, ("linux-1", "b"): SILENT})


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
    with pytest.raises(AbilityNotMet):
        asked(("win-1", "win-2", "linux-1"), lost)
