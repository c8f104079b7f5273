"""The DNS configuration of a Pod by dnsPolicy and dnsConfig, as a kubelet hands it to the runtime of its OS.

Windows takes servers and search list and ignores options; ClusterFirstWithHostNet is not supported there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node

CLUSTER_DNS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
NODE_DNS = "10.240.0.3"
"""The resolver that Nodes themselves use."""


@dataclass(frozen=True)
class DnsConfig:
    """Servers, search list and options (`ndots:5`)."""

    servers: tuple[str, ...]
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def resolv_conf(self) -> bytes:
        """The contents of /etc/resolv.conf, in a kubelet's order."""
        lines = [f"search {' '.join(self.searches)}"] if self.searches else []
        lines += [f"nameserver {server}" for server in self.servers]
        lines += [f"options {' '.join(self.options)}"] if self.options else []
        return "".join(f"{line}\n" for line in lines).encode()


def dns_config(pod: Object, node: Node) -> DnsConfig:
    """What the Pod gets on that Node."""
    spec = pod["spec"]
    policy = spec.get("dnsPolicy", "ClusterFirst")
    host_network = bool(spec.get("hostNetwork"))
    if policy == "ClusterFirst" and host_network:
        policy = "Default"
    if policy == "ClusterFirstWithHostNet" and node.os == "windows":
        policy = "Default"
    base = {"None": DnsConfig(()), "Default": DnsConfig((NODE_DNS,))}.get(policy) or _cluster_first(pod)
    return _merged(base, spec.get("dnsConfig") or {}, node.os)


def _cluster_first(pod: Object) -> DnsConfig:
    namespace = pod["metadata"]["namespace"]
    searches = (f"{namespace}.svc.{CLUSTER_DOMAIN}", f"svc.{CLUSTER_DOMAIN}", CLUSTER_DOMAIN)
    return DnsConfig((CLUSTER_DNS,), searches, ("ndots:5",))


def _merged(base: DnsConfig, extra: Object, os: str) -> DnsConfig:
    names = {option["name"] for option in extra.get("options") or []}
    kept = tuple(option for option in base.options if option.partition(":")[0] not in names)
    added = tuple(_option(option) for option in extra.get("options") or [])
    return DnsConfig(
        _unique([*base.servers, *(extra.get("nameservers") or [])])[:3],
        _unique([*base.searches, *(extra.get("searches") or [])])[:32],
        () if os == "windows" else kept + added,
    )


def _option(option: Object) -> str:
    return f"{option['name']}:{option['value']}" if option.get("value") else str(option["name"])


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def hosts_file(pod: Object, node: Node, ips: Sequence[str], hostname: str) -> bytes:
    """The hosts file that a kubelet manages (a host-network Pod gets the Node's own, with the aliases)."""
    if pod["spec"].get("hostNetwork"):
        lines = ["# Kubernetes-managed hosts file (host network).", "127.0.0.1\tlocalhost"]
    else:
        lines = [
            "# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback",
            "fe00::0\tip6-localnet", "fe00::0\tip6-mcastprefix", "fe00::1\tip6-allnodes", "fe00::2\tip6-allrouters",
        ]  # fmt: skip
        lines += [f"{ip}\t{_names(pod, hostname)}" for ip in ips]
    aliases = pod["spec"].get("hostAliases") or []
    if aliases:
        lines += ["", "# Entries added by HostAliases."]
        lines += [f"{alias['ip']}\t" + "\t".join(alias.get("hostnames") or []) for alias in aliases]
    return ("\n".join(lines) + "\n").encode()


def _names(pod: Object, hostname: str) -> str:
    subdomain = pod["spec"].get("subdomain")
    if not subdomain:
        return hostname
    return f"{hostname}.{subdomain}.{pod['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}\t{hostname}"


def hostname_of(pod: Object, node: Node) -> str:
    """What `hostname` says in the Pod."""
    if pod["spec"].get("hostNetwork"):
        return node.name
    name = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return str(name)[:63].rstrip("-.")
