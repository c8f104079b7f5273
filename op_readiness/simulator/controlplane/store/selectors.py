"""Label and field selectors of lists and watches, with the server's own refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from op_readiness.simulator.controlplane.wire.failures import bad_request

Object = dict[str, Any]
Match = Callable[[Object], bool]
REQUIREMENT = re.compile(
    r"\s*(?:"
    r"(?P<absent>!)\s*(?P<absent_key>[\w./-]+)"
    r"|(?P<set_key>[\w./-]+)\s+(?P<set>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|(?P<key>[\w./-]+)\s*(?P<equal>==|=|!=)\s*(?P<value>[\w.-]*)"
    r"|(?P<number_key>[\w./-]+)\s*(?P<number>>|<|gt|lt)\s*(?P<bound>-?\d+)"
    r"|(?P<exists>[\w./-]+)"
    r")\s*(?:,|$)"
)
OPERATORS = "in, notin, =, ==, !=, gt, lt"
POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
)
FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": POD_FIELDS,
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase", "name"),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "ReplicaSet": ("status.replicas",),
    "ReplicationController": ("status.replicas",),
    "Job": ("status.successful",),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
}
EVENTS_K8S = {name.replace("involvedObject", "regarding"): name for name in FIELDS["Event"]} | {
    "reportingController": "reportingComponent"
}


def label_match(text: str) -> Match | None:
    """A test of an object's labels; None where the selector is empty and all match."""
    if not text.strip():
        return None
    tests, position = [], 0
    while position < len(text):
        found = REQUIREMENT.match(text, position)
        if found is None or found.end() == position:
            raise bad_request(_unparsable(text[position:]))
        tests.append(_label_test(found))
        position = found.end()
    return lambda obj: _all(tests, obj["metadata"].get("labels") or {})


def _all(tests: list[Callable[[Object], bool]], labels: Object) -> bool:
    return all(test(labels) for test in tests)


def _unparsable(rest: str) -> str:
    words = rest.replace(",", " , ").split()
    if len(words) > 1 and words[1] in ("in", "notin"):
        return f"unable to parse requirement: found '{words[2] if len(words) > 2 else ''}' expected: '('"
    found = words[1] if len(words) > 1 else (words[0] if words else "")
    return f"unable to parse requirement: found '{found}', expected: {OPERATORS}"


def _label_test(found: re.Match[str]) -> Callable[[Object], bool]:
    part = found.groupdict()
    if part["absent"]:
        return lambda labels: part["absent_key"] not in labels
    if part["exists"]:
        return lambda labels: part["exists"] in labels
    if part["number"]:
        return lambda labels: _compares(labels.get(part["number_key"]), part["number"], int(part["bound"]))
    if part["set"]:
        values = {value.strip() for value in part["values"].split(",")}
        return _membership(part["set_key"], values, wanted=part["set"] == "in")
    return _membership(part["key"], {part["value"]}, wanted=part["equal"] != "!=")


def _membership(key: str, values: set[str], *, wanted: bool) -> Callable[[Object], bool]:
    if wanted:
        return lambda labels: labels.get(key) in values
    return lambda labels: labels.get(key) not in values


def _compares(value: str | None, operator: str, bound: int) -> bool:
    try:
        number = int(value or "")
    except ValueError:
        return False
    return number > bound if operator in (">", "gt") else number < bound


def selected(selector: Object | None, labels: Object) -> bool:
    """True where a LabelSelector of an object selects these labels; None selects nothing."""
    if selector is None:
        return False
    wanted: Iterable[tuple[str, Any]] = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in wanted) and all(
        _expression(expression, labels) for expression in selector.get("matchExpressions") or ()
    )


def _expression(expression: Object, labels: Object) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def field_match(text: str, kind: str, *, new_events: bool = False) -> Match | None:
    """A test of an object's fields; None where the selector is empty and all match."""
    tests = []
    for term in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", term)
        if found is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        field, operator, value = found.groups()
        path = EVENTS_K8S.get(field, field) if new_events else field
        if path not in ("metadata.name", "metadata.namespace", *FIELDS.get(kind, ())):
            raise bad_request(f"field label not supported: {field}")
        tests.append((path, operator != "!=", value))
    if not tests:
        return None
    return lambda obj: all((field_value(obj, path) == value) is wanted for path, wanted, value in tests)


def field_value(obj: Object, path: str) -> str:
    """A field as text, as field selectors compare it."""
    if path == "name":
        path = "metadata.name"
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if path in ("spec.unschedulable", "spec.hostNetwork"):
        return "true" if value else "false"
    if path.startswith("status.") and value is None and path.endswith(("replicas", "successful")):
        return "0"
    return "" if value is None else str(value)
