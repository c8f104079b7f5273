"""Why a Pod cannot be on a Node now, in the scheduler's words. The first filter that objects has the say."""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.scheduler.placement import node_matches, term_matches, untolerated
from op_readiness.simulator.controlplane.scheduler.quantities import Amounts
from op_readiness.simulator.controlplane.scheduler.snapshot import NodeState, Port, ports_collide
from op_readiness.simulator.controlplane.scheduler.topology import Rules

UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
COUNTED = ("cpu", "memory", "ephemeral-storage")


@dataclass(frozen=True)
class Objection:
    """The reasons of one Node; `final` when no deletion of other Pods could help."""

    reasons: tuple[str, ...]
    final: bool = True


@dataclass(frozen=True)
class Wish:
    """One Pod to place, with what is computed of it once."""

    pod: Object
    requests: Amounts
    ports: list[Port]
    rules: Rules
    volume_terms: tuple[list[Object], ...] = ()


def objection(wish: Wish, state: NodeState) -> Objection | None:
    """What speaks against the Node, or None when the Pod fits."""
    return (
        _node(wish.pod, state)
        or _ports(wish, state)
        or _resources(wish, state)
        or _volumes(wish, state)
        or _spread(wish, state)
        or _other_pods(wish, state)
    )


def _node(pod: Object, state: NodeState) -> Objection | None:
    tolerations, spec = pod["spec"].get("tolerations") or [], state.node["spec"]
    if spec.get("unschedulable") and untolerated(tolerations, [UNSCHEDULABLE]):
        return Objection(("node(s) were unschedulable",))
    if spec.get("taints") and untolerated(tolerations, spec["taints"]):
        return Objection(("node(s) had untolerated taint(s)",))
    if not node_matches(pod, state.node):
        return Objection(("node(s) didn't match Pod's node affinity/selector",))
    return None


def _ports(wish: Wish, state: NodeState) -> Objection | None:
    if wish.ports and ports_collide(wish.ports, state.ports):
        return Objection(("node(s) didn't have free ports for the requested pod ports",), final=False)
    return None


def _resources(wish: Wish, state: NodeState) -> Objection | None:
    reasons: list[str] = []
    final = False
    if len(state.pods) + 1 > state.room_for_pods:
        reasons.append("Too many pods")
    for name in sorted(wish.requests, key=_order):
        wanted, capacity = wish.requests[name], state.allocatable.get(name, 0)
        if wanted > 0 and wanted > capacity - state.used.get(name, 0):
            reasons.append(f"Insufficient {name}")
            final = final or wanted > capacity
    return Objection(tuple(reasons), final) if reasons else None


def _order(resource: str) -> tuple[int, str]:
    return (COUNTED.index(resource) if resource in COUNTED else len(COUNTED)), resource


def _volumes(wish: Wish, state: NodeState) -> Objection | None:
    if all(any(term_matches(term, state.node) for term in terms) for terms in wish.volume_terms):
        return None
    return Objection(("node(s) didn't match PersistentVolume's node affinity",))


def _spread(wish: Wish, state: NodeState) -> Objection | None:
    for spread in wish.rules.spreads:
        value = state.labels.get(spread.key)
        if value is None:
            return Objection(("node(s) didn't match pod topology spread constraints (missing required label)",))
        if spread.counts[value] + spread.self_matches - spread.fewest > spread.max_skew:
            return Objection(("node(s) didn't match pod topology spread constraints",), final=False)
    return None


def _other_pods(wish: Wish, state: NodeState) -> Objection | None:
    rules, labels = wish.rules, state.labels
    if rules.affinity_keys:
        has_keys = all(key in labels for key in rules.affinity_keys)
        near = has_keys and all((key, labels[key]) in rules.attracted for key in rules.affinity_keys)
        if not near and not (has_keys and rules.first_of_its_kind):
            return Objection(("node(s) didn't match pod affinity rules",))
    if any(labels.get(key) == value for key, value in rules.repelled):
        return Objection(("node(s) didn't match pod anti-affinity rules",), final=False)
    if any(labels.get(key) == value for key, value in rules.unwelcome):
        return Objection(("node(s) didn't satisfy existing pods anti-affinity rules",), final=False)
    return None
