"""Services of each IP family that the cluster has: made, reached, and taken down; what it lacks is skipped by name.

Whether a family is there is asked of the API server (would it make a Service of it?), never of Windows: a family that
Services have and Windows Pods or Nodes lack is a failure that names the Nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part, Place
from op_readiness.observe import paths, slices
from op_readiness.observe.families import (
    FAMILIES,
    OVERLAY_SOURCE,
    as_now,
    family_of,
    in_family,
    is_overlay,
    pod_addresses,
    service_families,
)
from op_readiness.observe.pods import nodes_of
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed
from op_readiness.observe.traffic import Target
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import echo_args

Object = dict[str, Any]
MULTI, NODE_PORT = "multi-endpoint-test", "nodeport-test"  # names of test/e2e/network/service.go
PORTS = {"svc1": 100, "svc2": 101}
"""Names and numbers of the Pods' ports: a Service port finds its Pods by the name alone."""
SERVICE_PORTS = {"portname1": (80, "svc1"), "portname2": (81, "svc2")}


@dataclass
class Families:
    """Which families this cluster's Services have, and which of them a set of Nodes lacks."""

    workshop: Workshop

    def usable(self, windows: Sequence[NodeFact]) -> list[str]:
        """The families to test; those that Services lack, or that an overlay cannot have, are parts not tested.

        Raises NotApplicable if none is left.
        """
        sample = self.workshop.service("sample", app="sample", ports=[{"port": 80}])
        there = service_families(self.workshop.cluster, sample)
        for family in FAMILIES:
            if family not in there:
                self.left_out(family, windows, f"not configured: the API server refuses {family} Services")
        if "IPv6" in there and (why := self.overlay(windows)):
            there.remove("IPv6")
            self.left_out("IPv6", windows, f"not applicable: {why} ({OVERLAY_SOURCE})")
        if not there:
            raise NotApplicable("the overlay network of the Windows Nodes has no IPv6", source=OVERLAY_SOURCE)
        return there

    def overlay(self, windows: Sequence[NodeFact]) -> str:
        """Why IPv6 cannot be by design: all Windows Nodes say that they are in an overlay. Empty if they do not."""
        names = [node.name for node in windows]
        if all(is_overlay(self.workshop.cluster.get("Node", name)) for name in names):
            return f"the Pods of {', '.join(names)} are in an overlay network, which has no IPv6"
        return ""

    def left_out(self, family: str, nodes: Sequence[NodeFact], why: str) -> None:
        """A family as a part that is not tested, with its name and the reason."""
        place = nodes[0].place if nodes else Place("")
        self.workshop.recorder.part(
            Part(f"every path over {family}", place, "every target", Outcome.SKIPPED, family=family, reason=why)
        )
        self.workshop.recorder.note(f"{family} not tested: {why}")


@dataclass
class FamilyServices:
    """Pods of one OS behind a Service a family. `clients` ask; their Nodes and those of the Pods must have it."""

    workshop: Workshop
    reach: Reach
    os: str
    nodes: Sequence[NodeFact]
    clients: Sequence[Client]
    pods: list[Object] = field(default_factory=list)
    services: dict[str, Object] = field(default_factory=dict)
    families: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Services and Pods made, the Pods Ready, with an address of every family."""
        windows = [self.workshop.context.facts.node(name) for name in self.workshop.context.windows_nodes]
        self.families = Families(self.workshop).usable(windows)
        for family in self.families:
            self.services[family] = self.workshop.create(self._service(family))
        self.pods = self._pods()
        for family in self.families:
            must_have_addresses(self.pods, family)
            must_have_addresses(self._client_pods(), family)

    @property
    def targets(self) -> list[Target]:
        """Every way to the Services that does not go through a Node's port."""
        raise NotImplementedError

    def must_be_reached(self) -> None:
        """In each family every client meets exactly the Pods behind each port."""
        raise NotImplementedError

    def _service(self, family: str) -> Object:
        raise NotImplementedError

    def _pods(self) -> list[Object]:
        raise NotImplementedError

    def _client_pods(self) -> list[Object]:
        cluster = self.workshop.cluster
        return [cluster.get("Pod", client.pod, client.namespace) for client in self.clients]


@dataclass
class MultiPort(FamilyServices):
    """A Service of two ports whose names are those of different Pods' ports."""

    generation: int = 0

    def _service(self, family: str) -> Object:
        ports = [
            {"name": name, "port": port, "targetPort": target, "protocol": "TCP"}
            for name, (port, target) in SERVICE_PORTS.items()
        ]
        return self.workshop.service(f"{MULTI}-{family.lower()}", app=MULTI, ports=ports, **of_family(family))

    def _pods(self) -> list[Object]:
        count = max(len(PORTS), len(self.nodes))
        names = list(PORTS)
        return self.workshop.pods([self._pod(n, names[n % len(names)]) for n in range(count)])

    def _pod(self, number: int, port_name: str) -> Object:
        port = PORTS[port_name]
        probe = {"httpGet": {"path": "/healthz", "port": port}, "periodSeconds": 2, "timeoutSeconds": 10}
        ports = [{"name": port_name, "containerPort": port, "protocol": "TCP"}]
        return self.workshop.pod(
            f"pod{number + 1}-{self.generation}", self.os, self.nodes[number % len(self.nodes)], echo_args(http=port),
            labels={"app": MULTI}, container={"ports": ports, "readinessProbe": probe},
        )  # fmt: skip

    @property
    def targets(self) -> list[Target]:
        """Each port of each family's Service."""
        return [self._target(family, name) for family in self.families for name in SERVICE_PORTS]

    def must_be_reached(self) -> None:
        """The slices list each Pod under its own port, and every client meets exactly them, port by port."""
        for family in self.families:
            self._must_offer(family, frozenset((in_family(pod_addresses(p), family), _port(p)) for p in self.pods))
        self.reach.every(self.clients, self.targets)

    def must_go_down(self) -> None:
        """When the Pods are deleted the slices empty, and no port answers any more."""
        gone = self.targets
        for pod in self.pods:
            self.workshop.delete("Pod", pod["metadata"]["name"], grace=0)
        for family in self.families:
            self._must_offer(family, frozenset())
        self.reach.none(self.clients, gone)

    def must_come_back(self) -> None:
        """New Pods in their place are listed and reached: the silence was theirs, not the network's."""
        self.generation += 1
        self.pods = self._pods()
        self.must_be_reached()

    def _must_offer(self, family: str, expected: frozenset[tuple[str, int]]) -> None:
        name = self.services[family]["metadata"]["name"]
        timeouts = self.workshop.context.timeouts
        slices.must_offer(self.workshop.cluster, self.workshop.namespace, name, expected, timeouts=timeouts)

    def _target(self, family: str, port_name: str) -> Target:
        service = self.services[family]
        meta, (port, target) = service["metadata"], SERVICE_PORTS[port_name]
        behind = [pod for pod in self.pods if _port(pod) == PORTS[target]]
        return Target(
            path=f"ClusterIP {family}, {port_name}",
            what=f"Service {meta['namespace']}/{meta['name']}",
            host=service["spec"]["clusterIP"],
            port=port,
            backends={pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in behind},
            direct={
                pod["metadata"]["name"]: authority(in_family(pod_addresses(pod), family), _port(pod)) for pod in behind
            },
        )


@dataclass
class NodePorts(FamilyServices):
    """A NodePort Service a family. `through` are the Nodes whose port is asked; Windows clients not their own."""

    through: Sequence[NodeFact] = ()

    def _service(self, family: str) -> Object:
        name = f"{NODE_PORT}-{family.lower()}"
        return self.workshop.service(name, app=NODE_PORT, kind="NodePort", **of_family(family))

    def _pods(self) -> list[Object]:
        count = max(2, len(self.nodes))
        return self.workshop.pods(self.workshop.spread(self.os, self.nodes, count, app=NODE_PORT))

    @property
    def targets(self) -> list[Target]:
        """By ClusterIP, and by name where the cluster has DNS."""
        found = []
        for exposed in self._exposed().values():
            found += [exposed.by_cluster_ip(), *([exposed.by_name()] if self.workshop.context.facts.dns_ip else [])]
        return found

    def must_be_reached(self) -> None:
        """In each family by every Node's port, by ClusterIP and by name."""
        pairs = [(client, target) for client in self.clients for target in self.targets]
        for family, exposed in self._exposed().items():
            nodes = self._nodes_with(family)
            windows = [client for client in self.clients if client.place.os == "windows"]
            pairs += paths.to_other_nodes(windows, exposed, nodes)
            others = [client for client in self.clients if client not in windows]
            pairs += [(client, exposed.by_node_port(node)) for client in others for node in nodes]
        self.reach.pairs(pairs)

    def _exposed(self) -> dict[str, Exposed]:
        return {family: self.workshop.exposed(self.services[family], self.pods) for family in self.families}

    def _nodes_with(self, family: str) -> list[NodeFact]:
        """The Nodes to ask; a Windows Node without an InternalIP of the family fails, a Linux one is left out."""
        through = as_now(self.workshop.cluster, self.through)
        lacking = [node for node in through if not in_family(node.internal_ips, family)]
        if windows := [node for node in lacking if node.os == "windows"]:
            raise AbilityNotMet(no_node_address(windows, family))
        if lacking:
            names = ", ".join(node.name for node in lacking)
            Families(self.workshop).left_out(family, lacking, f"{names} (Linux) has no {family} InternalIP")
        return [node for node in through if node not in lacking]


def of_family(family: str) -> dict[str, Any]:
    """The spec fields of a Service of one family."""
    return {"ipFamilyPolicy": "SingleStack", "ipFamilies": [family]}


def authority(address: str, port: int) -> str:
    """host:port, with brackets around an IPv6 address."""
    return f"[{address}]:{port}" if family_of(address) == "IPv6" else f"{address}:{port}"


def must_have_addresses(pods: Iterable[Mapping[str, Any]], family: str) -> None:
    """Every Pod has an address of the family; without, the slices of that addressType stay empty."""
    without = [pod for pod in pods if not in_family(pod_addresses(pod), family)]
    if without:
        nodes = nodes_of(without)
        shown = ", ".join(f"{pod['metadata']['name']} {'/'.join(pod_addresses(pod))}" for pod in without[:6])
        raise AbilityNotMet(
            Finding(
                what=f"Pods have no {family} address, so {family} Services have no endpoints there",
                where=f"Pods on {', '.join(nodes)}",
                expected=f"podIPs with an {family} address: the cluster has {family} Services",
                seen=f"podIPs {shown}; EndpointSlices of addressType {family} stay empty",
                hint=f"look at the CNI's IPAM and at podCIDRs of {', '.join(nodes)}",
                nodes=nodes,
                code="no-family",
            )
        )


def no_node_address(nodes: Sequence[NodeFact], family: str) -> Finding:
    """Nodes whose status has no InternalIP of the family."""
    names = tuple(sorted(node.name for node in nodes))
    return Finding(
        what=f"Nodes have no {family} address",
        where=", ".join(f"Node {node.name} ({node.os} {node.build})" for node in nodes),
        expected=f"an {family} InternalIP in status.addresses: the cluster has {family}",
        seen="; ".join(f"{node.name}: {', '.join(node.internal_ips) or 'none'}" for node in nodes),
        hint=f"look at the kubelet's --node-ip and at the adapters of {', '.join(names)}",
        nodes=names,
        code="no-family",
    )


def _port(pod: Mapping[str, Any]) -> int:
    return int(pod["spec"]["containers"][0]["ports"][0]["containerPort"])
