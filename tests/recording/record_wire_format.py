"""Records the protobuf field numbers of Kubernetes' API types from the sources in the Go module cache.

kubectl sends some creates as protobuf (`kubectl create namespace`). Field numbers stand in generated.proto, and which
fields are pointers, or are written although empty, in types.go (so an empty value is told from an absent one). Needs
the modules k8s.io/api and k8s.io/apimachinery of the recorded version:

    python -m tests.recording.record_wire_format $(go env GOMODCACHE) v0.37.2

Writes op_readiness/simulator/controlplane/data/protobuf.json.gz.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

from op_readiness.simulator.controlplane.wire.recorded import recorded
from tests.recording.record_control_plane import TARGET

PROTO = TARGET.with_name("protobuf.json.gz")
MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.S | re.M)
FIELD = re.compile(r"^  (?:optional |(repeated) )?((?:map<\w+, ?[\w.]+>)|[\w.]+) (\w+) = (\d+);", re.M)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.S | re.M)
WRITTEN = re.compile(r'^\t\w+ [^*\s]\S* `json:"(\w+)"', re.M)
POINTER = re.compile(r'^\t\w+ \*\S+ `json:"(\w+)', re.M)


def messages(text: str) -> dict[str, dict[str, list[str]]]:
    """Fields by number as [name, type, label] of every message of one .proto file."""
    package = re.search(r"^package ([\w.]+);", text, re.M)
    prefix = package[1] if package else ""
    found = {}
    for name, body in MESSAGE.findall(text):
        fields = {}
        for repeated, kind, field, number in FIELD.findall(body):
            fields[number] = [field, full_name(kind, prefix), "repeated" if repeated else ""]
        found[f"{prefix}.{name}"] = fields
    return found


def full_name(kind: str, package: str) -> str:
    """A message's name with its package; scalars and maps of scalars as they are."""
    if kind.startswith("map<"):
        key, value = kind[4:-1].replace(" ", "").split(",")
        return f"map<{key},{full_name(value, package)}>"
    if kind.startswith("."):
        return kind[1:]
    return f"{package}.{kind}" if kind[0].isupper() else kind


def named(pattern: re.Pattern[str], text: str, package: str) -> dict[str, list[str]]:
    """Names of the fields that a pattern finds in each struct, by message."""
    found = {f"{package}.{name}": pattern.findall(body) for name, body in STRUCT.findall(text)}
    return {name: fields for name, fields in found.items() if fields}


def wanted_packages() -> set[str]:
    """Packages of the recorded schemas as protobuf names them."""
    names = [name.rsplit(".", 1)[0] for name in recorded()["schemas"]]
    return {name.replace("io.k8s.", "k8s.io.") for name in names}


def as_in_json(fields: dict[str, Any]) -> None:
    """Rename fields to their JSON names; one whose own fields stand in its place there (Go: inline) has no name."""
    for message, numbered in fields.items():
        schema = recorded()["schemas"].get(message.replace("k8s.io.", "io.k8s.", 1), {})
        properties = {name.lower(): name for name in schema.get("properties", ())}
        for entry in numbered.values() if properties else ():
            entry[0] = properties.get(entry[0].lower(), "" if "." in entry[1] else entry[0])


def main(cache: str, version: str) -> None:
    fields: dict[str, Any] = {}
    nullable: dict[str, list[str]] = {}
    written: dict[str, list[str]] = {}
    packages = wanted_packages() | {"k8s.io.apimachinery.pkg.runtime"}
    for module in ("api", "apimachinery"):
        for path in sorted(Path(cache, f"k8s.io/{module}@{version}").rglob("generated.proto")):
            text = path.read_text()
            package = re.search(r"^package ([\w.]+);", text, re.M)
            if package is None or package[1] not in packages:
                continue
            fields.update(messages(text))
            for source in path.parent.glob("*types.go"):
                nullable.update(named(POINTER, source.read_text(), package[1]))
                written.update(named(WRITTEN, source.read_text(), package[1]))
    as_in_json(fields)
    text = json.dumps({"fields": fields, "pointers": nullable, "written": written}, separators=(",", ":"))
    PROTO.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stdout.write(f"{PROTO.name}: {len(fields)} messages, {PROTO.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
