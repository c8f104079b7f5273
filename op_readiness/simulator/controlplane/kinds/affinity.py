"""What is wrong with a Pod's affinity."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.wire.failures import FieldError, forbidden_field, invalid_value, required

Object = dict[str, Any]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
WITH_VALUES, WITHOUT_VALUES = ("In", "NotIn"), ("Exists", "DoesNotExist")
WEIGHT = "must be in the range 1-100"


def errors(affinity: Object, path: str) -> list[FieldError]:
    """What is wrong with `affinity`, which stands at `path`."""
    found = _of_nodes(affinity.get("nodeAffinity") or {}, f"{path}.nodeAffinity")
    for kind in ("podAffinity", "podAntiAffinity"):
        found += _of_pods(affinity.get(kind) or {}, f"{path}.{kind}")
    return found


def _of_nodes(affinity: Object, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    if affinity.get(REQUIRED) is not None:
        where, terms = f"{path}.{REQUIRED}.nodeSelectorTerms", affinity[REQUIRED].get("nodeSelectorTerms") or []
        if not terms:
            found.append(required(where, "must have at least one node selector term"))
        for index, term in enumerate(terms):
            found += _term(term, f"{where}[{index}]")
    for index, one in enumerate(affinity.get(PREFERRED) or ()):
        where = f"{path}.{PREFERRED}[{index}]"
        found += _weight(one, where)
        found += _term(one.get("preference") or {}, f"{where}.preference")
    return found


def _weight(one: Object, where: str) -> list[FieldError]:
    weight = one.get("weight", 0)
    return [] if 0 < weight <= 100 else [invalid_value(f"{where}.weight", weight, WEIGHT)]


def _term(term: Object, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        found += _expression(expression, f"{path}.matchExpressions[{index}]")
    return found


def _expression(expression: Object, where: str) -> list[FieldError]:
    operator, values = expression.get("operator", ""), expression.get("values") or []
    found = []
    if operator in WITH_VALUES and not values:
        found.append(required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in WITHOUT_VALUES and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        found.append(forbidden_field(f"{where}.values", why))
    elif operator in ("Gt", "Lt") and len(values) != 1:
        found.append(required(f"{where}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    elif operator not in OPERATORS:
        found.append(invalid_value(f"{where}.operator", operator, "not a valid selector operator"))
    key = expression.get("key", "")
    return found + [invalid_value(f"{where}.key", key, why) for why in names.qualified_name(key)]


def _of_pods(affinity: Object, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for index, term in enumerate(affinity.get(REQUIRED) or ()):
        found += _topology(term, f"{path}.{REQUIRED}[{index}]")
    for index, one in enumerate(affinity.get(PREFERRED) or ()):
        where = f"{path}.{PREFERRED}[{index}]"
        found += _weight(one, where)
        found += _topology(one.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm")
    return found


def _topology(term: Object, where: str) -> list[FieldError]:
    key = term.get("topologyKey", "")
    missing = [] if key else [required(f"{where}.topologyKey", "can not be empty")]
    return missing + [invalid_value(f"{where}.topologyKey", key, why) for why in names.qualified_name(key)]
