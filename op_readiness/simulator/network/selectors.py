"""Label selectors, as API objects carry them (matchLabels and matchExpressions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether the selector fits; an empty one fits everything."""
    exact = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return all(labels.get(name) == value for name, value in exact.items()) and all(
        _fits(expression, labels) for expression in expressions
    )


def _fits(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    there, values = expression["key"] in labels, expression.get("values") or []
    value = labels.get(expression["key"])
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": there,
        "DoesNotExist": not there,
    }[expression["operator"]]
