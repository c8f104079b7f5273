"""POST, PUT, PATCH and DELETE: bodies in, objects out."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from op_readiness.simulator.controlplane.fields import patching
from op_readiness.simulator.controlplane.fields.schema import Doubled
from op_readiness.simulator.controlplane.store import events
from op_readiness.simulator.controlplane.store.answers import answer
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import encode
from op_readiness.simulator.controlplane.verbs import applying, deletion, listing, operations
from op_readiness.simulator.controlplane.verbs.bodies import check_dry_run, check_validation, json_body, parsed, typed
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.verbs.reading import matches, stored_view
from op_readiness.simulator.controlplane.wire.failures import Failure, bad_request, invalid, invalid_value

Object = dict[str, Any]
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


def _options(request: Request, kind: str) -> str:
    check_dry_run(request.query.get("dryRun"), kind)
    return check_validation(request, kind)


def body_of(request: Request, data: bytes, content_type: str, options: str) -> Object:
    """The body as a stored object of the resource."""
    mode, resource = _options(request, options), request.served
    obj = typed(parsed(data, content_type, resource.kind), request, resource.kind, resource.api_version, mode)
    return events.to_stored(obj) if request.group == "events.k8s.io" else obj


def shown(request: Request, obj: Object, code: int = 200) -> web.Response:
    """An object as the resource shows it."""
    view = stored_view(request)
    return answer(encode(obj if view is None else view(obj)), code, request.warnings)


def create(cluster: Cluster, request: Request, data: bytes, content_type: str) -> web.Response:
    """POST to a collection."""
    obj = body_of(request, data, content_type, "CreateOptions")
    return shown(request, operations.create(cluster, request, obj), 201)


def update(cluster: Cluster, request: Request, data: bytes, content_type: str) -> web.Response:
    """PUT to an object or its status."""
    obj = body_of(request, data, content_type, "UpdateOptions")
    absent = _absent(cluster, request)
    return shown(request, operations.update(cluster, request, obj), 201 if absent else 200)


def _absent(cluster: Cluster, request: Request) -> bool:
    namespace = request.namespace if request.served.namespaced else ""
    return cluster.store.get(request.served.key, namespace, request.name) is None


def check_media(content_type: str) -> str:
    """The media type of a patch that this server takes, or the refusal."""
    media = content_type.partition(";")[0].strip()
    if media not in (MERGE, STRATEGIC, JSON_PATCH, APPLY):
        raise Failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    return media


def patch(cluster: Cluster, request: Request, data: bytes, content_type: str) -> web.Response:
    """PATCH an object or its status."""
    media = check_media(content_type)
    mode = applying.check_options(request, applied=media == APPLY)
    if media == APPLY:
        return applying.apply(cluster, request, data, mode)
    return shown(request, patched(cluster, request, decoded_patch(data), media, mode))


def decoded_patch(data: bytes) -> Any:
    """A patch that is JSON, or 400."""
    try:
        return json_body(data)
    except ValueError as error:
        raise bad_request("invalid JSON patch") from error


def _twice(change: Any, path: str = "") -> Iterator[str]:
    """What a patch names twice."""
    if isinstance(change, Doubled):
        yield from (f'duplicate field "{path}{key}"' for key in change.keys_twice)
    if isinstance(change, dict):
        for key, value in change.items():
            yield from _twice(value, f"{path}{key}.")


def _strict(failure: Failure, result: Object) -> Failure:
    """The 422 of a patch whose result is refused by strict decoding."""
    why = failure.message.partition("strict decoding error: ")[2]
    shown = json.dumps(result, separators=(",", ":"), sort_keys=True)
    return invalid("", "", "", [invalid_value("patch", shown, f"strict decoding error: {why}")])


def patched(cluster: Cluster, request: Request, change: Any, media: str, mode: str) -> Object:
    """Apply a decoded patch; gives the stored result."""
    resource = request.served

    def applied(current: Object) -> Object:
        if request.group == "events.k8s.io":
            current = events.to_new(current)
        result = apply(current, change, media, resource.schema)
        twice = [] if media == JSON_PATCH else list(_twice(change))
        try:
            obj = typed(result, request, resource.kind, resource.api_version, mode, twice)
        except Failure as failure:
            raise _strict(failure, result) if "strict decoding error" in failure.message else failure from failure
        return events.to_stored(obj) if request.group == "events.k8s.io" else obj

    return operations.patch(cluster, request, applied)


def apply(current: Object, change: Any, media: str, schema: str) -> Object:
    """The current object with a patch of any kind applied."""
    if media == JSON_PATCH:
        result: Object = patching.json_patch(current, change)
        return result
    if not isinstance(change, dict):
        problem = "json: cannot unmarshal array into Go value of type map[string]interface {}"
        raise bad_request(f"error decoding patch: {problem}")
    if media == MERGE:
        merged: Object = patching.merge_patch(current, change)
        return merged
    return patching.strategic_patch(current, copy.deepcopy(change), schema)


def _delete_options(request: Request, data: bytes, content_type: str) -> Object:
    if not data:
        return deletion.query_options(request)
    body = parsed(data, content_type, "DeleteOptions")
    try:
        return typed(body, request, "DeleteOptions", body.get("apiVersion") or "v1", "Ignore")
    except Failure as failure:
        raise bad_request(failure.message.partition("cannot be handled as a DeleteOptions: ")[2]) from failure


def delete(cluster: Cluster, request: Request, data: bytes, content_type: str) -> web.Response:
    """DELETE an object."""
    obj = deletion.delete(cluster, request, _delete_options(request, data, content_type))
    return answer(obj if obj["kind"] == "Status" else encode(obj), 200, request.warnings)


def _bare(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def delete_collection(cluster: Cluster, request: Request, data: bytes, content_type: str) -> web.Response:
    """DELETE a collection; answers with what was there."""
    options = _delete_options(request, data, content_type)
    items = listing.page(cluster, request, matches(request)).items
    deletion.delete_all(cluster, request, options, items)
    listed = {"kind": f"{request.served.kind}List", "apiVersion": request.served.api_version}
    metadata = {"resourceVersion": str(cluster.store.version)}
    return answer(
        {**listed, "metadata": metadata, "items": [_bare(item.object) for item in items]}, 200, request.warnings
    )
