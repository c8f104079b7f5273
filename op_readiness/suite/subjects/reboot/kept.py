r"""The Pods that have to be the same after a restart: a Deployment with one on each Node, a Service, a file in each.

A Node that is Ready, and a new Pod that works, show nothing of the Pods that were there
(Azure/azure-container-networking#283, tigera/operator#3193). So these ones are looked at: by their UID, by the file
that they wrote before, by traffic, and by a name that they look up. They have no readinessProbe: that nothing reaches
them shall be seen by traffic, and not as a Pod that is not Ready.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.dns import lookup
from op_readiness.observe.pods import ready
from op_readiness.observe.reach import together
from op_readiness.observe.returning import Had, came_back, had, why_not
from op_readiness.observe.shell import Asker, Client
from op_readiness.observe.targets import pod_target
from op_readiness.observe.traffic import Target
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HOSTNAME_LABEL, Manifest, echo_args, echo_container, pod
from op_readiness.workloads.services import workload

Object = dict[str, Any]
APP, FOLDER, FILE = "web", r"C:\kept", r"C:\kept\marker.txt"
HOLD_TRIES = 5
"""Tries, one a second, once an answer has come: what a restart breaks stays broken."""


@dataclass
class Kept:
    """The Pods by the name of their Node, and what each of them was before the last restart."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    marker: str = field(default_factory=lambda: secrets.token_hex(8))
    service: Object = field(default_factory=dict)
    pods: dict[str, Object] = field(default_factory=dict)
    marked: set[str] = field(default_factory=set)
    api: str = ""

    def start(self) -> None:
        """Service and Deployment made, a Pod Ready on each Node, the file written in each."""
        shop = self.workshop
        self.service = shop.create(shop.service(APP, app=APP))
        shop.create(workload("Deployment", APP, self._template(), replicas=len(self.nodes), selector={"app": APP}))
        self.pods = {one["spec"]["nodeName"]: one for one in self._up()}
        self.api = str(shop.cluster.get("Service", "kubernetes", "default")["spec"]["clusterIP"])
        together(shop.threads, self._mark, list(self.pods.values()))

    def client(self, node: NodeFact) -> Client:
        """The Pod on a Node, to be asked."""
        return Client.of(self.pods[node.name], node)

    def had(self, nodes: Sequence[NodeFact]) -> list[Had]:
        """What has to be remembered of the Pods on these Nodes before they are restarted."""
        return [had(self.pods[node.name]) for node in nodes if node.name in self.pods]

    def take(self, before: Sequence[Had], checks: Checks, when: str) -> list[NodeFact]:
        """Statements about the Pods of Nodes that are back, and about their files; gives where a Pod is back."""
        shop = self.workshop
        found = came_back(shop.cluster, before, shop.context.timeouts)
        for one in before:
            place = shop.context.facts.node(one.node).place
            expected = "the same Pod Ready with a restart more, or another in its place"
            seen = "" if one in found else why_not(shop.cluster, one)
            checks.take(Check(f"Pod {when}", place, one.name, expected, seen or _how(one, found[one]), not seen,
                              f"kubectl -n {one.namespace} describe pod {one.name}"))  # fmt: skip
            if one in found:
                self.pods[one.node] = found[one]
        nodes = [node for node in self.nodes if any(one.node == node.name for one in found)]
        same = [node for node in nodes if self.pods[node.name]["metadata"]["uid"] in self.marked]
        for check in together(shop.threads, lambda node: self._marker(node, when), same):
            checks.take(check)
        return nodes

    def by_pod_ip(self, node: NodeFact) -> Target:
        """The Pod on a Node by its IP."""
        return replace(pod_target(self.pods[node.name]), hold_tries=HOLD_TRIES)

    def by_service(self, nodes: Sequence[NodeFact]) -> Target:
        """The Service, answered by the Pods of these Nodes and by no others."""
        exposed = self.workshop.exposed(self.service, [self.pods[node.name] for node in nodes])
        return replace(exposed.by_cluster_ip(), hold_tries=HOLD_TRIES)

    def name(self) -> list[Target]:
        """A name of the cluster, to be looked up by its Pods; none where the cluster has no DNS."""
        facts = self.workshop.context.facts
        if not facts.dns_ip or ":" in self.api:
            return []
        return [lookup(f"kubernetes.default.svc.{facts.dns_domain}.", frozenset({self.api}), hold_tries=HOLD_TRIES)]

    def _template(self) -> Manifest:
        context = self.workshop.context
        mounts = [{"name": "kept", "mountPath": FOLDER}]
        container = {**echo_container(ready_when_answering=False), "volumeMounts": mounts}
        spread = {"maxSkew": 1, "topologyKey": HOSTNAME_LABEL, "whenUnsatisfiable": "DoNotSchedule",
                  "labelSelector": {"matchLabels": {"app": APP}}}  # fmt: skip
        return pod(
            "template", self.workshop.namespace, os="windows", image=context.images.agnhost, nodes=self.nodes,
            labels={**self.workshop.labels, "app": APP}, args=echo_args(), container=container,
            spec={"volumes": [{"name": "kept", "emptyDir": {}}], "topologySpreadConstraints": [spread]},
            pull_secret=context.pull_secret,
        )  # fmt: skip

    def _up(self) -> list[Object]:
        """A Ready Pod on each Node; raises CouldNotTell."""
        wanted, shop = {node.name for node in self.nodes}, self.workshop
        seen: list[Object] = []

        def met(pods: list[Object]) -> list[Object] | None:
            seen[:] = pods
            up = [one for one in pods if ready(one)]
            return up if {one["spec"]["nodeName"] for one in up} == wanted else None

        try:
            within = shop.context.timeouts.real("pods_ready")
            return wait_for(shop.cluster, "Pod", shop.namespace, met, labels=f"app={APP}", within=within)
        except WatchTimeout as error:
            shop.pods_up([one["metadata"]["name"] for one in seen if not ready(one)])  # explains what is not up
            there = ", ".join(sorted(one["spec"].get("nodeName", "none") for one in seen)) or "no Pod"
            raise CouldNotTell(Finding(
                "Pods of a Deployment are not spread over the Nodes", f"Deployment {shop.namespace}/{APP}",
                f"one on each of {', '.join(sorted(wanted))}", there, code="pods",
            )) from error  # fmt: skip

    def _mark(self, one: Object) -> None:
        client = Client.of(one, self.workshop.context.facts.node(one["spec"]["nodeName"]))
        answer = self.asker.answer(client, ["cmd", "/S", "/C", f"echo {self.marker}> {FILE}&& type {FILE}"])
        if self.marker not in answer.text:
            seen = f"exit code {answer.code}: {answer.text}"
            raise CouldNotTell(Finding("A Pod of ours cannot write to its volume", str(client.place), self.marker, seen,
                                       nodes=(client.place.node,), code="marker"))  # fmt: skip
        self.marked.add(one["metadata"]["uid"])

    def _marker(self, node: NodeFact, when: str) -> Check:
        text = self.asker.answer(self.client(node), ["cmd", "/S", "/C", f"type {FILE}"]).text
        return Check(f"file {when}", node.place, FILE, self.marker, text or "nothing", text.strip() == self.marker)


def _how(before: Had, now: Mapping[str, Any]) -> str:
    same = now["metadata"]["uid"] == before.uid
    return "the same Pod" if same else f"{now['metadata']['name']} in its place"
