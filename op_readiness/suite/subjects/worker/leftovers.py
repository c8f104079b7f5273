"""What Pods leave behind on their Nodes: endpoints of the host network service, remote endpoints, shims.

The counts of a whole Node change with whatever else runs there, so they are only held against the change of its running
Pods; endpoints with addresses that this test's own Pods had are nobody else's.
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


@dataclass
class Leftovers:
    """Each selected Windows Node, before and after Pods came and went there."""

    hosts: Hosts
    clock: Clock = SYSTEM_CLOCK
    went: str = f"{PODS} Pods that went"
    before: dict[str, Object] = field(default_factory=dict)
    running: Counter[str] = field(default_factory=Counter)
    addresses: set[str] = field(default_factory=set)

    def count(self) -> None:
        """What there is before."""
        self.before = self.hosts.ask("hns-count")
        self.hosts.nothing_may_be_unknown()
        if missing := [said["missing"] for said in self.before.values() if said["missing"]]:
            raise NotApplicable(f"HNS cannot be asked: {missing[0]}", source="Windows Server with Containers feature")
        self.running = self._running()

    def count_where_one_may(self) -> bool:
        """The same, for a test that has more to ask: Nodes that cannot be looked into are told of, and not judged."""
        try:
            self.count()
        except (CouldNotTell, NotApplicable, NotTested) as error:
            self.before = {}
            for node in self.hosts.nodes:
                part = Part("leftovers", node.place, self.went, Outcome.SKIPPED, node.name, reason=str(error))
                self.hosts.workshop.recorder.part(part)
        return bool(self.before)

    def churn(self) -> None:
        """Ten Pods on each Node, Running, then deleted and gone."""
        workshop = self.hosts.workshop
        crowds = workshop.crowds(self.hosts.nodes, size=PODS, least=LEAST)
        pods = [pod for crowd in crowds.values() for pod in crowd]
        self.addresses = {pod["status"]["podIP"] for pod in pods}
        workshop.pods_away(pods)

    def must_be_none(self) -> None:
        """Nothing with an address of those Pods is left, and nothing grew by more than Pods did."""
        for look in range(1, LOOKS + 1):
            after = self.hosts.ask("hns-count", turn=look)
            self.hosts.nothing_may_be_unknown()
            findings = self._findings(after)
            if not findings or look == LOOKS:
                break
            self.clock.sleep(PAUSE * self.hosts.workshop.context.timeouts.scale)
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
        gone = self.addresses - used
        findings = []
        for node in self.hosts.nodes:
            name, said = node.name, after[node.name]
            own = [one for one in said["endpoints"] if one["ip"] in gone]
            grown = running[name] - self.running[name] + TOLERANCE
            if own:
                local = sorted(one["ip"] for one in own if not one["remote"])
                remote = sorted(one["ip"] for one in own if one["remote"])
                findings.append(_left(name, local, remote))
            elif (shims := said["shims"] - self.before[name]["shims"]) > grown:
                findings.append(_grown(name, "shims of the runtime", shims, grown))
            elif (more := _locals(said) - _locals(self.before[name])) > grown:
                findings.append(_grown(name, "HNS endpoints", more, grown))
        return findings

    def _running(self) -> Counter[str]:
        pods = self.hosts.workshop.cluster.list("Pod")
        return Counter(pod["spec"].get("nodeName", "") for pod in pods if not _over(pod))


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in GONE


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
