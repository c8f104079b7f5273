"""What NetworkPolicies say of who may reach whom, and whether anything in the cluster would enforce them.

The truth is computed from the policies that a test has applied, as the API defines them: a Pod that no policy selects
takes everybody and goes everywhere, one that some select takes what any of them allows, and a Pod always reaches
itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import Forbidden

Policy = Mapping[str, Any]
ENGINES = (
    "calico", "canal", "antrea", "cilium", "kube-router", "weave", "azure-npm", "ovn", "kube-ovn", "network-policy",
)  # fmt: skip
"""Words in the names of DaemonSets, or of their images, whose Pods enforce NetworkPolicies on Nodes."""


@dataclass(frozen=True)
class Member:
    """A Pod as policies see it. `namespace_labels` are those of its Namespace."""

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Door:
    """A port of a Pod, to which a connection goes: its number, its name in the Pod (or none), its protocol."""

    number: int
    name: str = ""
    protocol: str = "TCP"


def ingress_allowed(policies: Iterable[Policy], source: Member, target: Member, door: Door | None = None) -> bool:
    """Whether the policies let `source` in at `target` (at `door`, if rules name ports); raises ValueError for a rule
    of a kind not known here.
    """
    return _side_allows(policies, "Ingress", target, source, door)


def egress_allowed(policies: Iterable[Policy], source: Member, target: Member, door: Door | None = None) -> bool:
    """Whether the policies let `source` out to `target`; raises ValueError for a rule of a kind not known here."""
    return _side_allows(policies, "Egress", source, target, door)


def _side_allows(policies: Iterable[Policy], side: str, own: Member, peer: Member, door: Door | None) -> bool:
    selecting = [one for one in policies if _selects(one, side, own)]
    return not selecting or any(
        _rule_allows(rule, one, side, peer, door) for one in selecting for rule in one["spec"].get(side.lower()) or []
    )


def engines(cluster: Cluster) -> list[str] | None:
    """DaemonSets that enforce NetworkPolicies, as `namespace/name`; None where we may not look."""
    try:
        found = cluster.list("DaemonSet")
    except Forbidden:
        return None
    return sorted(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in found if is_engine(one))


def is_engine(daemon_set: Mapping[str, Any]) -> bool:
    """Whether a DaemonSet's name or an image of it is that of a known policy engine."""
    containers = daemon_set["spec"]["template"]["spec"].get("containers") or []
    words = [daemon_set["metadata"]["name"], *(container.get("image", "") for container in containers)]
    return any(engine in word for engine in ENGINES for word in words)


def _selects(policy: Policy, side: str, pod: Member) -> bool:
    types = policy["spec"].get("policyTypes") or ["Ingress"]
    here = policy["metadata"]["namespace"] == pod.namespace
    return here and side in types and _fits(policy["spec"].get("podSelector") or {}, pod.labels)


def _rule_allows(rule: Mapping[str, Any], policy: Policy, side: str, peer: Member, door: Door | None) -> bool:
    named = {"Ingress": "from", "Egress": "to"}[side]
    if unknown := sorted(set(rule) - {named, "ports"}):
        raise ValueError(f"a rule with {unknown[0]} is not known here")
    peers, ports = rule.get(named) or [], rule.get("ports") or []
    if ports and door is None:
        raise ValueError("a rule with ports allows nothing that can be said of no port")
    return (not peers or any(_peer_fits(one, policy, peer) for one in peers)) and (
        door is None or not ports or any(_port_fits(one, door) for one in ports)
    )


def _port_fits(port: Mapping[str, Any], door: Door) -> bool:
    if port.get("protocol", "TCP") != door.protocol:
        return False
    first = port.get("port")
    if first is None:
        return True
    return first == door.name if isinstance(first, str) else first <= door.number <= port.get("endPort", first)


def _peer_fits(peer: Mapping[str, Any], policy: Policy, source: Member) -> bool:
    if unknown := sorted(set(peer) - {"podSelector", "namespaceSelector"}):
        raise ValueError(f"a peer by {unknown[0]} is not known here")
    spaces = peer.get("namespaceSelector")
    if spaces is None:
        near = source.namespace == policy["metadata"]["namespace"]
    else:
        near = _fits(spaces, source.namespace_labels)
    return near and _fits(peer.get("podSelector") or {}, source.labels)


def _fits(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    if unknown := sorted(set(selector) - {"matchLabels"}):
        raise ValueError(f"a selector with {unknown[0]} is not known here")
    return all(labels.get(name) == value for name, value in (selector.get("matchLabels") or {}).items())
