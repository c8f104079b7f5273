"""What a kubelet derives from a Pod's spec for its network: DNS servers and search list, and the managed hosts file."""

from __future__ import annotations

from op_readiness.simulator.network.keys import DnsValue
from op_readiness.simulator.network.services import Object

HOSTS_HEAD = """# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


def dns_of(pod: Object, cluster_dns: tuple[str, ...], domain: str, node: DnsValue) -> DnsValue:
    """Servers, search list and ndots of a Pod by its dnsPolicy and dnsConfig; `node` are its Node's own."""
    spec, policy = pod["spec"], pod["spec"].get("dnsPolicy", "ClusterFirst")
    if policy == "ClusterFirst" and spec.get("hostNetwork"):
        policy = "Default"
    if policy == "Default":
        base = node
    elif policy == "None":
        base = DnsValue(())
    else:
        namespace = pod["metadata"].get("namespace", "default")
        search = (f"{namespace}.svc.{domain}", f"svc.{domain}", domain)
        base = DnsValue(cluster_dns, search + node.search, 5)
    extra = spec.get("dnsConfig") or {}
    ndots = base.ndots
    for option in extra.get("options") or []:
        if option.get("name") == "ndots" and str(option.get("value", "")).isdigit():
            ndots = int(option["value"])
    return DnsValue(
        tuple(dict.fromkeys((*base.servers, *(extra.get("nameservers") or [])))),
        tuple(dict.fromkeys((*base.search, *(extra.get("searches") or [])))),
        ndots,
    )


def hosts_file(pod: Object, ips: list[str], domain: str) -> str:
    """The hosts file that a kubelet manages for a Pod."""
    spec, metadata = pod["spec"], pod["metadata"]
    host = spec.get("hostname") or metadata["name"][:63]
    text = HOSTS_HEAD
    for ip in ips:
        if spec.get("subdomain"):
            full = f"{host}.{spec['subdomain']}.{metadata.get('namespace', 'default')}.svc.{domain}"
            text += f"{ip}\t{full}\t{host}\n"
        else:
            text += f"{ip}\t{host}\n"
    if spec.get("hostAliases"):
        text += "\n# Entries added by HostAliases.\n"
        for alias in spec["hostAliases"]:
            text += "\t".join([alias["ip"], *(alias.get("hostnames") or [])]) + "\n"
    return text
