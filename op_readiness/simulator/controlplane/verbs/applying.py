"""Server-side apply over HTTP: options, the configuration in the body, and the object that comes of it."""

from __future__ import annotations

import functools
from typing import Any

from aiohttp import web

from op_readiness.simulator.controlplane.fields import managers, structure
from op_readiness.simulator.controlplane.fields.schema import json_type
from op_readiness.simulator.controlplane.store.answers import answer
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import encode
from op_readiness.simulator.controlplane.verbs import operations
from op_readiness.simulator.controlplane.verbs.bodies import check_dry_run, check_validation, typed
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire import documents
from op_readiness.simulator.controlplane.wire.failures import (
    Failure,
    bad_request,
    forbidden_field,
    invalid,
    invalid_value,
    required,
)

Object = dict[str, Any]


def check_options(request: Request, *, applied: bool) -> str:
    """The field validation that a PATCH asks for; 422 for options that do not go together."""
    mode = check_validation(request, "PatchOptions")
    check_dry_run(request.query.get("dryRun"), "PatchOptions")
    if applied and not request.query.get("fieldManager"):
        errors = [required("fieldManager", "is required for apply patch")]
        raise invalid("PatchOptions", "meta.k8s.io", "", errors)
    if not applied and "force" in request.query:
        errors = [forbidden_field("force", "may not be specified for non-apply patch")]
        raise invalid("PatchOptions", "meta.k8s.io", "", errors)
    return mode


def apply(cluster: Cluster, request: Request, data: bytes, mode: str) -> web.Response:
    """PATCH with an applied configuration: 201 where it created the object."""
    config, doubled = _parsed(data)
    _checked(request, config)
    namespace = request.namespace if request.served.namespaced else ""
    stored = cluster.store.get(request.served.key, namespace, request.name)
    if stored is None and not request.subresource:
        obj = _new(request, config, mode)
        _tell(request, doubled, mode)
        return answer(encode(operations.create(cluster, request, obj, applied=True)), 201, request.warnings)

    def change(live: Object) -> Object:
        obj = _typed(request, _applied(request, live, config), mode)
        _tell(request, doubled, mode)
        return obj

    return answer(encode(operations.patch(cluster, request, change, applied=True)), 200, request.warnings)


def _new(request: Request, config: Object, mode: str) -> Object:
    obj = _typed(request, _applied(request, None, config), mode)
    obj["metadata"].pop("resourceVersion", None)
    if obj["metadata"].get("uid"):
        errors = [invalid_value("metadata.uid", obj["metadata"]["uid"], "field is immutable")]
        raise invalid(request.served.kind, request.group, request.name, errors)
    return obj


def _tell(request: Request, doubled: list[str], mode: str) -> None:
    if doubled and mode == "Strict":
        raise bad_request(f"error strict decoding YAML: {documents.unmarshal_errors(doubled)}")
    request.warnings += doubled if mode == "Warn" else []


def _checked(request: Request, config: Object) -> Object:
    resource = request.served
    if (config.get("apiVersion"), config.get("kind")) != (resource.api_version, resource.kind):
        group, _, version = config.get("apiVersion", "").rpartition("/")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={config.get('kind', '')}")
    metadata = config.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        return config
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    metadata.setdefault("name", request.name)
    _same(metadata["name"], request.name, "name of the object ({}) does not match the name on the URL ({})")
    if resource.namespaced:
        where = "namespace of the provided object does not match the namespace sent on the request"
        _same(metadata.get("namespace", request.namespace), request.namespace, where)
    return config


def _same(given: str, expected: str, text: str) -> None:
    if given != expected:
        raise bad_request(f"the {text.format(given, expected)}")


def _parsed(data: bytes) -> tuple[Object, list[str]]:
    try:
        config, doubled = documents.load(data)
    except documents.Unreadable as error:
        raise bad_request(f"error decoding patch: error converting YAML to JSON: {error}") from error
    if isinstance(config, dict):
        return config, doubled
    if config is None:
        return {}, doubled
    problem = f"cannot unmarshal {json_type(config)} into Go value of type map[string]interface {{}}"
    raise bad_request(f"error decoding patch: error unmarshaling JSON: while decoding JSON: json: {problem}")


def _applied(request: Request, live: Object | None, config: Object) -> Object:
    manager = operations.manager_of(request, managers.APPLY)
    apply_to = functools.partial(managers.apply, live, config, manager, request.served.schema)
    try:
        return apply_to(operations.ignored(request), operations.now(), force=request.query.get("force") == "true")
    except structure.Untyped as error:
        raise _untyped(config, str(error)) from error


def _untyped(config: Object, why: str) -> Failure:
    metadata = config.get("metadata") or {}
    group, _, version = config["apiVersion"].rpartition("/")
    of = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {group}/{version}, Kind={config['kind']}"
    return Failure(500, "", f"failed to create typed patch object ({of}): {why}")


def _typed(request: Request, obj: Object, mode: str) -> Object:
    return typed(obj, request, request.served.kind, request.served.api_version, mode)
