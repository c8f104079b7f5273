"""What was recorded from a real kube-apiserver 1.37.2, loaded once: discovery, schemas, Table columns, default roles.

The file is written by tests/recording/record_control_plane.py; nothing in it is typed by hand.
"""

from __future__ import annotations

import functools
import gzip
import json
from importlib import resources
from typing import Any


@functools.cache
def recorded() -> dict[str, Any]:
    """The whole recording; shared, so nobody may change it."""
    data = resources.files(__package__).joinpath("data/kubernetes.json.gz").read_bytes()
    loaded: dict[str, Any] = json.loads(gzip.decompress(data))
    return loaded


@functools.cache
def wire_format() -> dict[str, Any]:
    """Protobuf fields, pointers and fields that are written although empty, by protobuf's name of a message."""
    data = resources.files(__package__).joinpath("data/protobuf.json.gz").read_bytes()
    loaded: dict[str, Any] = json.loads(gzip.decompress(data))
    return loaded


@functools.cache
def kept_when_empty(schema: str) -> frozenset[str] | None:
    """Fields of a schema whose empty value is no absence; None where the schema is not known."""
    name = schema.removeprefix("io.")
    name = name if name.startswith("k8s.io.") else f"k8s.io.{name.removeprefix('k8s.')}"
    if name not in wire_format()["fields"]:
        return None
    return frozenset((*wire_format()["pointers"].get(name, ()), *wire_format()["written"].get(name, ())))


@functools.cache
def schema_of_kind(group: str, version: str, kind: str) -> str:
    """Name of the schema of one kind, or an empty string where it is not known."""
    wanted = {"group": group, "version": version, "kind": kind}
    for name, schema in recorded()["schemas"].items():
        if wanted in schema.get("x-kubernetes-group-version-kind", ()):
            return str(name)
    return ""
