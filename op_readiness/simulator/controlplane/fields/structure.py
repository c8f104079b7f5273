"""Objects as server-side apply sees them: which lists and maps merge by key and which are one value.

The kinds of lists and maps are recorded with the schemas. The rules (what counts as a leaf, what a comparison calls
added, modified or removed, how items of two lists are ordered) are those of structured-merge-diff.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.controlplane.fields.emptiness import reference
from op_readiness.simulator.controlplane.fields.fieldsets import shown
from op_readiness.simulator.controlplane.wire.recorded import recorded

SCALARS = ("Quantity", "IntOrString", "Time", "MicroTime")
NOTHING: Any = object()


@dataclass
class Type:
    """How one place of an object merges.

    `form`: scalar, map (with `fields`), list; `free` takes whatever is there. `atomic`: one value as a whole.
    `element`: type of the items of a list or of a map without fixed fields. `keys`: what tells items of a list apart
    (None for a list that is a set of plain values), with the defaults of those keys. `scalar`: the JSON type.
    """

    form: str
    atomic: bool = False
    fields: dict[str, Type] = field(default_factory=dict)
    element: Type | None = None
    keys: tuple[str, ...] | None = None
    defaults: dict[str, Any] = field(default_factory=dict)
    scalar: str = ""


SCALAR, FREE = Type("scalar"), Type("free")
FREE.element = FREE


@functools.cache
def type_of(name: str) -> Type:
    """The type of one named schema."""
    schema, short = recorded()["schemas"].get(name, {}), name.rsplit(".", 1)[-1]
    if short in SCALARS:
        return SCALAR
    if "properties" not in schema:
        return FREE
    found = Type("map", schema.get("x-kubernetes-map-type") == "atomic")
    found.fields = _Fields(schema["properties"])
    return found


class _Fields(dict[str, Type]):
    """Types of fields, made when first asked for: schemas refer to themselves."""

    def __init__(self, properties: dict[str, Any]) -> None:
        super().__init__()
        self._properties = properties

    def __contains__(self, key: object) -> bool:
        return key in self._properties

    def __missing__(self, key: str) -> Type:
        self[key] = made = _field(self._properties[key])
        return made


def _field(schema: dict[str, Any]) -> Type:
    name, map_type = reference(schema), schema.get("x-kubernetes-map-type")
    if name:
        found = type_of(name)
        if map_type and found.form == "map" and found.atomic != (map_type == "atomic"):
            return Type("map", map_type == "atomic", found.fields, found.element)
        return found
    if schema.get("type") == "array":
        return _list(schema)
    if schema.get("type") == "object":
        return Type("map", map_type == "atomic", element=_field(schema.get("additionalProperties") or {}))
    return Type("scalar", scalar=schema["type"]) if schema.get("type") else FREE


def _list(schema: dict[str, Any]) -> Type:
    kind, item = schema.get("x-kubernetes-list-type"), schema["items"]
    if kind not in ("map", "set"):
        return Type("list", atomic=True)
    keys = tuple(schema.get("x-kubernetes-list-map-keys", ())) if kind == "map" else None
    properties = recorded()["schemas"].get(reference(item), {}).get("properties", {})
    defaults = {
        key: properties[key]["default"] for key in keys or () if properties.get(key, {}).get("default") is not None
    }
    return Type("list", element=_field(item), keys=keys, defaults=defaults)


def below(kind: Type, name: str) -> Type:
    """The type of a field of a map; what the schema does not know takes anything."""
    if kind.form == "map" and name in kind.fields:
        return kind.fields[name]
    return kind.element or FREE


def of_value(kind: Type, value: Any) -> Type:
    """The type that a place has for this value: free places are deduced from it, lists in them are one value."""
    if kind.form != "free":
        return kind
    if isinstance(value, dict):
        return FREE
    return Type("list", atomic=True) if isinstance(value, list) else SCALAR


class MissingKey(ValueError):
    """An item of a list lacks the field that tells it from others."""


def element(kind: Type, item: Any, index: int) -> str:
    """The path element of an item of a list that is a map or a set."""
    if kind.keys is None:
        return f"v:{json.dumps(item, separators=(',', ':'), ensure_ascii=False)}"
    keys = {}
    for name in sorted(kind.keys):
        value = item.get(name, kind.defaults.get(name))
        if value is None:
            text = f"element {index}: associative list with keys has an element that omits key field {json.dumps(name)}"
            raise MissingKey(f"{text} (and doesn't have default value)")
        keys[name] = value
    return f"k:{json.dumps(keys, separators=(',', ':'), ensure_ascii=False)}"


def items(kind: Type, value: Any) -> dict[str, Any]:
    """Items of a list by their path elements, in their order; of equal ones the first stays."""
    found: dict[str, Any] = {}
    for index, item in enumerate(value or ()):
        found.setdefault(element(kind, item, index), item)
    return found


class Untyped(ValueError):
    """A configuration that does not fit its schema; the text is the server's."""


SCALARS_OF: dict[str, tuple[str, tuple[type, ...]]] = {
    "string": ("string", (str,)),
    "integer": ("numeric (int or float)", (int, float)),
    "number": ("numeric (int or float)", (int, float)),
    "boolean": ("boolean", (bool,)),
}


def check(kind: Type, value: Any, path: str = "") -> None:
    """Refuse a value whose fields the schema does not declare, or whose types are others."""
    if value is None or kind.form == "free":
        return
    if kind.form == "scalar":
        _check_scalar(kind, value, path)
    elif kind.form == "list":
        if not isinstance(value, list):
            raise Untyped(f"{path}: expected list, got &{{{go_text(value)}}}")
        for index, item in enumerate(value) if kind.element else ():
            check(kind.element or FREE, item, path + shown_element(kind, item, index))
    elif not isinstance(value, dict):
        raise Untyped(f"{path}: expected map, got &{{{go_text(value)}}}")
    else:
        for key in sorted(value):
            if kind.element is None and key not in kind.fields:
                raise Untyped(f"{path}.{key}: field not declared in schema")
            check(below(kind, key), value[key], f"{path}.{key}")


def _check_scalar(kind: Type, value: Any, path: str) -> None:
    name, types = SCALARS_OF.get(kind.scalar, ("", (object,)))
    fits = isinstance(value, types) and (kind.scalar == "boolean" or not isinstance(value, bool) or not name)
    if not fits:
        shown = json.dumps(value) if isinstance(value, str) else go_text(value)
        raise Untyped(f"{path}: expected {name}, got &value.valueUnstructured{{Value:{shown}}}")


def go_text(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def shown_element(kind: Type, item: Any, index: int) -> str:
    """An item of a list as texts name it."""
    if kind.atomic:
        return f"[{index}]"
    if kind.keys is not None and not isinstance(item, dict):
        raise Untyped(f"element {index}: associative list with keys may not have non-map elements")
    try:
        return shown(element(kind, item, index))
    except MissingKey as error:
        raise Untyped(str(error)) from error
