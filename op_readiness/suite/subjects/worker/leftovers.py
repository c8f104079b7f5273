"""What Pods and Services leave behind on Nodes: endpoints of the host network service, load balancers, shims.

The counts of a whole Node change with whatever else runs there, so they are only held against the change of its running
Pods; endpoints with addresses that this test's own Pods had, and load balancers of its own Services, are nobody else's.
That HNS tells nothing of what is gone shows something only where it tells of what is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable, NotTested
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.suite.subjects.worker.hosts import Hosts

Object = dict[str, Any]
PODS, LEAST, TOLERANCE = 10, 3, 2
LOOKS, PAUSE = 3, 20.0
"""A Node has a minute to clear up: it is looked at up to three times, this many cluster seconds apart."""
GONE = ("Succeeded", "Failed")
SERVICES = ("left-1", "left-2")


@dataclass
class Leftovers:
    """Each selected Windows Node, before and after Pods came and went there."""

    hosts: Hosts
    clock: Clock = SYSTEM_CLOCK
    went: str = f"{PODS} Pods that went"
    before: dict[str, Object] = field(default_factory=dict)
    running: Counter[str] = field(default_factory=Counter)
    addresses: set[str] = field(default_factory=set)
    vips: set[str] = field(default_factory=set)
    _asked: int = 0
    _shown: bool = False
    """Whether HNS has told of Pods while they were there."""

    def count(self) -> None:
        """What there is before; Nodes whose HNS cannot be asked are left out, raises NotApplicable if all are."""
        told = self._told()
        missing = {name: str(said["missing"]) for name, said in told.items() if said["missing"]}
        if len(missing) == len(self.hosts.nodes):
            why = "; ".join(dict.fromkeys(missing.values()))
            raise NotApplicable(f"HNS cannot be asked: {why}", source="Windows Server with Containers feature")
        for node in (one for one in self.hosts.nodes if one.name in missing):
            part = Part("leftovers", node.place, self.went, Outcome.SKIPPED, node.name, reason=missing[node.name])
            self.hosts.workshop.recorder.part(part)
        self.hosts.nodes = [node for node in self.hosts.nodes if node.name not in missing]
        self.before = {name: said for name, said in told.items() if name not in missing}
        self.running = self._running()

    def count_where_one_may(self) -> bool:
        """The same, for a test that has more to ask: Nodes that cannot be looked into are told of, and not judged."""
        try:
            self.count()
            self._must_tell_of_what_is_there(self.before)
        except (CouldNotTell, NotApplicable, NotTested) as error:
            self.before = {}
            for node in self.hosts.nodes:
                part = Part("leftovers", node.place, self.went, Outcome.SKIPPED, node.name, reason=_why(error))
                self.hosts.workshop.recorder.part(part)
        return bool(self.before)

    def churn(self) -> None:
        """Ten Pods on each Node behind two Services, Running and told of by HNS, then deleted and gone."""
        workshop = self.hosts.workshop
        services = [workshop.create(workshop.service(name, app="crowd")) for name in SERVICES]
        crowds = workshop.crowds(self.hosts.nodes, size=PODS, least=LEAST)
        pods = [pod for crowd in crowds.values() for pod in crowd]
        self.addresses = {pod["status"]["podIP"] for pod in pods}
        self._look_while_there({one["spec"]["clusterIP"] for one in services})
        for name in SERVICES:
            workshop.delete("Service", name)
        workshop.pods_away(pods)

    def _look_while_there(self, vips: set[str]) -> None:
        """Endpoints of the Pods have to be told; load balancers are judged on the Nodes that have them in HNS."""
        for look in range(1, LOOKS + 1):
            there = self._told()
            if look == LOOKS or all(vips <= set(said["vips"]) for said in there.values()):
                break
            self._wait()
        self._must_tell_of_what_is_there(there)
        self._shown = True
        for node in self.hosts.nodes:
            if not vips & set(there[node.name]["vips"]):
                why = "HNS has no load balancer for a new Service: its proxy keeps them elsewhere, or is behind"
                part = Part("leftovers", node.place, "load balancers", Outcome.SKIPPED, node.name, reason=why)
                self.hosts.workshop.recorder.part(part)
        self.vips = vips

    def must_be_none(self) -> None:
        """Nothing with an address of those Pods is left, and nothing grew by more than Pods did."""
        for look in range(1, LOOKS + 1):
            after = self._told()
            if not self._shown:
                self._must_tell_of_what_is_there(after)
            findings = self._findings(after)
            if not findings or look == LOOKS:
                break
            self._wait()
        recorder = self.hosts.workshop.recorder
        for node in self.hosts.nodes:
            bad = any(node.name in finding.nodes for finding in findings)
            outcome = Outcome.FAILED if bad else Outcome.PASSED
            recorder.part(Part("leftovers", node.place, self.went, outcome, node.name))
            for name in ("endpoints", "loadBalancers", "shims"):
                recorder.figure(f"{node.name} {name} before", _number(self.before[node.name][name]))
                recorder.figure(f"{node.name} {name} after", _number(after[node.name][name]))
        if findings:
            raise AbilityNotMet(*findings)

    def _findings(self, after: dict[str, Object]) -> list[Finding]:
        pods, running = self.hosts.workshop.cluster.list("Pod"), self._running()
        used = {pod["status"].get("podIP") for pod in pods if not _over(pod)}
        gone, vips = self.addresses - used, self._vips_gone()
        findings = []
        for node in self.hosts.nodes:
            name, said = node.name, after[node.name]
            own = [one for one in said["endpoints"] if one["ip"] in gone]
            grown = running[name] - self.running[name] + TOLERANCE
            if own:
                local = sorted(one["ip"] for one in own if not one["remote"])
                remote = sorted(one["ip"] for one in own if one["remote"])
                findings.append(_left(name, local, remote))
            elif kept := sorted(vips & set(said["vips"])):
                findings.append(_kept(name, kept))
            elif (shims := said["shims"] - self.before[name]["shims"]) > grown:
                findings.append(_grown(name, "shims of the runtime", shims, grown))
            elif (more := _locals(said) - _locals(self.before[name])) > grown:
                findings.append(_grown(name, "HNS endpoints", more, grown))
        return findings

    def _told(self) -> dict[str, Object]:
        """What HNS and the runtime hold; raises CouldNotTell where HNS answers with an error."""
        self._asked += 1
        told = self.hosts.ask("hns-count", turn=self._asked)
        self.hosts.nothing_may_be_unknown()
        if silent := [_refused(name, said["error"]) for name, said in told.items() if said["error"]]:
            raise CouldNotTell(*silent)
        return told

    def _must_tell_of_what_is_there(self, told: dict[str, Object]) -> None:
        """On each Node the endpoint of some Pod that runs there; else what is not told of shows nothing."""
        pods = [pod for pod in self.hosts.workshop.cluster.list("Pod") if _has_endpoint(pod)]
        blind = []
        for name, said in told.items():
            there = {pod["status"]["podIP"] for pod in pods if pod["spec"].get("nodeName") == name}
            if there and not there & {one["ip"] for one in said["endpoints"] if not one["remote"]}:
                blind.append(_untold(name, len(there)))
        if blind:
            raise CouldNotTell(*blind)

    def _wait(self) -> None:
        self.clock.sleep(PAUSE * self.hosts.workshop.context.timeouts.scale)

    def _vips_gone(self) -> set[str]:
        """Addresses of our own Services that no Service has."""
        if not self.vips:
            return set()
        return self.vips - {one["spec"].get("clusterIP") for one in self.hosts.workshop.cluster.list("Service")}

    def _running(self) -> Counter[str]:
        pods = self.hosts.workshop.cluster.list("Pod")
        return Counter(pod["spec"].get("nodeName", "") for pod in pods if not _over(pod))


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in GONE


def _has_endpoint(pod: Object) -> bool:
    """Whether HNS should have an endpoint of it: it runs, in a network of its own."""
    status = pod.get("status") or {}
    return not pod["spec"].get("hostNetwork") and status.get("phase") == "Running" and bool(status.get("podIP"))


def _why(error: CouldNotTell | NotApplicable | NotTested) -> str:
    """Why nothing was looked at, by the words of a skip where it is one."""
    return f"not found out: {error}" if isinstance(error, CouldNotTell) else f"{error.reason}: {error}"


def _number(value: Any) -> float:
    return float(len(value) if isinstance(value, list) else value)


def _locals(said: Object) -> int:
    return sum(not one["remote"] for one in said["endpoints"])


def _left(node: str, local: Sequence[str], remote: Sequence[str]) -> Finding:
    seen = [f"endpoints with {', '.join(local)}"] if local else []
    seen += [f"remote endpoints with {', '.join(remote)}"] if remote else []
    return Finding(
        "Endpoints of Pods that are gone stay on a Node", f"Node {node}",
        "none with an address of the Pods that were deleted", "; ".join(seen),
        f"on {node}: Get-HnsEndpoint; a Pod that gets such an address next may have no network", (node,), code="leak",
    )  # fmt: skip


def _grown(node: str, what: str, more: int, allowed: int) -> Finding:
    return Finding(
        f"More {what} are left on a Node than Pods came", f"Node {node}", f"at most {allowed} more than before",
        f"{more} more", f"on {node}: Get-HnsEndpoint, Get-Process containerd-shim-runhcs-v1", (node,), code="leak",
    )  # fmt: skip


def _kept(node: str, vips: Sequence[str]) -> Finding:
    return Finding(
        "Load balancers of Services that are gone stay on a Node", f"Node {node}",
        "none for a ClusterIP of the Services that were deleted", f"load balancers for {', '.join(vips)}",
        f"on {node}: Get-HnsPolicyList, kube-proxy's log; a Service that gets such a ClusterIP next is led wrong",
        (node,), code="leak",
    )  # fmt: skip


def _refused(node: str, words: str) -> Finding:
    return Finding(
        "HNS does not tell what it holds", f"Node {node}", "its endpoints and load balancers", words,
        f"on {node}: Get-HnsEndpoint", (node,), code="tool",
    )  # fmt: skip


def _untold(node: str, pods: int) -> Finding:
    return Finding(
        "HNS tells of no Pod that runs, so that it tells of none that is gone shows nothing", f"Node {node}",
        f"an endpoint of one of {pods} Pods", "none", f"on {node}: Get-HnsEndpoint", (node,), code="twin",
    )  # fmt: skip
