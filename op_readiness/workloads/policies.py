"""NetworkPolicies that readiness tests apply; those of KEP-2578 are those of test/e2e/network/netpol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from op_readiness.workloads.pods import Manifest

WHO = "pod"
"""The label by which policies tell the Pods of a Namespace apart (a, b, c)."""


def policy(name: str, *, to: str = "", ingress: Sequence[Mapping[str, Any]] | None = None) -> Manifest:
    """An ingress policy for the Pods labelled `to` (all if empty), without its Namespace; no rule allows nobody."""
    spec: Manifest = {"podSelector": _who(to), "policyTypes": ["Ingress"]}
    if ingress is not None:
        spec["ingress"] = [dict(rule) for rule in ingress]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def deny_all() -> Manifest:
    """Nobody reaches any Pod of the Namespace."""
    return policy("deny-all")


def allow_everyone(to: str) -> Manifest:
    """Every Pod of every Namespace reaches the Pods labelled `to`."""
    return policy(f"allow-all-to-{to}", to=to, ingress=[{"from": [{"podSelector": {}, "namespaceSelector": {}}]}])


def allow_only(who: str, to: str) -> Manifest:
    """Of the Pods of the same Namespace those labelled `who` reach those labelled `to`."""
    return policy(f"allow-{who}-to-{to}", to=to, ingress=[{"from": [{"podSelector": _who(who)}]}])


def deny_other_namespaces() -> Manifest:
    """Only Pods of the same Namespace reach its Pods (e2e's `deny-empty-policy`)."""
    return policy("deny-empty-policy", ingress=[{"from": [{"podSelector": {}}]}])


def all_or_nobody(allow: bool) -> Manifest:
    """One policy for every Pod of the Namespace in either of its two forms: everybody reaches them, or nobody does."""
    everyone: list[Manifest] = [{"from": [{"podSelector": {}, "namespaceSelector": {}}]}]
    return policy("all-or-nobody", ingress=everyone if allow else [])


def deny_all_egress() -> Manifest:
    """No Pod of the Namespace reaches anybody, DNS included."""
    return _egress("deny-all-egress")


def allow_egress_to(who: str, port: int | str) -> Manifest:
    """Every Pod of the Namespace reaches one TCP port of those labelled `who`, and by this no DNS."""
    return _egress(f"allow-to-{who}", {"to": [{"podSelector": _who(who)}], "ports": [_port(port)]})


def allow_dns() -> Manifest:
    """Every Pod of the Namespace asks DNS, wherever it is."""
    return _egress("allow-dns", {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]})


def allow_port(port: int | str, to: str, *, last: int = 0) -> Manifest:
    """Everybody reaches the Pods labelled `to`, but only on one TCP port, or from it to `last`."""
    name = f"allow-{port}-to-{to}" if not last else f"allow-{port}-{last}-to-{to}"
    return policy(name, to=to, ingress=[{"ports": [_port(port, last)]}])


def _egress(name: str, *rules: Manifest) -> Manifest:
    spec: Manifest = {"podSelector": {}, "policyTypes": ["Egress"], "egress": list(rules)}
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec,
    }  # fmt: skip


def _port(port: int | str, last: int = 0) -> Manifest:
    return {"protocol": "TCP", "port": port, **({"endPort": last} if last else {})}


def _who(label: str) -> Manifest:
    return {"matchLabels": {WHO: label}} if label else {}
