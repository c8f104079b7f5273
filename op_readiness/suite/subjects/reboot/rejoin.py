"""One Windows Node restarted, and whether it takes part in the cluster again: old Pods, new Pods, traffic both ways.

What a new Pod needs comes late on Windows: the network agent and kube-proxy may start minutes after the kubelet, so
everything but the conditions of the Node has its own time. The Service that the Node's Pods ask has its Pods on other
Nodes and does not change meanwhile: kube-proxy may believe in a load balancer that is gone
(kubernetes/kubernetes#135802).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.errors import Forbidden
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.boots import state_of
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.pods import newest_event, ready
from op_readiness.observe.reach import Reach
from op_readiness.observe.returning import Had, came_back, end_of, had, why_not
from op_readiness.observe.shell import Asker, Client
from op_readiness.observe.starting import NOT_THE_NODES_DOING
from op_readiness.observe.targets import pod_target
from op_readiness.observe.traffic import Target
from op_readiness.suite.subjects.active_directory.users import HOLD
from op_readiness.suite.subjects.host_process.running import HostProcess
from op_readiness.suite.subjects.reboot.all_nodes import HINT, REPLACED
from op_readiness.suite.subjects.reboot.kept import HOLD_TRIES, Kept
from op_readiness.suite.subjects.reboot.restarting import Restarting, times_pod
from op_readiness.suite.subjects.reboot.traffic import must_be_well_after, must_be_well_before
from op_readiness.workloads.pods import outlasting

Object = dict[str, Any]
PEER, FRESH, HELD, FRESH_HOST = "peer", "fresh", "held", "fresh-host"
WHEN = "after the restart"
UNSCHEDULABLE = ("FailedScheduling", "nodes are available")
"""What keeps a new Pod from a Node that took Pods before it restarted is the Node's doing."""


@dataclass
class Rejoin:
    """The first Node of `pods` that is Ready; on the others, and on a Linux one, are Pods that speak with its own."""

    pods: HostProcess
    reach: Reach
    asker: Asker
    linux: Sequence[NodeFact]
    others: list[NodeFact] = field(default_factory=list)
    peers: list[Client] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    before: list[Had] = field(default_factory=list)
    daemons: list[Had] = field(default_factory=list)

    def start(self) -> None:
        """Pods on the Node and elsewhere, an ordinary and a HostProcess one; traffic is well before the restart."""
        self.pods.start()
        self.node, *self.others = self._ready_now()
        self.restarting = Restarting.of(replace(self.pods, nodes=[self.node]))
        self.kept = Kept(self.pods.workshop, self.asker, [self.node])
        self.kept.start()
        self._start_peers()
        held = outlasting(self.pods.pod(HELD, self.node, HOLD, restarts="Always"))
        self.pods.create([held])
        self.before = [had(one) for one in self.pods.workshop.pods_up([held["metadata"]["name"]], until_ready=False)]
        self.daemons = self._daemons()
        self.restarting.start()
        must_be_well_before(self.reach, self._pairs([self.kept.client(self.node)], [self.kept.by_pod_ip(self.node)]))

    def must_rejoin(self) -> None:
        """Restart it; raises what is not as before, then what could not be found out."""
        findings: list[Finding] = []
        checks = self.pods.checks
        remembered = [*self.kept.had([self.node]), *self.before]
        returns = self.restarting.restart([self.node])
        if any(one.replaced for one in returns):
            self.restarting.take(returns[0], checks, WHEN)
            raise NotApplicable(f"Node {self.node.name} was replaced when it restarted", source=REPLACED)
        if any(self.restarting.take(one, checks, WHEN) for one in returns):
            try:
                self._take(remembered, checks, findings)
            except CouldNotTell as error:  # what was seen before is judged first
                self.restarting.unknown += error.findings
        self.restarting.take_last(checks)
        try:
            checks.must_hold("A Windows Node that restarted does not take part again", hint=HINT, code="reboot")
        except AbilityNotMet as error:
            findings += error.findings
        if findings:
            raise AbilityNotMet(*findings)
        self.restarting.nothing_may_be_unknown()

    def _take(self, remembered: Sequence[Had], checks: Checks, findings: list[Finding]) -> None:
        """Statements about the Node's Pods, old ones and new ones, and about their traffic."""
        self._take_back("DaemonSet Pod", self.daemons, checks)
        kept = self.kept.take([one for one in remembered if one not in self.before], checks, WHEN)
        self._take_back("HostProcess Pod", self.before, checks)
        self._ask_for_new_pods()
        fresh = self._fresh(checks)
        clients = [self.kept.client(self.node)] if kept else []
        targets = [self.kept.by_pod_ip(self.node)] if kept else []
        if fresh is not None:
            clients.append(Client.of(fresh, self.node))
            targets.append(replace(pod_target(fresh), hold_tries=HOLD_TRIES))
        try:
            must_be_well_after(self.reach, self._pairs(clients, targets), [self.node.name])
        except AbilityNotMet as error:
            findings += error.findings

    def _pairs(self, inside: Sequence[Client], targets: Sequence[Target]) -> list[tuple[Client, Target]]:
        """From the other Nodes to the Node's Pods, and from those to the others, to their Service, and to DNS."""
        pairs = [(client, target) for client in self.peers for target in targets]
        pairs += [(client, target) for client in inside for target in [*self.targets, *self.kept.name()]]
        if not self.peers:
            why = "no other Node takes Pods: nobody speaks with those of this one"
            self.pods.checks.not_tested("traffic both ways", self.node.place, "other Nodes", why)
            pairs += [(one, target) for one in inside for target in targets if one.pod not in target.backends]
        return pairs

    def _ready_now(self) -> list[NodeFact]:
        """The Nodes that are Ready still: one that an earlier test has restarted may have been lost."""
        cluster, checks = self.pods.workshop.cluster, self.pods.checks
        states = {node["metadata"]["name"]: state_of(node) for node in cluster.list("Node")}
        well = [node for node in self.pods.nodes if node.name in states and states[node.name].ready == "True"]
        for node in (one for one in self.pods.nodes if one not in well):
            checks.not_tested("Ready before", node.place, "Node", f"{states.get(node.name, 'there is no such Node')}")
        if not well:
            raise NotTested("no Windows Node is Ready any more", reason=SkipReason.TOO_FEW_NODES)
        return well

    def _start_peers(self) -> None:
        """A Pod on each other Windows Node and on a Linux one, and a Service in front of them."""
        workshop = self.pods.workshop
        nodes = [*self.others, *self.linux[:1]]
        made = workshop.pods(
            [workshop.echo_pod(f"{PEER}-{n}", node.os, node, app=PEER) for n, node in enumerate(nodes)]
        )
        self.peers = [Client.of(one, node) for one, node in zip(made, nodes, strict=True)]
        self.targets = [replace(pod_target(one), hold_tries=HOLD_TRIES) for one in made]
        if made:
            service = workshop.create(workshop.service(PEER, app=PEER))
            self.targets.append(replace(workshop.exposed(service, made).by_cluster_ip(), hold_tries=HOLD_TRIES))

    def _daemons(self) -> list[Had]:
        """The Pods of DaemonSets that are Ready on the Node: kube-proxy, the network agent, what else there is."""
        cluster = self.pods.workshop.cluster
        try:
            pods = cluster.list("Pod", fields=f"spec.nodeName={self.node.name}")
        except Forbidden as error:
            self.pods.workshop.recorder.note(f"DaemonSet Pods of {self.node.name} were not looked at: {error.message}")
            return []
        owned = [pod for pod in pods if any(one.get("kind") == "DaemonSet" for one in _owners(pod))]
        return [had(pod) for pod in owned if ready(pod)]

    def _take_back(self, path: str, before: Sequence[Had], checks: Checks) -> None:
        cluster = self.pods.workshop.cluster
        found = came_back(cluster, before, self.pods.workshop.context.timeouts)
        for one in before:
            seen = "Ready" if one in found else why_not(cluster, one)
            expected = "Ready with a restart more, or another in its place"
            checks.take(Check(f"{path} {WHEN}", self.node.place, f"{one.namespace}/{one.name}", expected, seen,
                              one in found, f"kubectl -n {one.namespace} describe pod {one.name}"))  # fmt: skip

    def _ask_for_new_pods(self) -> None:
        """An ordinary Pod and a HostProcess one, sent to the Node by the scheduler."""
        workshop = self.pods.workshop
        fresh = workshop.echo_pod(FRESH, "windows", self.node, app=FRESH, probed=False)
        self.pods.create([fresh, times_pod(self.pods, FRESH_HOST, self.node, scheduled=True)])

    def _fresh(self, checks: Checks) -> Object | None:
        """Statements about the new Pods; gives the ordinary one if it runs."""
        for ended in replace(self.pods, nodes=[self.node]).ended(FRESH_HOST):
            checks.take(ended.check(f"new HostProcess Pod {WHEN}", "runs to its end", "exit code 0", ended.good))
            if ended.good:
                self.restarting.judge_times(ended, checks, WHEN)
        return self._scheduled(checks)

    def _scheduled(self, checks: Checks) -> Object | None:
        workshop = self.pods.workshop
        try:
            [pod], seen = workshop.pods_up([FRESH], until_ready=False), "Running"
        except CouldNotTell as error:
            if _not_the_nodes(error.findings[0].seen):
                self.restarting.unknown += error.findings
                return None
            pod, event = None, newest_event(workshop.cluster, workshop.namespace, FRESH)
            seen = f"not Running after {workshop.context.timeouts.pods_ready:g} s; {end_of(event)}"
        command = f"kubectl -n {workshop.namespace} describe pod {FRESH}"
        checks.take(Check(f"new Pod {WHEN}", self.node.place, FRESH, "scheduled to the Node, and Running", seen,
                          pod is not None, command))  # fmt: skip
        return pod


def _owners(pod: Object) -> list[Object]:
    return list(pod["metadata"].get("ownerReferences") or ())


def _not_the_nodes(seen: str) -> bool:
    """Whether something else than the Node keeps a Pod from starting: its image, a webhook."""
    words = [word for word in NOT_THE_NODES_DOING if word not in (*UNSCHEDULABLE, "Unschedulable")]
    return any(word in seen for word in words)
