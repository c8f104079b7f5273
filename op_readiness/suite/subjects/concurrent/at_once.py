"""Ten Pods on each Windows Node, started at once: how long each takes, and whether each has a network of its own.

Running and Ready is not enough: endpoints made in a burst stay unattached (projectcalico/calico#12795), or all but the
first Pod of a Node have no DNS. So every Pod is asked by its own IP, and looks up a name itself. Some is wrong only
after others went: an address that comes again meets a remote endpoint that stayed (microsoft/Windows-Containers#631).
So the Pods have successors, which are asked the same. The first thing that a Pod is asked is a name, for those may work
only some time after its start.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome, Part
from op_readiness.observe.addresses import Addresses, address_of
from op_readiness.observe.dns import lookup
from op_readiness.observe.first_names import FirstNames
from op_readiness.observe.pods import HELD, pods_gone, running, wait_for_pods
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.starting import as_judged, percentile, with_former_owners
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
COUNT, APP = 10, "density"
LABEL = {"type": "density_test_pod"}  # test/e2e/windows/density.go
GRACE = 30
WARM = {0.5: 30.0, 0.9: 54.0, 0.99: 59.0}
"""Percentile -> seconds that density.go declares for a warm image; it compares none, and neither is failed here."""


@dataclass
class AtOnce:
    """The Pods of all Nodes; `started` are cluster seconds from creation to Running by name."""

    workshop: Workshop
    reach: Reach
    addresses: Addresses
    nodes: Sequence[NodeFact]
    clients: Sequence[Client]
    crowds: dict[str, list[Object]] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    """Address -> the Pod that had it and is gone."""
    names: FirstNames | None = None
    """What the Pods were told when they were first asked; None where there is no name to ask for."""

    def must_start(self) -> None:
        """All Pods made side by side are Running and Ready within the time for a batch."""
        self._report(self._up(range(COUNT)))

    def successors_must_be_well(self) -> None:
        """As many new Pods as went start, answer and resolve too, whoever had their addresses before."""
        self.crowds.clear()
        try:
            self._up(range(COUNT, 2 * COUNT - 1))
            self.each_must_answer()
            self.each_must_resolve()
        except AbilityNotMet as error:
            pods = self.workshop.cluster.list("Pod", self.workshop.namespace)
            raise with_former_owners(error, pods, self.used) from error

    def _up(self, numbers: range) -> dict[str, Object]:
        manifests = [self._pod(n, k, node) for n, node in enumerate(self.nodes) for k in numbers]
        names = [one["metadata"]["name"] for one in manifests]
        namespace, began = self.workshop.namespace, time.monotonic()
        self.workshop.create_all(manifests)
        watching = self.workshop.threads.submit(self._watch, namespace, names, began)
        try:
            found = wait_for_pods(
                self.workshop.cluster, namespace, names, until_ready=True, timeouts=self.workshop.context.timeouts,
                recorder=self.workshop.recorder, deadline="batch_started",
            )  # fmt: skip
        except CouldNotTell as error:
            raise as_judged(error) from error
        watching.result()
        self.workshop.must_be_where_sent(found.values())
        for pod in found.values():
            self.crowds.setdefault(pod["spec"]["nodeName"], []).append(pod)
        self._ask_names()
        return found

    def each_must_answer(self) -> None:
        """Every Pod answers by its own IP, to a client on its Node and to another."""
        self.addresses.each_must_answer(self.crowds, self.clients)

    def each_must_resolve(self) -> None:
        """Every Pod looks up a name of the cluster, and had an answer within its warm-up; the slowest is reported."""
        if self.names:
            self.names.must_hold(self.reach)
            return
        facts = self.workshop.context.facts
        why = "the API's Service has an IPv6 address" if facts.dns_ip else "the cluster has no DNS Service"
        self.workshop.recorder.part(Part("DNS A", self.clients[0].place, "", Outcome.SKIPPED, reason=why))

    def _ask_names(self) -> None:
        """The Pods ask for the API's Service, where there is a DNS Service and an A record to get."""
        facts, workshop = self.workshop.context.facts, self.workshop
        api = workshop.cluster.get("Service", "kubernetes", "default")["spec"]["clusterIP"]
        if not facts.dns_ip or ":" in api:
            return
        target = lookup(f"kubernetes.default.svc.{facts.dns_domain}.", frozenset({api}), hold_tries=3)
        self.names = FirstNames(target, self.addresses.asker, workshop.threads, workshop.recorder)
        pods = [pod for crowd in self.crowds.values() for pod in crowd]
        self.names.ask([(Client.of(pod, facts.node(pod["spec"]["nodeName"])), pod) for pod in pods])

    def must_go(self) -> None:
        """All but one Pod a Node, deleted with 30 s of grace, are gone in time; the one left is the witness."""
        leaving = [crowd[k] for k in range(1, COUNT) for crowd in self.crowds.values() if k < len(crowd)]
        for pod in leaving:
            self.used[address_of(pod)] = f"{pod['metadata']['name']} on {pod['spec']['nodeName']}"
            self.workshop.delete("Pod", pod["metadata"]["name"], grace=GRACE)
        uids = [pod["metadata"]["uid"] for pod in leaving]
        try:
            pods_gone(
                self.workshop.cluster, self.workshop.namespace, uids, timeouts=self.workshop.context.timeouts,
                within="batch_started",
            )  # fmt: skip
        except CouldNotTell as error:
            if any(finding.code == HELD for finding in error.findings):
                raise
            raise AbilityNotMet(*error.findings) from error

    def _pod(self, number: int, k: int, node: NodeFact) -> Manifest:
        manifest = self.workshop.echo_pod(f"{APP}-{number}-{k}", "windows", node, app=APP)
        manifest["metadata"]["labels"].update(LABEL)
        manifest["spec"]["terminationGracePeriodSeconds"] = GRACE
        return manifest

    def _watch(self, namespace: str, names: Sequence[str], began: float) -> None:
        """Note when each Pod is first seen Running."""
        timeouts, wanted = self.workshop.context.timeouts, set(names)

        def met(pods: list[Object]) -> bool:
            for pod in pods:
                name = pod["metadata"]["name"]
                if name in wanted and name not in self.started and running(pod):
                    self.started[name] = timeouts.cluster(time.monotonic() - began)
            return wanted <= set(self.started)

        try:
            wait_for(self.workshop.cluster, "Pod", namespace, met, within=timeouts.real("batch_started"))
        except WatchTimeout:
            return  # explained by who waits for them next, with Pod, Node and newest Event

    def _report(self, pods: dict[str, Object]) -> None:
        recorder, seconds = self.workshop.recorder, list(self.started.values())
        recorder.figure("batch: seconds until all Running", max(seconds))
        for part, warm in WARM.items():
            seen = percentile(seconds, part)
            recorder.figure(f"p{part * 100:.0f} seconds to Running", seen)
            if seen > warm:
                recorder.note(f"p{part * 100:.0f} of {seen:.0f} s to Running is above the {warm:g} s of density.go")
        restarts = {
            name: count for name, pod in pods.items()
            if (count := sum(one.get("restartCount", 0) for one in pod["status"].get("containerStatuses") or []))
        }  # fmt: skip
        if restarts:
            recorder.note(f"{len(restarts)} of {len(pods)} Pods were started again: {', '.join(sorted(restarts))}")
