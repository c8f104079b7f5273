"""HostProcess Pods under judgement: which Nodes can have them, and how a Pod that did not run is read."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.host_process.admission import Admission
from op_readiness.suite.subjects.host_process.basics import has_address, has_sid, named, names_of
from op_readiness.suite.subjects.host_process.network import ApiAccess, Binding
from op_readiness.suite.subjects.host_process.rights import PrivilegedApis, Termination
from op_readiness.suite.subjects.host_process.running import (
    BINDS,
    FIRST_RUNTIME,
    SOURCE,
    Ended,
    HostProcess,
    _state,
    runtime_version,
)


def node(name: str, runtime: str, **labels: str) -> NodeFact:
    return NodeFact(name, "windows", "10.0.20348", runtime=runtime, labels=labels)


def judged(*nodes: NodeFact) -> tuple[HostProcess, Recorder]:
    recorder = Recorder()
    workshop: Any = SimpleNamespace(recorder=recorder)
    return HostProcess(workshop, list(nodes)), recorder


@pytest.mark.parametrize(("runtime", "version"), [
    ("containerd://1.6.33", (1, 6)), ("containerd://v2.1.0", (2, 1)), ("containerd://1.7.27+azure", (1, 7)),
    ("docker://20.10", None), ("", None),
])  # fmt: skip
def test_the_version_of_containerd_is_read(runtime, version):
    """Another runtime has none, and is asked all the same."""
    assert runtime_version(node("w", runtime)) == version


def test_nodes_whose_runtime_is_too_old_are_left_out_with_the_reason():
    """The others are asked."""
    pods, recorder = judged(node("old", "containerd://1.5.9"), node("new", "containerd://1.7.27"))
    assert [one.name for one in pods.only("HostProcess", FIRST_RUNTIME, SOURCE, pods.selected)] == ["new"]
    assert [(part.outcome, part.target_node) for part in recorder.parts] == [("skipped", "old")]
    assert "need containerd 1.6 or later, old has containerd://1.5.9" in recorder.parts[0].reason


def test_where_no_node_can_have_them_nothing_applies():
    """A typed skip, with the source that says so."""
    pods, _ = judged(node("old", "containerd://1.6.33"))
    with pytest.raises(NotApplicable, match=r"containerd 1\.7 or later"):
        pods.only("binds", BINDS, SOURCE, pods.selected)


def test_a_node_may_be_named_by_dns_and_its_host_by_the_first_label():
    """The label kubernetes.io/hostname counts too."""
    named = node("Win-1.example.com", "", **{"kubernetes.io/hostname": "WIN-1"})
    assert names_of(named) == {"win-1", "win-1.example.com"}


def test_sids_and_addresses_are_found_as_a_whole():
    """S-1-5-18 is not S-1-5-181, 10.0.0.1 is not 10.0.0.11."""
    assert has_sid("x S-1-5-18\r\n", "S-1-5-18") and not has_sid("S-1-5-181", "S-1-5-18")
    assert has_address("IPv4: 10.0.0.1(Preferred)", "10.0.0.1") and not has_address("10.0.0.11", "10.0.0.1")


def test_a_container_that_did_not_start_has_no_exit_code_of_its_own():
    """Its reason and message are what is seen; an init container that failed is named."""
    refused = {"terminated": {"exitCode": 128, "reason": "StartError", "message": "no token"}}
    assert _state({"status": {"containerStatuses": [{"name": "main", "state": refused}]}}) == (
        "main StartError no token", None,
    )  # fmt: skip
    failed = [{"name": "first", "state": {"terminated": {"exitCode": 3}}}]
    assert _state({"status": {"initContainerStatuses": failed}}) == ("first: exit code 3", None)
    ended = [{"name": "main", "state": {"terminated": {"exitCode": 7}}}]
    assert _state({"status": {"containerStatuses": ended}}) == ("exit code 7", 7)


POD = {"metadata": {"namespace": "opr-1", "name": "account-0"}}
ME = '{"status": {"userInfo": {"username": "system:serviceaccount:opr-1:default"}}}'
NOBODY = '{"status": {"userInfo": {"username": "system:anonymous"}}}'


class Said(HostProcess):
    """HostProcess Pods of one Node that have ended with a given output."""

    text = ""

    def run(self, name, manifest):
        manifest(self.nodes[0])
        return [Ended(self.nodes[0], POD, 0, "exit code 0", self.text)]

    def pod(self, name, node, command, **fields):
        self.line = command[-1]
        return {"metadata": {"name": name}, "spec": {"containers": [{}]}}

    def create(self, manifests):
        """Nothing is made."""


def said(text: str) -> Said:
    cluster = SimpleNamespace(raw=lambda path: None, post=lambda *args, **kinds: None)
    workshop: Any = SimpleNamespace(
        recorder=Recorder(), namespace="opr-1", labels={}, cluster=cluster, create=lambda manifest: manifest,
        pods_up=lambda names, until_ready: [], pods_away=lambda pods: None,
    )  # fmt: skip
    pods = Said(workshop, [], [node("w", "containerd://1.7.27")])
    pods.text = text
    return pods


def callers(wrong: str, none: str, known: str = ME) -> Said:
    return said(f"opr-caller-wrong\n{wrong}\nopr-caller-none\n{none}\nopr-caller-known\n{known}")


def refusal(code: int) -> str:
    return f'{{"kind": "Status", "code": {code}}}'


@pytest.mark.parametrize("none", [refusal(401), refusal(403), NOBODY])
def test_an_unknown_caller_is_refused(none):
    """401 or 403; some old clusters tell everybody that he is nobody."""
    pods = callers(refusal(401), none)
    ApiAccess(pods).must_be_known()
    assert [part.outcome for part in pods.workshop.recorder.parts] == ["passed"] * 3


@pytest.mark.parametrize(("wrong", "none"), [
    (ME, refusal(403)), (refusal(401), ME), (NOBODY, refusal(403)), (refusal(201), refusal(403)),
])  # fmt: skip
def test_a_stranger_who_is_let_in_is_a_finding(wrong, none):
    """With a wrong token or with none; it names the Node."""
    with pytest.raises(AbilityNotMet) as raised:
        ApiAccess(callers(wrong, none)).must_be_known()
    (finding,) = raised.value.findings
    assert finding.nodes == ("w",) and "401 or 403" in finding.expected


def test_a_refusal_that_did_not_come_is_no_refusal():
    """No answer to the stranger cannot be judged."""
    with pytest.raises(CouldNotTell):
        ApiAccess(callers(refusal(401), "curl: (28) timed out")).must_be_known()


def test_without_the_twin_a_refusal_shows_nothing():
    """Where the mounted token is refused too, that alone is the finding."""
    pods = callers(refusal(401), refusal(403), refusal(401))
    with pytest.raises(AbilityNotMet, match="not known"):
        ApiAccess(pods).must_be_known()
    assert [part.outcome for part in pods.workshop.recorder.parts] == ["failed", "skipped", "skipped"]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_process_of_a_tree_is_judged(which):
    """One that is not seen before cannot be judged; one that lives on is named, whichever it is."""
    pods = said("")
    tree = Termination(pods)
    (what, alive), others = list(tree.programs.items())[which], list(tree.programs.values())
    pods.text = "\n".join(name for name in others if name != alive) + "\nservices.exe"
    with pytest.raises(CouldNotTell, match=what):
        tree.trees_must_grow()
    pods.text = f"{alive}  5004 Services\nservices.exe  812 Services"
    with pytest.raises(AbilityNotMet) as raised:
        tree.trees_must_end()
    (finding,) = raised.value.findings
    assert finding.nodes == ("w",) and f"{what}: {alive}" in finding.seen and finding.seen.count("opr-") == 1


def test_a_list_of_processes_that_lists_nothing_shows_no_end():
    """services.exe stands in every list; without it nobody has looked, and what lives on is named all the same."""
    pods = said("services.exe  812 Services")
    tree = Termination(pods)
    tree.trees_must_end()
    pods.text = "ERROR: The RPC server is unavailable.\nlooked"
    with pytest.raises(CouldNotTell, match="not listed"):
        tree.trees_must_end()
    pods.text = f"{next(iter(tree.programs.values()))}  5004 Services"
    with pytest.raises(AbilityNotMet):
        tree.trees_must_end()


RENAMED = NodeFact("gke-win-pool-4f7a", "windows", "10.0.20348", internal_ips=("10.0.0.7",))
WHO = "25094ACS0901\n   IPv4 Address. . . : 10.0.0.7(Preferred)\nnt authority\\system S-1-5-18\n"


def printed(text: str, pod: str = "address-0") -> Ended:
    return Ended(RENAMED, {"metadata": {"namespace": "opr-1", "name": pod}}, 0, "exit code 0", text)


def test_the_windows_of_a_node_may_have_another_name():
    """Where the same run shows SYSTEM and the Node's address; and the name is told."""
    check = named(printed(WHO), "host name of", RENAMED.internal_ips)
    assert check.good and check.target == "Node gke-win-pool-4f7a, whose Windows is 25094acs0901"


@pytest.mark.parametrize("ended", [
    printed(WHO, "25094acs0901"), printed(WHO.replace("S-1-5-18", "S-1-5-93-2-1")), printed(""),
    printed(WHO.replace("10.0.0.7", "10.0.0.8")), replace(printed(WHO), code=None),
])  # fmt: skip
def test_another_name_without_what_a_host_process_has_is_none(ended):
    """The Pod's own name, another user, no address of the Node, or nothing at all."""
    assert not named(ended, "host name of", RENAMED.internal_ips).good


def binding(name: str) -> Binding:
    """The port's answer to the Node itself and to a Pod there; the Windows of the Node calls itself 25094acs0901."""
    pods = said(f"{WHO}opr-port\n{name}")
    pods.nodes = [RENAMED]
    client = Client.at("ns", "windows-0", RENAMED)
    asker: Any = SimpleNamespace(ask=lambda client, asks: {ask.key: [Answer(0, name)] for ask in asks})
    return Binding(pods, asker, [client], [])


def test_a_port_answers_by_the_name_of_its_windows():
    """Which may be another one than its Node's."""
    binding("25094acs0901").must_answer()
    with pytest.raises(AbilityNotMet, match="does not answer") as raised:
        binding("listens-0").must_answer()
    assert "listens-0" in raised.value.findings[0].seen


def test_a_closed_port_beside_another_that_is_not_met_shows_nothing():
    """The same program must reach the one that stays open."""
    subject = binding("")
    subject.listeners = []
    subject.asker = SimpleNamespace(ask=lambda client, asks: {ask.key: [Answer(7, "TIMEOUT")] for ask in asks})
    with pytest.raises(CouldNotTell, match="stay open"):
        subject.must_close()


def calls(**changed: str) -> dict[str, dict[str, str]]:
    given = {"user": "S-1-5-93-2-2", "build": "20348", "services": "", "compute": "0", "key": ""} | changed
    return {name: {"value": value, "error": "", "missing": ""} for name, value in given.items()}


def privileged(ordinary: dict[str, dict[str, str]], removed: dict[str, dict[str, str]]) -> PrivilegedApis:
    """What the ordinary Pod and the HostProcess Pod that removes the key said."""
    pods = said("")
    pods.workshop.script_pod = lambda name, *rest: {"metadata": {"name": name}}  # type: ignore[method-assign]
    pods.workshop.context = SimpleNamespace(run_id="abc")  # type: ignore[assignment]
    subject = PrivilegedApis(pods)
    answers = {"look": calls(key=subject.nonce), "remove": removed}
    pods.run = lambda name, manifest: [  # type: ignore[method-assign]
        Ended(pods.nodes[0], POD, 0, "exit code 0", json.dumps(ordinary))
    ]
    subject._asked = lambda act: [  # type: ignore[method-assign]
        Ended(pods.nodes[0], POD, 0, "exit code 0", json.dumps(answers[act]))
    ]
    return subject


def test_a_key_whose_removal_is_refused_is_not_gone():
    """Its value is empty then too, beside the error."""
    privileged(calls(), calls()).must_be_closed_to_containers()
    refused = calls()
    refused["key"]["error"] = "Requested registry access is not allowed."
    with pytest.raises(AbilityNotMet) as raised:
        privileged(calls(), refused).must_be_closed_to_containers()
    assert "registry access is not allowed" in raised.value.findings[0].seen
    with pytest.raises(AbilityNotMet):
        privileged(calls(), {}).must_be_closed_to_containers()


@pytest.mark.parametrize("blind", [{"user": ""}, {"build": ""}])
def test_an_ordinary_pod_that_cannot_look_sees_nothing_and_shows_nothing(blind):
    """It must tell its own user and read its own registry."""
    with pytest.raises(CouldNotTell, match="cannot be compared"):
        privileged(calls(**blind), calls()).must_be_closed_to_containers()


def test_what_the_api_server_takes_is_said_of_the_api_server():
    """No Node is accused of it."""
    answers = iter(["201 taken", "201 taken", "422 ", "422 ", "403 ", "201 taken"])
    workshop: Any = SimpleNamespace(new_namespace=lambda level: level)
    admission = Admission(workshop, node("w", ""), Recorder())
    admission._pod = lambda namespace: {  # type: ignore[method-assign]
        "spec": {"hostNetwork": True, "securityContext": {}, "containers": [{"name": "main"}]},
    }  # fmt: skip
    admission._answer = lambda pod: next(answers)  # type: ignore[method-assign]
    with pytest.raises(AbilityNotMet) as raised:
        admission.must_refuse()
    assert {(one.where.partition(":")[0], one.nodes) for one in raised.value.findings} == {("API server", ())}
