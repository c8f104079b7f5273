"""What a kubelet writes into a Pod of its name resolution: /etc/resolv.conf, and the host name.

Servers and search list are the network's (`network.podsettings`); Windows takes no options and has no such file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.network.keys import DnsValue

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node


def resolv_conf(pod: Object, dns: DnsValue) -> bytes:
    """The contents of /etc/resolv.conf, in a kubelet's order."""
    lines = [f"search {' '.join(dns.search)}"] if dns.search else []
    lines += [f"nameserver {server}" for server in dns.servers]
    options = _options(pod, dns)
    lines += [f"options {' '.join(options)}"] if options else []
    return "".join(f"{line}\n" for line in lines).encode()


def _options(pod: Object, dns: DnsValue) -> list[str]:
    asked = (pod["spec"].get("dnsConfig") or {}).get("options") or []
    options = [f"ndots:{dns.ndots}"] if dns.ndots != 1 else []
    others = [one for one in asked if one["name"] != "ndots"]
    return options + [f"{one['name']}:{one['value']}" if one.get("value") else str(one["name"]) for one in others]


def hostname_of(pod: Object, node: Node) -> str:
    """What `hostname` says in the Pod."""
    if pod["spec"].get("hostNetwork"):
        return node.host.fact("os", "host-name").value or node.name
    name = pod["spec"].get("hostnameOverride") or pod["spec"].get("hostname") or pod["metadata"]["name"]
    return str(name)[:63].rstrip("-.")
