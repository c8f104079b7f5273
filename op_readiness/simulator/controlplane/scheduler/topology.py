"""Rules between Pods: affinity and anti-affinity by topology key, and spreading; computed once a Pod to place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.selectors import labels_of, matches, subset
from op_readiness.simulator.controlplane.scheduler.placement import node_matches, untolerated
from op_readiness.simulator.controlplane.scheduler.snapshot import NodeState, Snapshot

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
Pair = tuple[str, str]


@dataclass
class Spread:
    """One DoNotSchedule constraint with the Pods counted in each domain."""

    key: str
    max_skew: int
    counts: Counter[str]
    fewest: int
    self_matches: bool


@dataclass
class Rules:
    """What the Pods that are there mean for one Pod to place."""

    affinity_keys: list[str] = field(default_factory=list)
    attracted: set[Pair] = field(default_factory=set)
    first_of_its_kind: bool = False
    repelled: set[Pair] = field(default_factory=set)
    unwelcome: set[Pair] = field(default_factory=set)
    spreads: list[Spread] = field(default_factory=list)


def terms_of(pod: Object, kind: str) -> list[Object]:
    """The required terms of podAffinity or podAntiAffinity."""
    terms: list[Object] = ((pod["spec"].get("affinity") or {}).get(kind) or {}).get(REQUIRED) or []
    return terms


def term_meets(term: Object, owner: Object, other: Object, namespaces: Mapping[str, dict[str, str]]) -> bool:
    """Whether a term of `owner` speaks of the Pod `other`."""
    namespace = other["metadata"]["namespace"]
    selector = term.get("namespaceSelector")
    named = term.get("namespaces") or ([] if selector is not None else [owner["metadata"]["namespace"]])
    in_place = namespace in named or (selector is not None and matches(selector, namespaces.get(namespace, {})))
    return in_place and matches(term.get("labelSelector"), labels_of(other))


def rules_for(pod: Object, snapshot: Snapshot) -> Rules:
    """The rules for placing that Pod now."""
    rules = Rules()
    affinity, anti = terms_of(pod, "podAffinity"), terms_of(pod, "podAntiAffinity")
    for other, state in snapshot.averse():
        for term in terms_of(other, "podAntiAffinity"):
            if term_meets(term, other, pod, snapshot.namespaces):
                rules.unwelcome |= _pair(term, state)
    if affinity or anti:
        _other_pods(pod, snapshot, rules, affinity, anti)
    constraints = pod["spec"].get("topologySpreadConstraints") or []
    hard = [each for each in constraints if each["whenUnsatisfiable"] == "DoNotSchedule"]
    rules.spreads = [_spread(pod, snapshot, each, hard) for each in hard]
    return rules


def _other_pods(pod: Object, snapshot: Snapshot, rules: Rules, affinity: list[Object], anti: list[Object]) -> None:
    rules.affinity_keys = [term["topologyKey"] for term in affinity]
    for other, state in snapshot.placed():
        if affinity and all(term_meets(term, pod, other, snapshot.namespaces) for term in affinity):
            for term in affinity:
                rules.attracted |= _pair(term, state)
        for term in anti:
            if term_meets(term, pod, other, snapshot.namespaces):
                rules.repelled |= _pair(term, state)
    itself = bool(affinity) and all(term_meets(term, pod, pod, snapshot.namespaces) for term in affinity)
    rules.first_of_its_kind = itself and not rules.attracted


def _pair(term: Object, state: NodeState) -> set[Pair]:
    value = state.labels.get(term["topologyKey"])
    return set() if value is None else {(term["topologyKey"], value)}


def _spread(pod: Object, snapshot: Snapshot, constraint: Object, hard: list[Object]) -> Spread:
    counts: Counter[str] = Counter()
    keys = [each["topologyKey"] for each in hard]
    for state in snapshot.nodes.values():
        if any(key not in state.labels for key in keys) or not _included(pod, state, constraint):
            continue
        counts[state.labels[constraint["topologyKey"]]] += counted(pod, state, constraint)
    fewest = min(counts.values(), default=0)
    if constraint.get("minDomains") and len(counts) < constraint["minDomains"]:
        fewest = 0
    itself = _selects(pod, constraint, pod)
    return Spread(constraint["topologyKey"], constraint["maxSkew"], counts, fewest, itself)


def counted(pod: Object, state: NodeState, constraint: Object) -> int:
    """How many Pods of that Node a spread constraint counts."""
    namespace = pod["metadata"]["namespace"]
    return sum(
        1 for (where, _), other in state.pods.items()
        if where == namespace and "deletionTimestamp" not in other["metadata"] and _selects(pod, constraint, other)
    )


def _selects(pod: Object, constraint: Object, other: Object) -> bool:
    labels = labels_of(pod)
    same = {key: labels[key] for key in constraint.get("matchLabelKeys") or [] if key in labels}
    return matches(constraint.get("labelSelector"), labels_of(other)) and subset(same, labels_of(other))


def _included(pod: Object, state: NodeState, constraint: Object) -> bool:
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not node_matches(pod, state.node):
        return False
    if constraint.get("nodeTaintsPolicy", "Ignore") == "Honor":
        taints = state.node["spec"].get("taints") or []
        return untolerated(pod["spec"].get("tolerations") or [], taints) is None
    return True
