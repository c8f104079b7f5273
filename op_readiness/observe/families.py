"""IP families: which address of several is of a family, which families the cluster's Services have, and who lacks one.

A family is never skipped because Windows lacks it: what the Service range or the Linux Nodes have, Windows must have.
By design only an overlay network cannot: Windows' win-overlay has no IPv6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import Invalid
from op_readiness.model.facts import NodeFact

Object = Mapping[str, Any]
FAMILIES = ("IPv4", "IPv6")
OVERLAY_SOURCE = "kubernetes.io, concepts/services-networking/windows-networking: overlay networks have IPv4 only"
OVERLAYS = {
    "flannel.alpha.coreos.com/backend-type": "vxlan",
    "projectcalico.org/IPv4VXLANTunnelAddr": "",
}
"""Annotations by which a CNI says that a Node is part of an overlay, and their value where it matters."""


def family_of(address: str) -> str:
    """IPv4 or IPv6."""
    return "IPv6" if ":" in address else "IPv4"


def in_family(addresses: Iterable[str], family: str) -> str:
    """The first address of a family; empty when there is none."""
    return next((address for address in addresses if family_of(address) == family), "")


def pod_addresses(pod: Object) -> list[str]:
    """All addresses of a Pod, the first being `podIP`."""
    status = pod.get("status") or {}
    return [one["ip"] for one in status.get("podIPs") or []] or [ip for ip in [status.get("podIP")] if ip]


def as_now(cluster: Cluster, nodes: Iterable[NodeFact]) -> list[NodeFact]:
    """The Nodes with the InternalIPs that their status lists now: they are judged, so what was known before is not."""
    return [replace(node, internal_ips=_internal_ips(cluster.get("Node", node.name))) for node in nodes]


def service_families(cluster: Cluster, sample: Object) -> list[str]:
    """The families in which the API server would make the Service `sample` (nothing is made)."""
    return [family for family in FAMILIES if _would_make(cluster, sample, ipFamilies=[family])]


def both_at_once(cluster: Cluster, sample: Object) -> bool:
    """Whether the API server would make it with an address of each family."""
    return _would_make(cluster, sample, ipFamilyPolicy="RequireDualStack")


def is_overlay(node: Object) -> bool:
    """Whether a Node says that its Pods are in an overlay network (VXLAN)."""
    said = node["metadata"].get("annotations") or {}
    return any(name in said and value in ("", said[name]) for name, value in OVERLAYS.items())


def _internal_ips(node: Object) -> tuple[str, ...]:
    addresses = (node.get("status") or {}).get("addresses") or []
    return tuple(one["address"] for one in addresses if one["type"] == "InternalIP")


def _would_make(cluster: Cluster, sample: Object, **spec: Any) -> bool:
    try:
        cluster.create({**sample, "spec": {**sample["spec"], **spec}}, dry_run=True)
    except Invalid:
        return False
    return True
