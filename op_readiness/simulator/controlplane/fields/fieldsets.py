"""Sets of field paths as managedFields keep them: union, difference, intersection, and the FieldsV1 form.

A set is a tree of dicts keyed by path elements as FieldsV1 writes them (`f:spec`, `k:{"name":"c"}`, `v:"x"`). The key
MEMBER stands in a node that belongs to the set itself. FieldsV1 writes a member without children as `{}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

MEMBER = "."
Fields = dict[str, Any]
ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}


def read(fields_v1: Fields) -> Fields:
    """A set from its FieldsV1 form."""
    return {key: _read(value) for key, value in fields_v1.items()}


def _read(value: Fields) -> Fields:
    if not value:
        return {MEMBER: True}
    return {key: True if key == MEMBER else _read(below) for key, below in value.items()}


def written(fields: Fields) -> Fields:
    """The FieldsV1 form of a set."""
    return {key: _written(fields[key]) for key in sorted(fields)}


def _written(node: Fields) -> Fields:
    if len(node) == 1 and MEMBER in node:
        return {}
    return {key: {} if key == MEMBER else _written(node[key]) for key in sorted(node)}


def union(left: Fields, right: Fields) -> Fields:
    """What is in one of both."""
    merged = dict(left)
    for key, below in right.items():
        merged[key] = union(merged[key], below) if key in merged and key != MEMBER else below
    return merged


def difference(left: Fields, right: Fields) -> Fields:
    """What is in the left set alone."""
    kept: Fields = {}
    for key, below in left.items():
        if key not in right:
            kept[key] = below
        elif key != MEMBER:
            rest = difference(below, right[key])
            if rest:
                kept[key] = rest
    return kept


def intersection(left: Fields, right: Fields) -> Fields:
    """What is in both."""
    kept: Fields = {}
    for key, below in left.items():
        if key not in right:
            continue
        common = True if key == MEMBER else intersection(below, right[key])
        if common:
            kept[key] = common
    return kept


def without(fields: Fields, subtrees: tuple[tuple[str, ...], ...]) -> Fields:
    """The set without everything at and below the named paths."""
    for path in subtrees:
        fields = _without(fields, path)
    return fields


def _without(fields: Fields, path: tuple[str, ...]) -> Fields:
    first, rest = path[0], path[1:]
    if first not in fields:
        return fields
    below = _without(fields[first], rest) if rest else {}
    others = {key: value for key, value in fields.items() if key != first}
    return {**others, first: below} if below else others


def insert(fields: Fields, path: tuple[str, ...]) -> None:
    """Make a path a member."""
    for element in path:
        fields = fields.setdefault(element, {})
    fields[MEMBER] = True


def _rank(element: str) -> tuple[int, str]:
    return ORDER[element[0]], element


def paths(fields: Fields, prefix: str = "") -> Iterator[str]:
    """Members as texts (`.spec.containers[name="c"].image`), in the order in which a real API server names them."""
    elements = sorted((key for key in fields if key != MEMBER), key=_rank)
    for element in elements:
        if MEMBER in fields[element]:
            yield prefix + shown(element)
    for element in elements:
        yield from paths(fields[element], prefix + shown(element))


def shown(element: str) -> str:
    """A path element as texts name it."""
    kind, value = element[0], element[2:]
    if kind == "f":
        return f".{value}"
    if kind == "k":
        keys = sorted(json.loads(value).items())
        return f"[{','.join(f'{name}={json.dumps(key, ensure_ascii=False)}' for name, key in keys)}]"
    return f"[={value}]" if kind == "v" else f"[{value}]"
