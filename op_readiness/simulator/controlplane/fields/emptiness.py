"""What Go writes of a struct although nobody set it: structs that are no pointers, their times, and plain values.

The sources say it (`json` tags and pointers, recorded with the wire format): `lastProbeTime: null`, `resources: {}`.
"""

from __future__ import annotations

import functools
from typing import Any

from op_readiness.simulator.controlplane.wire.recorded import kept_when_empty, pointers, recorded

TIMES = ("Time", "MicroTime")
LEFT_OUT_WHEN_ZERO = ("creationTimestamp",)
ZEROS: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}


def reference(schema: dict[str, Any]) -> str:
    """Name of the schema that a field's schema refers to, or an empty string."""
    found = schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref") or ""
    return str(found).rsplit("/", 1)[-1]


@functools.cache
def structs(name: str) -> dict[str, str]:
    """Fields of a schema that are structs and no pointers, with the names of their schemas."""
    return {key: below for key, below in _references(name).items() if below.rsplit(".", 1)[1] not in TIMES}


@functools.cache
def times(name: str) -> tuple[str, ...]:
    """Fields of a schema that are times and no pointers: null until they are set."""
    found = _references(name)
    return tuple(key for key in found if found[key].rsplit(".", 1)[1] in TIMES and key not in LEFT_OUT_WHEN_ZERO)


def _references(name: str) -> dict[str, str]:
    if kept_when_empty(name) is None:
        return {}
    found = {}
    for key, schema in recorded()["schemas"][name].get("properties", {}).items():
        below = reference(schema)
        plain = "properties" in recorded()["schemas"].get(below, {}) or below.rsplit(".", 1)[-1] in TIMES
        if below and plain and key not in pointers(name):
            found[key] = below
    return found


def fill(name: str, value: dict[str, Any]) -> None:
    """Add to an object of this schema the structs and times that Go writes anyway."""
    for key in times(name):
        value.setdefault(key, None)
    for key, below in structs(name).items():
        if key not in value:
            value[key] = {k: v for k, v in empty(below).items() if v is not None or k in times(below)}


def empty(name: str) -> dict[str, Any]:
    """A new object of this schema that nobody has filled in, as Go sees it."""
    properties = recorded()["schemas"][name]["properties"]
    made: dict[str, Any] = dict.fromkeys(times(name))
    for key in (kept_when_empty(name) or frozenset()) - pointers(name) - structs(name).keys() - made.keys():
        schema = properties.get(key, {})
        made[key] = ZEROS.get(schema.get("type", "")) if schema.get("format") not in ("byte", "date-time") else None
    return {**made, **{key: empty(below) for key, below in structs(name).items()}}
