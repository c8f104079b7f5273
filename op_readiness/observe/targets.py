"""From API objects to targets of traffic: a Pod by its IP, a Service by ClusterIP, by name, by a Node's port."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from op_readiness.model.facts import NodeFact
from op_readiness.observe.families import family_of, in_family, pod_addresses
from op_readiness.observe.traffic import Target
from op_readiness.workloads.pods import HTTP_PORT, UDP_PORT
from op_readiness.workloads.services import HTTP_SERVICE_PORT, UDP_SERVICE_PORT

Object = dict[str, Any]


def pod_target(
    pod: Object, *, protocol: str = "TCP", large: bool = False, port: int = 0, url_path: str = "/hostname",
    family: str = "",
) -> Target:  # fmt: skip
    """One Pod by its IP, or by its IP of a family."""
    meta = pod["metadata"]
    path = "Pod IP" + (" UDP" if protocol == "UDP" else " with 4 KiB" if large else "")
    return Target(
        path=path,
        what=f"Pod {meta['namespace']}/{meta['name']}",
        host=in_family(pod_addresses(pod), family) if family else pod["status"]["podIP"],
        port=port or (UDP_PORT if protocol == "UDP" else HTTP_PORT),
        backends={meta["name"]: pod["spec"]["nodeName"]},
        protocol=protocol,
        node=pod["spec"]["nodeName"],
        large=large,
        url_path=url_path,
    )


@dataclass(frozen=True)
class Exposed:
    """A Service and the Pods behind it, as the API showed them. `domain` is the cluster's DNS domain."""

    service: Object
    pods: tuple[Object, ...]
    domain: str = "cluster.local"
    pod_port: int = HTTP_PORT
    url_path: str = "/hostname"
    port: int = HTTP_SERVICE_PORT
    udp_port: int = UDP_SERVICE_PORT

    @property
    def names(self) -> frozenset[str]:
        """The names that must answer."""
        return frozenset(pod["metadata"]["name"] for pod in self.pods)

    @property
    def cluster_ip(self) -> str:
        """The Service's first ClusterIP."""
        return str(self.service["spec"]["clusterIP"])

    @property
    def family(self) -> str:
        """The IP family of that address."""
        return family_of(self.cluster_ip)

    @property
    def dns_name(self) -> str:
        """The Service's full name in the cluster's DNS."""
        meta = self.service["metadata"]
        return f"{meta['name']}.{meta['namespace']}.svc.{self.domain}"

    def by_cluster_ip(self) -> Target:
        """TCP to the ClusterIP."""
        return self._target("ClusterIP", self.cluster_ip, self.port)

    def by_cluster_ip_udp(self) -> Target:
        """UDP to the ClusterIP."""
        return self._target("ClusterIP UDP", self.cluster_ip, self.udp_port, protocol="UDP")

    def by_name(self) -> Target:
        """TCP to the Service's DNS name."""
        return self._target("DNS name", self.dns_name, self.port)

    def every_way(self) -> list[Target]:
        """TCP and UDP, by address and by name."""
        return [self.by_cluster_ip(), self.by_name(), self.by_cluster_ip_udp()]

    def by_node_port(self, node: NodeFact, port_name: str = "http") -> Target:
        """TCP to the NodePort on a Node's InternalIP."""
        port = next(p["nodePort"] for p in self.service["spec"]["ports"] if p.get("name", "http") == port_name)
        return self._target("NodePort", in_family(node.internal_ips, self.family), port, node=node.name)

    def by_node_ports(self, nodes: Iterable[NodeFact], port_name: str = "http") -> list[Target]:
        """TCP to the NodePort on each Node."""
        return [self.by_node_port(node, port_name) for node in nodes]

    def _target(self, path: str, host: str, port: int, *, protocol: str = "TCP", node: str = "") -> Target:
        meta = self.service["metadata"]
        return Target(
            path=path,
            what=f"Service {meta['namespace']}/{meta['name']}",
            host=host,
            port=port,
            backends={pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in self.pods},
            protocol=protocol,
            node=node,
            url_path=self.url_path,
            direct={pod["metadata"]["name"]: self._direct(pod) for pod in self.pods},
        )

    def _direct(self, pod: Object) -> str:
        address = in_family(pod_addresses(pod), self.family)
        return f"[{address}]:{self.pod_port}" if ":" in address else f"{address}:{self.pod_port}"
