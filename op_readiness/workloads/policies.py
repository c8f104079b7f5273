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


def _who(label: str) -> Manifest:
    return {"matchLabels": {WHO: label}} if label else {}
