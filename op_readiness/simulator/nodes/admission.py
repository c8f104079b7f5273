"""What a kubelet refuses to run although it is bound to its Node, with a kubelet's reasons and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.quantities import bytes_of, millicores_of


@dataclass(frozen=True)
class Refusal:
    """Why a Pod is rejected."""

    reason: str
    message: str


def refusal(pod: Object, node: Object, others: Iterable[Object], looks_at_os: bool = True) -> Refusal | None:
    """The first reason against `pod` on `node` where `others` run already; None: it is admitted.

    `looks_at_os`: whether this kubelet knows of spec.os and of the label of an operating system.
    """
    labels = node["metadata"].get("labels") or {}
    by_os = _by_os_label(pod, labels) or _by_os_field(pod, labels) if looks_at_os else None
    return (
        by_os
        or _by_selector(pod, labels)
        or _by_resources(pod, node["status"]["allocatable"], list(others))
    )


def _by_os_label(pod: Object, labels: dict[str, str]) -> Refusal | None:
    """A label of the Pod itself (rejectPodAdmissionBasedOnOSSelector); a nodeSelector is a matter of node affinity."""
    wanted = (pod["metadata"].get("labels") or {}).get("kubernetes.io/os")
    if wanted is None or wanted == labels.get("kubernetes.io/os"):
        return None
    return Refusal(
        "PodOSSelectorNodeLabelDoesNotMatch",
        "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    )


def _by_os_field(pod: Object, labels: dict[str, str]) -> Refusal | None:
    wanted = (pod["spec"].get("os") or {}).get("name")
    if wanted is None or wanted == labels.get("kubernetes.io/os"):
        return None
    return Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS")


def _by_selector(pod: Object, labels: dict[str, str]) -> Refusal | None:
    selector = pod["spec"].get("nodeSelector") or {}
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = (affinity or {}).get("nodeSelectorTerms")
    fits = all(labels.get(key) == value for key, value in selector.items()) and (
        terms is None or any(_term_fits(term, labels) for term in terms)
    )
    if fits:
        return None
    return Refusal("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")


def _term_fits(term: Object, labels: dict[str, str]) -> bool:
    return all(_expression_fits(one, labels) for one in term.get("matchExpressions") or [])


def _expression_fits(one: Object, labels: dict[str, str]) -> bool:
    value, values = labels.get(one["key"]), one.get("values") or []
    checks: dict[str, Callable[[], bool]] = {
        "In": lambda: value in values,
        "NotIn": lambda: value not in values,
        "Exists": lambda: value is not None,
        "DoesNotExist": lambda: value is None,
        "Gt": lambda: value is not None and int(value) > int(values[0]),
        "Lt": lambda: value is not None and int(value) < int(values[0]),
    }
    return checks[one["operator"]]()


def _by_resources(pod: Object, allocatable: dict[str, str], others: list[Object]) -> Refusal | None:
    if len(others) + 1 > int(allocatable["pods"]):
        return Refusal("OutOfpods", _too_much("pods", 1, len(others), int(allocatable["pods"])))
    for resource, measure in (("cpu", millicores_of), ("memory", bytes_of)):
        asked = requested(pod, resource, measure)
        used = sum(requested(other, resource, measure) for other in others)
        capacity = measure(allocatable[resource])
        if asked and asked + used > capacity:
            return Refusal(f"OutOf{resource}", _too_much(resource, asked, used, capacity))
    return None


def _too_much(resource: str, asked: int, used: int, capacity: int) -> str:
    return f"Node didn't have enough resource: {resource}, requested: {asked}, used: {used}, capacity: {capacity}"


def requested(pod: Object, resource: str, measure: Callable[[Any], int]) -> int:
    """What a Pod requests: its containers and sidecars together, or its largest init container, and its overhead."""
    spec = pod["spec"]
    inits = spec.get("initContainers") or []
    sidecars = [one for one in inits if one.get("restartPolicy") == "Always"]
    together = sum(_request(one, resource, measure) for one in [*spec["containers"], *sidecars])
    largest = max((_request(one, resource, measure) for one in inits), default=0)
    return max(together, largest) + measure((spec.get("overhead") or {}).get(resource, 0))


def _request(container: Object, resource: str, measure: Callable[[Any], int]) -> int:
    return measure(((container.get("resources") or {}).get("requests") or {}).get(resource, 0))
