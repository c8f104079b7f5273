"""Decoding of request bodies against the recorded schemas: types, unknown and doubled fields, quantities.

A schema is compiled once into a walk over dicts. Unknown fields are taken out (as decoding into Go structs does) and
named; nulls are taken out; a wrong type is a 400 in the words of Go's JSON decoder.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.controlplane.fields.emptiness import fill
from op_readiness.simulator.controlplane.fields.quantity import canonical
from op_readiness.simulator.controlplane.wire.recorded import kept_when_empty, recorded

RANGES = {"int32": 2**31, "int64": 2**63, "": 2**63}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TOLD_APART = ("supplementalGroups",)
MAPS = ("labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "data", "binaryData")
FREE = (
    "FieldsV1",
    "RawExtension",
    "JSON",
    "JSONSchemaPropsOrArray",
    "JSONSchemaPropsOrBool",
    "JSONSchemaPropsOrStringArray",
)


class Doubled(dict[str, Any]):
    """An object that named a key twice; `keys_twice` says which (JSON), `lines` where in the whole document (YAML)."""

    keys_twice: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class WrongType(ValueError):
    """The body cannot be decoded; the text is Go's."""


@dataclass
class Found:
    """What decoding came upon: strict errors in the order of the body."""

    strict: list[str] = field(default_factory=list)


Walk = Callable[[Any, str, str, str, Found], Any]


def decode(schema: str, body: dict[str, Any], found: Found) -> dict[str, Any]:
    """The body with known fields alone; raises WrongType."""
    decoded: dict[str, Any] = walk_of(schema)(body, "", "", "", found)
    return decoded


def json_type(value: Any) -> str:
    """A value's JSON type as Go names it."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _refuse(value: Any, struct: str, path: str, go_type: str) -> WrongType:
    where = f"Go struct field {struct}.{path}" if struct else "Go value"
    number = (
        f" {value}"
        if isinstance(value, int | float) and not isinstance(value, bool) and go_type.startswith("int")
        else ""
    )
    return WrongType(f"json: cannot unmarshal {json_type(value)}{number} into {where} of type {go_type}")


@functools.cache
def walk_of(name: str) -> Walk:
    """The walk over one named schema."""
    schema = recorded()["schemas"][name]
    short = name.rsplit(".", 1)[1]
    if short in FREE:
        return lambda value, *_: value
    if short == "Quantity":
        return _quantity
    if short == "IntOrString":
        return _int_or_string
    if short in ("Time", "MicroTime"):
        return _time
    return _struct(name, schema.get("properties"))


def _go_type(name: str) -> str:
    package, short = name.rsplit(".", 2)[1:]
    return f"{package}.{short}"


def _struct(name: str, properties: dict[str, Any] | None) -> Walk:
    short, go_type, kept = name.rsplit(".", 1)[1], _go_type(name), kept_when_empty(name)
    compiled: dict[str, Walk] = {}

    def walk(value: Any, struct: str, path: str, indexed: str, found: Found) -> Any:
        if not isinstance(value, dict):
            raise _refuse(value, struct, path, go_type)
        if not compiled and properties:
            compiled.update({key: _compiled(schema) for key, schema in properties.items()})
        if isinstance(value, Doubled):
            found.strict += [f'duplicate field "{_joined(indexed, key)}"' for key in value.keys_twice]
        decoded = {}
        for key, item in value.items():
            below = compiled.get(key)
            if below is None:
                found.strict.append(f'unknown field "{_joined(indexed, key)}"')
            elif item is not None:
                kept_item = below(item, short, _joined(path, key), _joined(indexed, key), found)
                if kept_item or kept is None or key in kept or not _empty(key, kept_item):
                    decoded[key] = kept_item
        fill(name, decoded)
        return decoded

    return walk


def _empty(key: str, item: Any) -> bool:
    """True for what Go's JSON leaves out; an empty struct counts as something, an empty map does not."""
    return key not in TOLD_APART and (item in ("", 0, False) or item == [] or (item == {} and key in MAPS))


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _later(name: str) -> Walk:
    """The walk over a schema that may refer to itself."""

    def walk(value: Any, struct: str, path: str, indexed: str, found: Found) -> Any:
        return walk_of(name)(value, struct, path, indexed, found)

    return walk


def _compiled(schema: dict[str, Any]) -> Walk:
    reference = _reference(schema)
    if reference:
        return _later(reference)
    kind = schema.get("type")
    if kind == "array":
        return _array(_compiled(schema["items"]), _type_name(schema))
    if kind == "object":
        return _map(schema)
    return _scalar(kind, schema.get("format", ""))


def _reference(schema: dict[str, Any]) -> str:
    reference = schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref") or ""
    return str(reference).rsplit("/", 1)[-1]


def _scalar(kind: str | None, form: str) -> Walk:
    walks: dict[str | None, Walk] = {
        "boolean": _boolean,
        "string": _bytes if form == "byte" else _string,
        "number": _number,
    }
    if kind == "integer":
        return _integer(form)
    return walks.get(kind, lambda value, *_: value)


SCALAR_TYPES = {"boolean": "bool", "number": "float64"}


def _type_name(schema: dict[str, Any]) -> str:
    reference, kind = _reference(schema), schema.get("type", "")
    if reference:
        return _go_type(reference)
    if kind == "array":
        return f"[]{_type_name(schema['items'])}"
    if kind == "object":
        return f"map[string]{_type_name(schema.get('additionalProperties') or {})}"
    return str(schema.get("format", "int64")) if kind == "integer" else SCALAR_TYPES.get(kind, "string")


def _array(item: Walk, go_type: str) -> Walk:
    def walk(value: Any, struct: str, path: str, indexed: str, found: Found) -> Any:
        if not isinstance(value, list):
            raise _refuse(value, struct, path, go_type)
        return [item(each, struct, path, f"{indexed}[{i}]", found) for i, each in enumerate(value)]

    return walk


def _map(schema: dict[str, Any]) -> Walk:
    go_type, below = _type_name(schema), schema.get("additionalProperties")
    item = _compiled(below) if below else None

    def walk(value: Any, struct: str, path: str, indexed: str, found: Found) -> Any:
        if not isinstance(value, dict):
            raise _refuse(value, struct, path, go_type)
        if isinstance(value, Doubled):
            found.strict += [f'duplicate field "{_joined(indexed, key)}"' for key in value.keys_twice]
        if item is None:
            return dict(value)
        return {
            key: item("" if each is None else each, struct, path, _joined(indexed, key), found)
            for key, each in value.items()
        }

    return walk


def _boolean(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if value is not True and value is not False:
        raise _refuse(value, struct, path, "bool")
    return value


def _string(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if not isinstance(value, str):
        raise _refuse(value, struct, path, "string")
    return value


def _bytes(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if not isinstance(value, str):
        raise _refuse(value, struct, path, "[]uint8")
    bad = re.search(r"[^A-Za-z0-9+/=\r\n]", value)
    at = bad.start() if bad else len(value.rstrip("=")) if len(value) % 4 else -1
    if at >= 0:
        raise WrongType(f"illegal base64 data at input byte {at}")
    return value


def _integer(form: str) -> Walk:
    go_type, limit = form or "int64", RANGES[form]

    def walk(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or not -limit <= value < limit:
            raise _refuse(value, struct, path, go_type)
        return value

    return walk


def _number(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _refuse(value, struct, path, "float64")
    return value


def _quantity(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongType("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    try:
        return canonical(str(value))
    except ValueError as error:
        raise WrongType(str(error)) from error


def _int_or_string(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _refuse(value, struct, path, "int32" if isinstance(value, float) else "string")
    return value


def _time(value: Any, struct: str, path: str, _: str, __: Found) -> Any:
    if not isinstance(value, str):
        raise _refuse(value, struct, path, "string")
    if not TIME.fullmatch(value):
        raise WrongType(f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"')
    return value
