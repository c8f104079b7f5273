"""Extend.Worker's subjects where a Node says nothing, or too little: it is neither well nor at fault."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.targets import Exposed
from op_readiness.suite.subjects.worker.host_facts import Defender
from op_readiness.suite.subjects.worker.hosts import Hosts
from op_readiness.suite.subjects.worker.node_paths import NodePings, NodePorts

ONE = NodeFact("win-1", "windows", "10.0.20348", internal_ips=("10.0.0.1",))
TWO = NodeFact("win-2", "windows", "10.0.20348", internal_ips=("10.0.0.2",))
SERVICE = {
    "metadata": {"name": "srv-w", "namespace": "n"},
    "spec": {"ports": [{"name": "http", "nodePort": 30080}, {"name": "udp", "nodePort": 30081}]},
}
PODS = tuple({"metadata": {"name": f"srv-w-{n}"}, "spec": {"nodeName": f"win-{n + 1}"}} for n in range(2))


class Asked(Hosts):
    """Nodes of which a script, or a console command, has said what is given; of each console command one turn."""

    def __init__(self, *said: dict[str, Any]) -> None:
        super().__init__(SimpleNamespace(), [ONE, TWO])
        self.said = iter(said)

    def ask(self, script: str, *_: Any, **__: Any) -> dict[str, Any]:
        """By Node."""
        return next(self.said)

    run = ask


SCANS = {"missing": "", "error": "", "service": "Running", "realTime": True, "mode": "Normal", "paths": [],
         "processes": ["containerd.exe"], "containerd": ""}  # fmt: skip
SILENT = {**SCANS, "error": "Provider load failure", "realTime": False, "processes": []}
HIDES = {**SCANS, "processes": ["N/A: Must be an administrator to view exclusions"]}
NONE = {**SCANS, "missing": "there is no service WinDefend", "service": "", "realTime": False, "processes": []}


@pytest.mark.parametrize(
    ("one", "two", "nodes"),
    [(SCANS, SILENT, ["win-2"]), (SILENT, SILENT, ["win-1", "win-2"]), (NONE, SILENT, ["win-2"]),
     (HIDES, SCANS, ["win-1"]), (HIDES, NONE, ["win-1"])],
)  # fmt: skip
def test_defender_that_does_not_tell_is_neither_absent_nor_wrong(one, two, nodes):
    """It runs and answers with an error, or a policy hides its exclusions: of that Node nothing is known."""
    recorder = Recorder()
    with pytest.raises(CouldNotTell) as told:
        Defender(Asked({"win-1": one, "win-2": two}), recorder).must_leave_out_containerd()
    assert [name for finding in told.value.findings for name in finding.nodes] == nodes
    assert not {part.target_node for part in recorder.parts} & set(nodes)


def test_nodes_without_defender_are_left_out_and_others_are_judged_first():
    """Also where another one does not tell; exclusions that are hidden do not matter to one that does not scan."""
    Defender(Asked({"win-1": SCANS, "win-2": NONE}), Recorder()).must_leave_out_containerd()
    Defender(Asked({"win-1": SCANS, "win-2": {**HIDES, "realTime": False}}), Recorder()).must_leave_out_containerd()
    with pytest.raises(NotApplicable):
        Defender(Asked({"win-1": NONE, "win-2": NONE}), Recorder()).must_leave_out_containerd()
    with pytest.raises(AbilityNotMet) as raised:
        Defender(Asked({"win-1": {**SCANS, "processes": []}, "win-2": SILENT}), Recorder()).must_leave_out_containerd()
    assert [finding.nodes for finding in raised.value.findings] == [("win-1",)]


def ports(texts: dict[str, str]) -> tuple[NodePorts, Recorder]:
    """The node ports of two Nodes, each of which printed what is given."""
    facts: Any = SimpleNamespace(usable_nodes=lambda os: [])
    recorder = Recorder()
    return NodePorts(Asked(texts), facts, recorder, [Exposed(SERVICE, PODS)]), recorder


def printed(*words: str) -> str:
    """What win-1 prints of win-2 over TCP and UDP, as far as words are given."""
    keys = ("srv-w-win-1-tcp", "srv-w-win-1-udp", "srv-w-win-2-tcp", "srv-w-win-2-udp")
    return "".join(f"@@ {key} \n{word}" for key, word in zip(keys, words, strict=False))


TCP, UDP, OWN_TCP, OWN_UDP = "srv-w-0\nsrv-w-1\n" * 5, "answered\n" * 10, "srv-w-0\n", "answered\n"
TWOS = printed(TCP, UDP, OWN_TCP, OWN_UDP)


def test_node_ports_are_judged_where_each_try_has_a_word():
    """The own port alone may lack its word, since it is recorded only."""
    for text in (printed(OWN_TCP, OWN_UDP, TCP, UDP), printed("", OWN_UDP, TCP, UDP)):
        found, recorder = ports({"win-1": text, "win-2": TWOS})
        found.must_answer()
        assert [part.outcome for part in recorder.parts] == ["passed"] * 4


@pytest.mark.parametrize(
    ("words", "cut", "parts"),
    [((OWN_TCP,), "/TCP, win-1", 2), ((OWN_TCP, OWN_UDP, TCP), "/UDP", 3),
     ((OWN_TCP, OWN_UDP, TCP[:40], UDP), "/TCP", 3),
     ((OWN_TCP, OWN_UDP, TCP, UDP[:-10]), "/UDP", 3), ((OWN_TCP, OWN_UDP, "lost\n" * 9), "/TCP", 2)],
)  # fmt: skip
def test_an_output_that_ends_early_shows_nothing_of_what_it_lacks(words, cut, parts):
    """As where the Pod died midway: the Node is named, and the ways that are there are parts."""
    found, recorder = ports({"win-1": printed(*words), "win-2": TWOS})
    with pytest.raises(CouldNotTell) as told:
        found.must_answer()
    (finding,) = told.value.findings
    assert finding.nodes == ("win-1",) and cut in finding.seen and len(recorder.parts) == parts


def test_a_node_that_is_known_to_have_said_nothing_is_named_once():
    """With the reason why; what is seen of the others is judged first."""
    found, _ = ports({"win-2": printed("lost\n" * 10, UDP, OWN_TCP, OWN_UDP)})
    with pytest.raises(AbilityNotMet):
        found.must_answer()
    found, _ = ports({"win-2": TWOS})
    found.hosts.unknown.append(Finding("no log", "x", "y", "cut off", nodes=("win-1",)))
    with pytest.raises(CouldNotTell) as told:
        found.must_answer()
    assert [finding.seen for finding in told.value.findings] == ["cut off"]


def test_pings_that_end_early_accuse_nobody():
    """The control comes last: without it nobody knows how many requests were sent."""
    addresses = {"win-1": "10.0.0.1", "win-2": "10.0.0.2"}
    told = {name: {"status": {"addresses": [{"type": "InternalIP", "address": ip}]}} for name, ip in addresses.items()}
    reply = "TTL=128\n" * 4
    for text, good in ((f"@@ win-2 \n{reply}tcp-open\n", True), ("@@ win-2 \n", False), (f"@@ win-2\n{reply}", False)):
        hosts = Asked({"win-1": text, "win-2": f"@@ win-1\n{reply}tcp-open \n"})
        hosts.workshop = SimpleNamespace(cluster=SimpleNamespace(get=lambda kind, name: told[name]))
        pings = NodePings(hosts, SimpleNamespace(nodes=[]), Recorder())
        if good:
            pings.must_come_back()
            continue
        with pytest.raises(CouldNotTell) as raised:
            pings.must_come_back()
        assert [finding.nodes for finding in raised.value.findings] == [("win-1",)]
