"""Dual stack: Nodes, Pods, and Services with addresses of both families, and traffic over each.

It is there to be tested as soon as anything in the cluster has both families: the Service range, or the Linux Nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe import slices
from op_readiness.observe.families import (
    FAMILIES,
    OVERLAY_SOURCE,
    as_now,
    both_at_once,
    family_of,
    in_family,
    pod_addresses,
)
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed, pod_target
from op_readiness.observe.traffic import Target
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.network.by_family import Families, must_have_addresses, no_node_address
from op_readiness.workloads.pods import echo_args, echo_container

Object = dict[str, Any]
APP, PORT = "dual", 80
SOURCE = "kubernetes.io, concepts/services-networking/dual-stack: the API server and the CNI have to be set up for it"
WISHES: dict[str, dict[str, Any]] = {
    "ipv4": {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]},
    "ipv6": {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv6"]},
    "ipv4-ipv6": {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv4", "IPv6"]},
    "ipv6-ipv4": {"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6", "IPv4"]},
}
"""What Services ask for, by the end of their names (test/e2e/network/dual_stack.go)."""


@dataclass
class DualStack:
    """A server Pod on each Windows Node and on Linux, each a client of all others; `clients` ask their Services."""

    workshop: Workshop
    reach: Reach
    windows: Sequence[NodeFact]
    linux: Sequence[NodeFact]
    clients: Sequence[Client]
    service_range: bool = False
    pods: list[Object] = field(default_factory=list)

    def start(self) -> None:
        """Raises NotApplicable on a cluster of one family, or with an overlay that has no IPv6 by design."""
        cluster = self.workshop.cluster
        self.windows, self.linux = as_now(cluster, self.windows), as_now(cluster, self.linux)
        sample = self.workshop.service("sample", app=APP, ports=[{"port": PORT}])
        self.service_range = both_at_once(cluster, sample)
        if not self.service_range and not any(_has_both(node) for node in self.linux):
            families = ", ".join(sorted({family_of(ip) for node in self.windows for ip in node.internal_ips}))
            why = f"the cluster is not dual-stack: Services and Linux Nodes have one family, Windows Nodes {families}"
            raise NotApplicable(why, source=SOURCE)
        if why := Families(self.workshop).overlay(self.windows):
            raise NotApplicable(why, source=OVERLAY_SOURCE)

    def nodes_must_have_both(self) -> None:
        """Every Windows Node lists an InternalIP of each family."""
        for family in FAMILIES:
            if lacking := [node for node in self.windows if not in_family(node.internal_ips, family)]:
                raise AbilityNotMet(no_node_address(lacking, family))

    def pods_must_have_both(self) -> None:
        """Every Pod, and its host, has two addresses of different families, the first being the one of old."""
        nodes = [*self.windows, *[node for node in self.linux if _has_both(node)][:1]]
        self.pods = self.workshop.pods([self._pod(node) for node in nodes])
        for family in FAMILIES:
            must_have_addresses(self.pods, family)
        for pod in self.pods:
            if wrong := _wrong_order(pod):
                node = pod["spec"]["nodeName"]
                where = f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']} (Node {node})"
                expected = "two podIPs and two hostIPs of different families, the first equal to podIP and hostIP"
                raise AbilityNotMet(Finding("A Pod's addresses do not agree", where, expected, wrong, nodes=(node,)))

    def pods_must_reach_each_other(self) -> None:
        """Every Pod reaches every other by its IP of each family."""
        pairs = [
            (client, pod_target(pod, port=PORT, family=family))
            for client in self._clients()
            for pod in self.pods
            for family in FAMILIES
            if pod["metadata"]["uid"] != client.uid
        ]
        self.reach.pairs(pairs, within="warm_up")

    def services_must_have_their_families(self) -> None:
        """Services get the families they ask for, in that order, slices of each, and answer by each address."""
        if not self.service_range:
            Families(self.workshop).left_out("IPv6", self.windows, "the Service range has one family")
            return
        made = {name: self.workshop.create(self._service(name, wish)) for name, wish in WISHES.items()}
        for name, service in made.items():
            self._must_have(service, WISHES[name]["ipFamilies"])
            self._must_be_listed(service)
        targets = [target for service in made.values() for target in self._targets(service)]
        self.reach.every(self.clients, targets)

    def _clients(self) -> list[Client]:
        facts = self.workshop.context.facts
        return [Client.of(pod, facts.node(pod["spec"]["nodeName"])) for pod in self.pods]

    def _pod(self, node: NodeFact) -> Object:
        container = echo_container(http=PORT)
        name = f"{APP}-{node.name}"[:63].rstrip("-.")
        return self.workshop.pod(
            name, node.os, node, echo_args(http=PORT), labels={"app": APP}, container=container
        )  # fmt: skip

    def _service(self, name: str, wish: Mapping[str, Any]) -> Object:
        ports = [{"name": "http", "port": PORT, "targetPort": PORT, "protocol": "TCP"}]
        return self.workshop.service(f"{APP}-{name}", app=APP, ports=ports, **wish)

    def _must_have(self, service: Object, wanted: Sequence[str]) -> None:
        spec = service["spec"]
        got = [family_of(ip) for ip in spec.get("clusterIPs") or []]
        if list(spec.get("ipFamilies") or []) != list(wanted) or got != list(wanted):
            meta = service["metadata"]
            seen = f"ipFamilies {', '.join(spec.get('ipFamilies') or [])}; clusterIPs {', '.join(spec['clusterIPs'])}"
            where = f"Service {meta['namespace']}/{meta['name']}"
            expected = f"one ClusterIP each of {', '.join(wanted)}"
            raise AbilityNotMet(Finding("A Service has not the families that it asked for", where, expected, seen))

    def _must_be_listed(self, service: Object) -> None:
        """One slice a family lists the Pods' addresses of that family, and no other slice does."""
        wanted = {
            family: frozenset((in_family(pod_addresses(pod), family), PORT) for pod in self.pods)
            for family in service["spec"]["ipFamilies"]
        }

        def met(found: list[Object]) -> bool:
            by_type = {
                kind: slices.offered([one for one in found if one["addressType"] == kind])
                for kind in {one["addressType"] for one in found}
            }
            return by_type == wanted

        slices.must_become(
            self.workshop.cluster, self.workshop.namespace, service["metadata"]["name"], met,
            expected=f"slices of addressType {', '.join(wanted)} with all {len(self.pods)} Pods",
            timeouts=self.workshop.context.timeouts,
        )  # fmt: skip

    def _targets(self, service: Object) -> list[Target]:
        """The Service by each of its ClusterIPs."""
        return [
            Exposed(
                {**service, "spec": {**service["spec"], "clusterIP": ip}}, tuple(self.pods), pod_port=PORT, port=PORT
            ).by_cluster_ip()
            for ip in service["spec"]["clusterIPs"]
        ]


def _has_both(node: NodeFact) -> bool:
    return all(in_family(node.internal_ips, family) for family in FAMILIES)


def _wrong_order(pod: Object) -> str:
    """What is wrong about a Pod's addresses; empty when all is well."""
    status = pod["status"]
    ips = pod_addresses(pod)
    hosts = [one["ip"] for one in status.get("hostIPs") or []]
    shown = f"podIP {status.get('podIP')}, podIPs {', '.join(ips)}, hostIP {status.get('hostIP')}, hostIPs "
    shown += ", ".join(hosts) or "none"
    pods_well = len(ips) == len(FAMILIES) == len({family_of(ip) for ip in ips}) and ips[0] == status.get("podIP")
    told = not hosts or (len({family_of(ip) for ip in hosts}) == len(FAMILIES) and hosts[0] == status.get("hostIP"))
    return "" if pods_well and told else shown
