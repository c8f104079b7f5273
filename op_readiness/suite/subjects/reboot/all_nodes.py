"""All Windows Nodes restarted, one after the other and then all at once, while their Pods serve.

A Node that does not come back is a failure that names it, and the others go on without it. Where the Nodes restart one
by one the Service has to go on answering: the gaps that a Linux Pod sees are held against a budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.outage import Outage
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Asker, Client
from op_readiness.observe.traffic import Target
from op_readiness.suite.subjects.host_process.running import HostProcess
from op_readiness.suite.subjects.reboot.asking import Asking
from op_readiness.suite.subjects.reboot.kept import Kept
from op_readiness.suite.subjects.reboot.restarting import Restarting, Return
from op_readiness.suite.subjects.reboot.traffic import must_be_well_after, must_be_well_before
from op_readiness.workloads.services import HTTP_SERVICE_PORT

Object = dict[str, Any]
REPLACED = "kubernetes.io: Node autoscaling; a Node that is not Ready may be replaced by its provider"
HINT = "kubelet, containerd and the network agent of the Node since it booted: kubectl describe node; hnsdiag list all"


@dataclass
class AllNodes:
    """The Nodes of `pods`, their Pods, and who asks them from Linux. `findings` are what was not as it has to be."""

    pods: HostProcess
    reach: Reach
    asker: Asker
    linux: Sequence[NodeFact]
    findings: list[Finding] = field(default_factory=list)
    hurt: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    asking: Asking | None = None

    def start(self) -> None:
        """A Pod on each Node, behind a Service that a Linux Pod asks; all of it answers before any restart."""
        self.pods.start()
        self.restarting = Restarting.of(self.pods)
        workshop = self.pods.workshop
        self.kept = Kept(workshop, self.asker, self.pods.nodes)
        self.kept.start()
        if self.linux:
            self.asking = Asking(workshop, self.linux[0])
            self.asking.start(f"http://{self._address()}/hostname")
        else:
            why = "no Linux Node takes Pods: nobody asks the Service while Nodes restart"
            place = self.pods.nodes[0].place
            workshop.recorder.part(Part("from Linux", place, "the Service", Outcome.SKIPPED, reason=why))
        self.restarting.start()
        self._must_answer_before()

    def one_at_a_time(self) -> None:
        """Each Node in turn; the Service goes on answering where another Node has a Pod of it."""
        for node in self.pods.nodes:
            silent = self._try([node], f"after {node.name} alone")
            others = [one for one in self._well() if one.name != node.name]
            if silent is not None and others:
                self._gap(node, silent)

    def all_at_once(self) -> None:
        """Every Node that has come back so far, at the same time; with one Node there is nothing new to see."""
        nodes = self._well()
        if len(nodes) > 1:
            self._try(nodes, "after all at once")
            return
        why = f"requires two Windows Nodes that come back, this run has {len(nodes)}"
        part = Part("all at once", self.pods.nodes[0].place, "Nodes", Outcome.SKIPPED, reason=why)
        self.pods.workshop.recorder.part(part)

    def must_have_recovered(self) -> None:
        """What was seen in both modes; raises AbilityNotMet, then CouldNotTell for what could not be found out."""
        checks = self.pods.checks
        self.restarting.take_last(checks)
        self._keep(checks, "Windows Nodes that have restarted do not stay up")
        if self.findings:
            raise AbilityNotMet(*self.findings)
        self.restarting.nothing_may_be_unknown()
        if len(self.replaced) == len(self.pods.nodes):
            raise NotApplicable("Nodes that restart are replaced by others on this cluster", source=REPLACED)

    def _try(self, nodes: Sequence[NodeFact], when: str) -> Outage | None:
        """One turn; what could not be found out of these Nodes does not keep the others from being judged."""
        try:
            return self._turn(nodes, when)
        except CouldNotTell as error:
            self.restarting.unknown += error.findings
            self._hurt(nodes)
            return None

    def _turn(self, nodes: Sequence[NodeFact], when: str) -> Outage | None:
        """Restart Nodes and look at them, at their Pods and at the traffic; gives what the Linux Pod saw meanwhile."""
        checks, before = self.pods.checks, {node.name: self.kept.had([node]) for node in nodes}
        self._look()
        returns = self.restarting.restart(nodes)
        back = [one.node for one in returns if self.restarting.take(one, checks, when)]
        self._put_aside(returns)
        up = self.kept.take([had for node in back for had in before[node.name]], checks, when)
        silent = self._look()
        self.restarting.take_times(back, checks, when)
        self._keep(checks, "Windows Nodes that restart do not come back as they were")
        self._hurt(node for node in back if node not in up)
        try:
            self._traffic(up, [node.name for node in nodes])
        except AbilityNotMet as error:
            self._failed(error)
        self._figures(silent, when)
        return silent

    def _traffic(self, up: Sequence[NodeFact], restarted: Sequence[str]) -> None:
        """The Pods that are back, by IP and from within; and the Service with every Pod that is well."""
        pairs = [(client, self.kept.by_pod_ip(node)) for node in up for client in self._clients(node)]
        pairs += [(self.kept.client(node), name) for node in up for name in self.kept.name()]
        if self.asking is not None and not self.hurt:  # a broken Pod may still be behind it
            pairs.append((self.asking.client, self.kept.by_service(self._well())))
        must_be_well_after(self.reach, pairs, restarted)

    def _clients(self, node: NodeFact) -> list[Client]:
        """Who asks the Pod on a Node: the Linux Pod, or without one the Pods of the other Nodes."""
        if self.asking is not None:
            return [self.asking.client]
        return [self.kept.client(one) for one in self._well() if one.name != node.name][:1]

    def _must_answer_before(self) -> None:
        pairs: list[tuple[Client, Target]] = []
        nodes = self.pods.nodes
        for node in nodes:
            pairs += [(client, self.kept.by_pod_ip(node)) for client in self._clients(node)]
            pairs += [(self.kept.client(node), name) for name in self.kept.name()]
        if self.asking is not None:
            pairs.append((self.asking.client, self.kept.by_service(nodes)))
        must_be_well_before(self.reach, pairs)

    def _gap(self, node: NodeFact, silent: Outage) -> None:
        checks, budget = self.pods.checks, self.restarting.timeouts.service_gap
        path, expected = "Service from Linux while the Node restarts", f"no longer than {budget:g} s without an answer"
        checks.take(Check(path, node.place, self._address(), expected, str(silent), silent.gap <= budget))
        try:
            what = "A Service with Pods on other Nodes does not answer while one Node restarts"
            checks.must_hold(what, hint="which endpoints kube-proxy of the Linux Node has meanwhile", code="reboot-gap")
        except AbilityNotMet as error:
            self.findings += error.findings

    def _figures(self, silent: Outage | None, when: str) -> None:
        if silent is not None:
            recorder = self.pods.workshop.recorder
            recorder.figure(f"longest seconds without an answer of the Service, {when}", silent.gap)
            recorder.figure(f"tries of the Service lost, {when}", silent.lost)
            recorder.figure(f"tries of the Service, {when}", silent.tries)

    def _look(self) -> Outage | None:
        return None if self.asking is None else self.asking.look()

    def _keep(self, checks: Checks, what: str) -> None:
        try:
            checks.must_hold(what, hint=HINT, code="reboot")
        except AbilityNotMet as error:
            self._failed(error)

    def _failed(self, error: AbilityNotMet) -> None:
        self.findings += error.findings
        self.hurt |= {node for finding in error.findings for node in finding.nodes}

    def _hurt(self, nodes: Any) -> None:
        self.hurt |= {node.name for node in nodes}

    def _put_aside(self, returns: Sequence[Return]) -> None:
        """Nodes that are not back are restarted no more, and their Pods are expected nowhere."""
        self.replaced |= {one.node.name for one in returns if one.replaced}
        self._hurt(one.node for one in returns if not one.back)

    def _well(self) -> list[NodeFact]:
        return [node for node in self.pods.nodes if node.name not in self.hurt]

    def _address(self) -> str:
        address = str(self.kept.service["spec"]["clusterIP"])
        return f"[{address}]:{HTTP_SERVICE_PORT}" if ":" in address else f"{address}:{HTTP_SERVICE_PORT}"
