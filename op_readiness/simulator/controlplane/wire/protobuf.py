"""Decodes Kubernetes' protobuf bodies into the JSON form; answers are always JSON.

kubectl sends `create namespace` and its like as protobuf and takes JSON back. Field numbers are recorded from the
sources (tests/recording/record_wire_format.py). Fields that Go writes although they are empty are left out, as they
would be in JSON.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

from op_readiness.simulator.controlplane.wire.recorded import wire_format

Object = dict[str, Any]
MAGIC = b"k8s\x00"
MEDIA = "application/vnd.kubernetes.protobuf"
META, UTIL = "k8s.io.apimachinery.pkg.apis.meta.v1", "k8s.io.apimachinery.pkg.util.intstr"
QUANTITY, INT_OR_STRING = "k8s.io.apimachinery.pkg.api.resource.Quantity", f"{UTIL}.IntOrString"
TIMES = {f"{META}.Time": False, f"{META}.MicroTime": True}
RAW = {f"{META}.FieldsV1", "k8s.io.apimachinery.pkg.runtime.RawExtension"}
ABSENT = object()


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[str, Any]]:
    """(number, value) of every field of a message; values are ints or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield str(tag >> 3), value
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            yield str(tag >> 3), struct.unpack("<d" if kind == 1 else "<f", data[at : at + size])[0]
            at += size
        elif kind == 2:
            size, at = _varint(data, at)
            yield str(tag >> 3), data[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {kind}")


def decode(data: bytes) -> Object:
    """The object in a protobuf body; ValueError where it is none."""
    if not data.startswith(MAGIC):
        raise ValueError("the body does not start with k8s")
    envelope = dict(_fields(data[len(MAGIC) :]))
    head = {number: text.decode() for number, text in _fields(envelope.get("1", b""))}
    version, kind = head.get("1", ""), head.get("2", "")
    try:
        decoded = _message(envelope.get("2", b""), _name(version, kind))
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    return {"kind": kind, "apiVersion": version, **decoded}


def _name(version: str, kind: str) -> str:
    """The message of a kind: its group may be written with dots of its own."""
    group, _, number = version.rpartition("/")
    package = group.partition(".")[0] or "core"
    for name in (f"k8s.io.api.{package}.{number}.{kind}", f"{META}.{kind}"):
        if name in wire_format()["fields"]:
            return name
    raise ValueError(f'no kind "{kind}" is registered for version "{version}"')


def _message(data: bytes, name: str) -> Any:
    fields, pointers = wire_format()["fields"][name], wire_format()["pointers"].get(name, ())
    decoded: Object = {}
    for number, raw in _fields(data):
        if number not in fields:
            continue
        field, kind, label = fields[number]
        value = _value(raw, kind)
        if not field:
            decoded |= value
        elif label:
            decoded.setdefault(field, []).append(value)
        elif kind.startswith("map<"):
            decoded.setdefault(field, {}).update(value)
        elif value is not ABSENT and (field in pointers or value not in ("", 0, False, None)):
            decoded[field] = value
    if list(fields.values()) == [["items", "string", "repeated"]]:
        return decoded.get("items", [])
    return decoded


def _value(raw: Any, kind: str) -> Any:
    if kind == "string":
        return raw.decode()
    if kind == "bool":
        return bool(raw)
    if kind in ("int32", "int64"):
        return raw - (1 << 64) if raw >= 1 << 63 else raw
    if kind == "bytes":
        return base64.b64encode(raw).decode()
    if kind.startswith("map<"):
        pair = dict(_fields(raw))
        below = kind[4:-1].split(",")[1]
        return {pair.get("1", b"").decode(): _value(pair.get("2", b""), below)}
    return _special(raw, kind) if isinstance(raw, bytes) else raw


def _special(raw: bytes, kind: str) -> Any:
    if kind == QUANTITY:
        return dict(_fields(raw)).get("1", b"0").decode()
    if kind == INT_OR_STRING:
        parts = dict(_fields(raw))
        number = _value(parts.get("2", 0), "int32")
        return parts.get("3", b"").decode() if parts.get("1") else number
    if kind in TIMES:
        return _time(dict(_fields(raw)), micro=TIMES[kind])
    if kind in RAW:
        text = dict(_fields(raw)).get("1", b"")
        return json.loads(text) if text else ABSENT
    return _message(raw, kind)


def _time(parts: Object, *, micro: bool) -> Any:
    if not parts:
        return ABSENT
    seconds = _value(parts.get("1", 0), "int64")
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{parts.get('2', 0) // 1000:06d}Z" if micro else f"{text}Z"
