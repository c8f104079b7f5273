"""May this Pod be on this Node at all: selectors, affinity to Nodes, taints. Pure functions, shared with DaemonSets."""

from __future__ import annotations

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.selectors import labels_of, requirement_met, subset

BLOCKING = ("NoSchedule", "NoExecute")


def required_terms(pod: Object) -> list[Object] | None:
    """The required node affinity terms, or None when the Pod has no such affinity."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if required is None else required.get("nodeSelectorTerms") or []


def node_matches(pod: Object, node: Object) -> bool:
    """Whether nodeSelector and required node affinity accept the Node."""
    if not subset(pod["spec"].get("nodeSelector"), labels_of(node)):
        return False
    terms = required_terms(pod)
    return terms is None or any(term_matches(term, node) for term in terms)


def term_matches(term: Object, node: Object) -> bool:
    """One node selector term: all its expressions and fields; an empty one matches nothing."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    name = {"metadata.name": node["metadata"]["name"]}
    return all(requirement_met(each, labels_of(node)) for each in expressions) and all(
        requirement_met(each, name) for each in fields
    )


def named_nodes(pod: Object) -> set[str] | None:
    """The only Nodes that `matchFields metadata.name` leaves, or None when some term names none."""
    terms = required_terms(pod)
    if not terms:
        return None
    names: set[str] = set()
    for term in terms:
        fields = [each for each in term.get("matchFields") or [] if each["key"] == "metadata.name"]
        named = [set(each["values"]) for each in fields if each["operator"] == "In"]
        if not named:
            return None
        names |= set.intersection(*named)
    return names


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether one toleration covers one taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    if not toleration.get("key"):
        return False
    return bool((toleration.get("value") or "") == (taint.get("value") or ""))


def untolerated(tolerations: list[Object], taints: list[Object], effects: tuple[str, ...] = BLOCKING) -> Object | None:
    """The first taint with one of these effects that no toleration covers."""
    for taint in taints:
        if taint["effect"] in effects and not any(tolerates(each, taint) for each in tolerations):
            return taint
    return None
