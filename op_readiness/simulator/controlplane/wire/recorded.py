"""What was recorded from a real kube-apiserver 1.37.2, loaded once: discovery, schemas, Table columns, default roles.

The file is written by tests/recording/record_control_plane.py; nothing in it is typed by hand.
"""

from __future__ import annotations

import functools
import gzip
import json
from importlib import resources
from typing import Any


def document(name: str) -> bytes:
    """A recorded file as it is stored; `name` is that of a file in data/."""
    return resources.files("op_readiness.simulator.controlplane").joinpath("data", name).read_bytes()


@functools.cache
def recorded() -> dict[str, Any]:
    """The whole recording; shared, so nobody may change it."""
    loaded: dict[str, Any] = json.loads(gzip.decompress(document("kubernetes.json.gz")))
    for custom in _CUSTOM:
        loaded["groups"].append(custom["group"])
        loaded["aggregated"]["/apis"]["items"].append(custom["aggregated"])
        for part in ("resources", "schemas", "columns"):
            loaded[part] |= custom[part]
    return loaded


_CUSTOM: list[dict[str, Any]] = []
"""Recordings of kinds that a CustomResourceDefinition added, served beside Kubernetes' own (see `customkinds`)."""


def custom() -> list[dict[str, Any]]:
    """What is served beside Kubernetes' own kinds."""
    return list(_CUSTOM)


def serve_also(*custom: dict[str, Any]) -> None:
    """From now on serve these recordings too, and no others; whoever has cached anything must forget it."""
    _CUSTOM[:] = custom


@functools.cache
def wire_format() -> dict[str, Any]:
    """Protobuf fields, pointers and fields that are written although empty, by protobuf's name of a message."""
    loaded: dict[str, Any] = json.loads(gzip.decompress(document("protobuf.json.gz")))
    return loaded


def _message(schema: str) -> str:
    """Protobuf's name of a schema's message."""
    name = schema.removeprefix("io.")
    return name if name.startswith("k8s.io.") else f"k8s.io.{name.removeprefix('k8s.')}"


@functools.cache
def pointers(schema: str) -> frozenset[str]:
    """Fields of a schema that are pointers in Go."""
    return _named("pointers", _message(schema))


def _named(kind: str, message: str) -> frozenset[str]:
    """Fields of a message, and of the structs that stand inline in it."""
    inline = [entry[1] for entry in wire_format()["fields"].get(message, {}).values() if not entry[0]]
    return frozenset(wire_format()[kind].get(message, ())).union(*(_named(kind, name) for name in inline))


@functools.cache
def kept_when_empty(schema: str) -> frozenset[str] | None:
    """Fields of a schema whose empty value is no absence; None where the schema is not known."""
    name = _message(schema)
    if name not in wire_format()["fields"]:
        return None
    return _named("pointers", name) | _named("written", name)


@functools.cache
def schema_of_kind(group: str, version: str, kind: str) -> str:
    """Name of the schema of one kind, or an empty string where it is not known."""
    wanted = {"group": group, "version": version, "kind": kind}
    for name, schema in recorded()["schemas"].items():
        if wanted in schema.get("x-kubernetes-group-version-kind", ()):
            return str(name)
    return ""
