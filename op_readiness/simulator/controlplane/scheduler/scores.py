"""Which of the Nodes that fit is best: few like Pods there, much left free, what the Pod prefers."""

from __future__ import annotations

from collections.abc import Sequence

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.selectors import labels_of
from op_readiness.simulator.controlplane.informers.stores import controller_of
from op_readiness.simulator.controlplane.scheduler.filters import Wish
from op_readiness.simulator.controlplane.scheduler.placement import term_matches, tolerates
from op_readiness.simulator.controlplane.scheduler.snapshot import NodeState, Snapshot
from op_readiness.simulator.controlplane.scheduler.topology import counted, term_meets

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
LIKE_PODS, FREE, AFFINITY, TAINTS, SPREAD, NEAR = 2.0, 1.0, 2.0, 3.0, 2.0, 2.0  # weights as in the default profile
LEAST = {"cpu": 100, "memory": 200 * 2**20}  # what a Pod without requests counts as


def best(wish: Wish, fitting: Sequence[NodeState], snapshot: Snapshot) -> NodeState:
    """The best Node; of equal ones the emptiest, then the first by name."""
    if len(fitting) == 1:
        return fitting[0]
    pod = wish.pod
    totals = dict.fromkeys((state.name for state in fitting), 0.0)
    parts = (
        (LIKE_PODS, [-float(_like(pod, state)) for state in fitting]),
        (AFFINITY, [_preferred(pod, state) for state in fitting]),
        (TAINTS, [-float(_soft_taints(pod, state)) for state in fitting]),
        (SPREAD, _soft_spread(pod, fitting)),
        (NEAR, _near(pod, fitting, snapshot)),
    )
    for weight, values in parts:
        for state, value in zip(fitting, _normal(values), strict=True):
            totals[state.name] += weight * value
    for state in fitting:
        totals[state.name] += FREE * _free(wish, state)
    return min(fitting, key=lambda state: (-round(totals[state.name], 6), len(state.pods), state.name))


def _normal(values: Sequence[float]) -> list[float]:
    """Values spread over 0 to 1; all alike come to 0."""
    low, high = min(values), max(values)
    return [0.0 if high == low else (value - low) / (high - low) for value in values]


def _like(pod: Object, state: NodeState) -> int:
    """Pods there with the same controller, or of a bare Pod with the same labels."""
    owner, labels, namespace = controller_of(pod), labels_of(pod), pod["metadata"]["namespace"]
    if owner is None and not labels:
        return 0
    return sum(
        1 for (where, _), other in state.pods.items()
        if where == namespace and _alike(owner, labels, other)
    )


def _alike(owner: Object | None, labels: object, other: Object) -> bool:
    theirs = controller_of(other)
    if owner is not None:
        return theirs is not None and bool(theirs["uid"] == owner["uid"])
    return theirs is None and labels_of(other) == labels


def _free(wish: Wish, state: NodeState) -> float:
    shares = []
    for name, least in LEAST.items():
        capacity = state.allocatable.get(name, 0)
        used = max(state.used.get(name, 0), least * len(state.pods)) + max(wish.requests.get(name, 0), least)
        shares.append(max(0.0, 1 - used / capacity) if capacity else 0.0)
    return sum(shares) / len(shares)


def _preferred(pod: Object, state: NodeState) -> float:
    terms = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(PREFERRED) or []
    return float(sum(each["weight"] for each in terms if term_matches(each["preference"], state.node)))


def _soft_taints(pod: Object, state: NodeState) -> int:
    tolerations = pod["spec"].get("tolerations") or []
    soft = [each for each in state.node["spec"].get("taints") or [] if each["effect"] == "PreferNoSchedule"]
    return sum(1 for taint in soft if not any(tolerates(each, taint) for each in tolerations))


def _soft_spread(pod: Object, fitting: Sequence[NodeState]) -> list[float]:
    constraints = pod["spec"].get("topologySpreadConstraints") or []
    soft = [each for each in constraints if each["whenUnsatisfiable"] == "ScheduleAnyway"]
    values = [0.0] * len(fitting)
    for constraint in soft:
        key = constraint["topologyKey"]
        domains: dict[str, int] = {}
        for state in fitting:
            value = state.labels.get(key, "")
            domains[value] = domains.get(value, 0) + counted(pod, state, constraint)
        values = [
            value - domains[state.labels.get(key, "")] for value, state in zip(values, fitting, strict=True)
        ]
    return values


def _near(pod: Object, fitting: Sequence[NodeState], snapshot: Snapshot) -> list[float]:
    """Preferred affinity to other Pods, and against them."""
    affinity = pod["spec"].get("affinity") or {}
    wishes = [(1, each) for each in (affinity.get("podAffinity") or {}).get(PREFERRED) or []]
    wishes += [(-1, each) for each in (affinity.get("podAntiAffinity") or {}).get(PREFERRED) or []]
    weights: dict[tuple[str, str], float] = {}
    for sign, each in wishes:
        term = each["podAffinityTerm"]
        for other, state in snapshot.placed():
            value = state.labels.get(term["topologyKey"])
            if value is not None and term_meets(term, pod, other, snapshot.namespaces):
                pair = (term["topologyKey"], value)
                weights[pair] = weights.get(pair, 0.0) + sign * each["weight"]
    return [
        sum(weight for (key, value), weight in weights.items() if state.labels.get(key) == value) for state in fitting
    ]
