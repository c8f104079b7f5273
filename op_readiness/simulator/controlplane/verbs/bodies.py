"""From the bytes of a request body to an object of the kind that the resource takes, or the refusal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from op_readiness.simulator.controlplane.fields.schema import Doubled, Found, WrongType, decode
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.wire import documents, protobuf
from op_readiness.simulator.controlplane.wire.failures import (
    Failure,
    bad_request,
    invalid,
    invalid_value,
    not_supported,
    too_long,
)
from op_readiness.simulator.controlplane.wire.recorded import schema_of_kind

Object = dict[str, Any]
MEDIA = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
SHOWN = 30
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
MANAGED = (
    "managedFields",
    "selfLink",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "uid",
    "generation",
)


def _pairs(pairs: list[tuple[str, Any]]) -> Object:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    doubled, seen, twice = Doubled(plain), set(), []
    for key, _ in pairs:
        if key in seen:
            twice.append(key)
        seen.add(key)
    doubled.keys_twice = tuple(dict.fromkeys(twice))
    return doubled


def parsed(data: bytes, content_type: str, kind: str) -> Any:
    """The body as JSON or YAML; a 400 or 415 in the server's words where it is neither."""
    media = content_type.partition(";")[0].strip()
    if media == "application/yaml":
        return _yaml(data, kind)
    if media == protobuf.MEDIA:
        return _protobuf(data, kind)
    if media not in ("", "application/json"):
        text = f"the body of the request was in an unknown format - accepted media types include: {MEDIA}"
        raise Failure(415, "UnsupportedMediaType", text)
    try:
        body = json_body(data)
    except ValueError as error:
        raise bad_request(_unrecognized(data, kind, _go_error(data, error))) from error
    if body is None:
        return {}
    if not isinstance(body, dict):
        names = {list: "array", str: "string", bool: "bool"}
        shape = (
            'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
        problem = f"json: cannot unmarshal {names.get(type(body), 'number')} into Go value of type {shape}"
        text = f"couldn't get version/kind; json parse error: {problem} ({data[:SHOWN].hex()})"
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {text}")
    return body


def _yaml(data: bytes, kind: str) -> Any:
    try:
        body, doubled = documents.load(data)
    except documents.Unreadable as error:
        text = f"the object provided is unrecognized (must be of type {kind}): {error} ({data[:SHOWN].hex()})"
        raise bad_request(text) from error
    if not doubled or not isinstance(body, dict):
        return body
    marked = Doubled(body)
    marked.lines = tuple(doubled)
    return marked


def _protobuf(data: bytes, kind: str) -> Object:
    try:
        return protobuf.decode(data)
    except ValueError as error:
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {error}") from error


def _unrecognized(data: bytes, kind: str, problem: str) -> str:
    shown = data[:SHOWN].decode(errors="replace") + (" ..." if len(data) > SHOWN else "") if data else "<empty>"
    text = f"couldn't get version/kind; json parse error: {problem} ({shown})"
    return f"the object provided is unrecognized (must be of type {kind}): {text}"


def _go_error(data: bytes, error: ValueError) -> str:
    position = getattr(error, "pos", 0)
    text = data.decode(errors="replace")
    if position >= len(text.rstrip()):
        return "unexpected end of JSON input"
    place = {
        "Expecting property name": "looking for beginning of object key string",
        "Expecting ':'": "after object key",
        "Expecting ','": "after object key:value pair",
    }
    why = next((go for start, go in place.items() if str(error).startswith(start)), "looking for beginning of value")
    return f"invalid character {text[position]!r} {why}"


def check_validation(request: Request, options: str) -> str:
    """The field validation that the request asks for: Ignore, Warn or Strict."""
    mode = request.query.get("fieldValidation", "")
    if mode not in VALIDATIONS:
        raise invalid(options, "meta.k8s.io", "", [not_supported("fieldValidation", mode, VALIDATIONS)])
    check_manager(request, options)
    return mode or "Warn"


LONGEST_MANAGER = 128


def check_manager(request: Request, options: str) -> None:
    """422 for a field manager that is too long or cannot be printed."""
    name = request.query.get("fieldManager", "")
    errors = [too_long("fieldManager", LONGEST_MANAGER)] if len(name.encode()) > LONGEST_MANAGER else []
    for position, letter in enumerate(name):
        if not letter.isprintable():
            why = f"invalid character U+{ord(letter):04X} (at position {position})"
            errors.append(invalid_value("fieldManager", name, why))
            break
    if errors:
        raise invalid(options, "meta.k8s.io", "", errors)


def check_dry_run(value: Any, options: str) -> bool:
    """True for All; 422 for anything else that is set."""
    values = value if isinstance(value, list) else [value] if value else []
    if any(one != "All" for one in values):
        raise invalid(options, "meta.k8s.io", "", [not_supported("dryRun", values, ["All"])])
    return bool(values)


def json_body(data: bytes) -> Any:
    """JSON with its doubled keys marked; ValueError where it is none."""
    return json.loads(data, object_pairs_hook=_pairs)


def typed(
    body: Object, request: Request, kind: str, api_version: str, mode: str, doubled: Sequence[str] = ()
) -> Object:
    """The body as an object of that kind: known fields only, types right, kind and apiVersion first.

    `doubled` says what the document that led to the body named twice.
    """
    given_kind, given_version = body.get("kind") or kind, body.get("apiVersion") or api_version
    if (given_kind, given_version) != (kind, api_version):
        raise bad_request(_other_kind(given_kind, given_version, kind, api_version))
    group, _, version = api_version.rpartition("/")
    found = Found()
    try:
        decoded = decode(schema_of_kind(group, version, kind), body, found)
    except WrongType as error:
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {error}') from error
    found.strict[:0] = doubled
    if isinstance(body, Doubled) and body.lines:
        found.strict[:0] = [documents.unmarshal_errors(body.lines)] if mode == "Strict" else body.lines
    _strict(found, request, kind, version, mode)
    decoded.pop("kind", None)
    decoded.pop("apiVersion", None)
    return {"kind": kind, "apiVersion": api_version, "metadata": decoded.pop("metadata", {}), **decoded}


def _strict(found: Found, request: Request, kind: str, version: str, mode: str) -> None:
    problems = list(dict.fromkeys(found.strict))
    if problems and mode == "Strict":
        text = ", ".join(problems)
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {text}')
    if problems and mode == "Warn":
        request.warnings += problems


def _other_kind(given: str, given_version: str, kind: str, api_version: str) -> str:
    group = api_version.rpartition("/")[0]
    given_group, _, other = given_version.rpartition("/")
    if not schema_of_kind(given_group, other, given):
        scheme = "pkg/runtime/scheme.go:111"
        unknown = f'{given} in version "{other}" cannot be handled as a {kind}: no kind "{given}"'
        return f'{unknown} is registered for version "{given_version}" in scheme "{scheme}"'
    if given == kind:
        return f"the API version in the data ({given_version}) does not match the expected API version ({api_version})"
    hub = given_group.partition(".")[0] or "core"
    own = group.partition(".")[0] or "core"
    text = f"converting ({hub if given_group else other}.{given}) to ({own}.{kind}): unknown conversion"
    return f'{given} in version "{other}" cannot be handled as a {kind}: {text}'
