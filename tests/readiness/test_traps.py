"""Where a naive test gives a false verdict: the state of the world that misleads it, and the verdict that is right.

Each trap is a run as a user starts it. Some states are no named fault (a closed lab, a single lost packet), so they are
files beside the test, written as docs/faults.md says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import yaml

from op_readiness.model.abilities import Ability
from op_readiness.model.findings import PodProof, Proof
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.catalogue import load_catalogue
from op_readiness.suite.outcomes import Raised, result_of
from tests.product import run

pytestmark = pytest.mark.cluster
Result = dict[str, Any]
PLANNED = {ability.id for category in load_catalogue(quick=True) for ability in category.abilities if ability.planned}


@dataclass(frozen=True)
class Trap:
    """`misleads` is what a naive test would go by; `steps` is a fault of its own in place of a named one."""

    name: str
    misleads: str
    ability: str
    outcome: str
    fault: str = ""
    steps: tuple[dict[str, Any], ...] = ()
    nodes: str = "windows=2,linux=1"
    says: str = ""
    code: str = ""
    words: tuple[str, ...] = ()
    also: Callable[[Result], bool] = field(default=lambda result: True)


def noted(words: str) -> Callable[[Result], bool]:
    """Whether a note of the result has these words."""
    return lambda result: any(words in text for text in result["notes"]["texts"])


def part_left_out(path: str) -> Callable[[Result], bool]:
    """Whether a part of the result was not judged, and others were."""
    return lambda result: (
        any(part["path"] == path and part["outcome"] == "skipped" and part["reason"] for part in result["parts"])
        and any(part["outcome"] == "passed" for part in result["parts"])
    )


def drop(**key: Any) -> dict[str, Any]:
    """A step that loses every message that fits."""
    return {"state": "ROUTE", "key": key, "point": "lookup", "do": "drop"}


TRAPS = (
    Trap("1 success line beside an error", "nltest ends with 0 and `completed successfully`",
         "ad-gmsa-domain-identity", "failed", "gmsa-no-logon-servers:node=win-1", says="1311"),
    Trap("1 one witness of two", "the trust command fails, and everything that needs the trust works",
         "ad-gmsa-domain-identity", "passed", "gmsa-channel-alone-broken:node=win-1", also=noted("1787")),
    Trap("2 exit code of a look-up", "nslookup ends with 0 though it found nothing",
         "net-dns-external", "failed", "external-names-unanswered:node=win-1"),
    Trap("3 a connection without data", "the TCP connection to the Service opens",
         "net-windows-service-clusterip", "failed", "service-sends-no-data:node=win-1"),
    Trap("4 a HostProcess Pod that is somebody else", "the Pod runs, so it runs as NetworkService",
         "ad-network-service-host-objects", "failed", "host-user-inherited:node=win-1", says="S-1-5-18"),
    Trap("5 nobody reads the folder", "ContainerUser cannot read the folder that is SYSTEM's alone",
         "ad-no-credentials-denied", "error", "volumes-closed-to-container-user:node=win-1", code="twin"),
    Trap("5 nobody reads the share", "without credentials the share cannot be read",
         "ad-no-credentials-denied", "error", "gmsa-credentials-not-set-up:node=win-1"),
    Trap("5 the network to the share is down", "without credentials the share cannot be read",
         "ad-no-credentials-denied", "error", steps=(drop(node="win-1", to_ip="10.240.0.6"),), code="twin"),
    Trap("6 no Pod finds an address", "large Pods stay Pending", "sch-pending-over-time", "error",
         "address-resource-missing"),
    Trap("7 absurd samples of CPU", "one sample is above the limit", "sch-cpu-limit", "passed", "cpu-figures-wrong"),
    Trap("7 samples of nothing", "a sample of zero is under the limit", "sch-cpu-limit", "error",
         "stats-stand-still:node=win-1"),
    Trap("8 the tool's image is missing", "the Pod does not run, so the Node cannot",
         "ad-runasusername-volumes", "error", "image-cannot-be-pulled:node=win-1", says="no match for platform"),
    Trap("9 a boot id that is no number", "the boot id is not one more, so the Node has not restarted",
         "sto-reboot-all-nodes", "passed", "boot-id-is-a-uuid:node=win-1", words=("--disruptive",)),
    Trap("9 old Pods after a restart", "Node and Pods are Ready, and a new Pod works",
         "hp-rejoin-after-reboot", "failed", "endpoints-made-before-the-agent:node=win-1", words=("--disruptive",),
         says="no answer"),
    Trap("9 a Node restarts meanwhile", "its Pods do not compute, so they are held too much", "sch-cpu-limit", "error",
         steps=({"state": "NODE", "key": {"node": "win-1", "component": "node"}, "point": "set", "do": "restart",
                 "when": {"after": {"event": "pod started", "pod": "limited-0"}, "at": "60s", "count": 1}},),
         says="boot id 21 -> 22"),
    Trap("10 probes blocked by a policy", "no Pod is Ready under deny-all, so all is denied as it should be",
         "np-pod-ingress", "failed", "policy-blocks-probes:node=win-1", code="probes-blocked"),
    Trap("11 a closed lab", "a public name is not reached from Windows", "net-dns-external", "passed",
         steps=(drop(to_kind="internet"),), also=part_left_out("outside name")),
    Trap("12 a webhook refuses our Pods", "no Pod comes up, so the Node is not ready",
         "ad-runasnonroot", "error", "admission-refuses-pods", says="validate.kyverno.svc-fail"),
    Trap("13 exec hangs", "no answer came, so the target is not reached",
         "net-windows-to-linux-pod-ip", "error", "exec-never-returns:node=win-1", code="exec"),
    Trap("14 the first look-up comes too early", "a new Pod does not resolve names",
         "net-dns-custom-records", "passed", "dns-late-in-new-pods:seconds=10"),
    Trap("14 and one that comes too late", "names are resolved in the end",
         "net-dns-custom-records", "failed", "dns-late-in-new-pods:seconds=400"),
    Trap("15 what nobody promised", "a bare Pod name is not found", "net-dns-cluster", "passed",
         "short-pod-names-nowhere"),
    Trap("16 a lucky port", "a NodePort answers, if its number is not the Service's own",
         "net-windows-nodeport-from-linux", "failed", "nodeport-equal-to-port-missing:node=win-1"),
    Trap("16 one Pod a Node", "the first Pod of a Node resolves names", "net-dns-custom-records", "failed",
         "second-pod-without-dns:node=win-1"),
    Trap("17 retry until success", "some try succeeds", "net-pod-ip-windows", "failed",
         "square-wave-loss:node=win-1", nodes="windows=3,linux=1"),
    Trap("17 no retry at all", "one packet of two hundred is lost", "net-pod-ip-windows", "passed",
         steps=({**drop(node="win-1", at="out", direction="request", stage="open"), "when": {"every": 200}},)),
)  # fmt: skip


def test_a_pod_of_another_system_proves_nothing():
    """Trap 4: without a selector the Pods run on Linux and `pass`; no Windows Pod answered, so it is an error."""
    linux = PodProof("uid", "space", "pod", "linux-1", "linux", "6.8", "image", "id", "exec", "an answer")
    ability = Ability("net-pod-ip-windows", "Core.Network", "a sentence")
    for pods in ((), (linux,), (replace(linux, os="windows", answer=""),)):
        result = result_of(ability, Raised(), Recorder(), Proof("pods", pods), seconds=1, attempt=1, nodes=["win-1"])
        assert (result.outcome, result.findings[0].code) == ("error", "no-proof")
    proof = Proof("pods", (linux, replace(linux, os="windows")))
    assert result_of(ability, Raised(), Recorder(), proof, seconds=1, attempt=1, nodes=[]).outcome == "passed"


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_what_misleads_does_not(trap, tmp_path):
    """The outcome, the Node that is accused where one is, and the words that tell why."""
    if trap.ability in PLANNED:
        pytest.skip(f"{trap.ability} has no test yet")
    words = ["--provider", "simulated", "--nodes", trap.nodes, "--ability", trap.ability, *trap.words]
    if trap.steps:
        document = {"name": "of-the-test", "title": trap.misleads, "steps": list(trap.steps)}
        (tmp_path / "fault.yaml").write_text(yaml.safe_dump(document))
        words += ["--fault-file", "fault.yaml"]
    else:
        words += ["--fault", trap.fault]
    ran = run(*words, folder=tmp_path)
    result = ran.results[trap.ability]
    assert result["outcome"] == trap.outcome, ran.said
    assert trap.also(result), ran.said
    findings = result["findings"]
    if trap.outcome == "failed" and "node=win-1" in trap.fault:
        assert {node for finding in findings for node in finding["nodes"]} == {"win-1"}, ran.said
    if trap.says:
        assert any(trap.says in finding["seen"] for finding in findings), ran.said
    if trap.code:
        assert {finding["code"] for finding in findings} == {trap.code}, ran.said
    if trap.outcome == "failed":
        assert ran.code == 1 and all(finding["expected"] and finding["seen"] for finding in findings)


HELD = """\
name: held
title: A finalizer that nobody answers holds a run's Pods
report: kubernetes/kubernetes#125187 (2024), kubernetes/kubernetes#60807 (2019)
steps:
  - state: API
    key: {resource: pods, namespace: "opr-*"}
    point: set
    when: {after: {event: pod started, pod: windows-0}, at: 1s, count: 1}
    do: patch
    value: {metadata: {finalizers: [example.com/hold]}}
"""


def test_a_namespace_that_does_not_go_is_a_warning_and_no_failure(tmp_path):
    """Trap 18: the verdict stands; what is left is named with what holds it and with the command that removes it."""
    (tmp_path / "fault.yaml").write_text(HELD)
    words = ("--provider", "simulated", "--nodes", "windows=1,linux=1", "--cleanup-timeout", "4")
    ran = run(*words, "--fault-file", "fault.yaml", "--ability", "net-pod-ip-windows", folder=tmp_path)
    assert (ran.code, ran.results["net-pod-ip-windows"]["outcome"]) == (0, "passed"), ran.said
    left = " ".join(ran.report["leftovers"])
    assert "NamespaceFinalizersRemaining: " in left and "example.com/hold in 1 resource instances" in left, ran.said
    assert "kubectl delete namespaces opr-" in left
