"""Label selectors: does this object's label map match?"""

from __future__ import annotations

from collections.abc import Mapping

from op_readiness.simulator.api import Object

Labels = Mapping[str, str]


def matches(selector: Object | None, labels: Labels) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) matches; none matches nothing, an empty one all."""
    if selector is None:
        return False
    if not subset(selector.get("matchLabels"), labels):
        return False
    return all(requirement_met(each, labels) for each in selector.get("matchExpressions") or [])


def subset(wanted: Labels | None, labels: Labels) -> bool:
    """Whether every wanted label is there with that value."""
    return all(labels.get(key) == value for key, value in (wanted or {}).items())


def requirement_met(requirement: Object, labels: Labels) -> bool:
    """One requirement of a selector: In, NotIn, Exists, DoesNotExist, Gt, Lt."""
    key, operator, values = requirement["key"], requirement["operator"], requirement.get("values") or []
    present = key in labels
    if operator == "In":
        return present and labels[key] in values
    if operator == "NotIn":
        return not present or labels[key] not in values
    if operator == "Exists":
        return present
    if operator == "DoesNotExist":
        return not present
    if operator in ("Gt", "Lt"):
        return present and _compares(operator, labels[key], values)
    raise ValueError(f"selector operator {operator!r} is not known")


def _compares(operator: str, label: str, values: list[str]) -> bool:
    try:
        have, bound = int(label), int(values[0])
    except (ValueError, IndexError):
        return False
    return have > bound if operator == "Gt" else have < bound


def labels_of(obj: Object) -> Labels:
    """The labels of an object, empty when it has none."""
    labels: Labels = obj["metadata"].get("labels") or {}
    return labels
