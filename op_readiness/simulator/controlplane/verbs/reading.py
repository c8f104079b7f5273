"""GET: single objects, lists and watches, as objects, Tables or metadata alone."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from op_readiness.simulator.apiproxy import gated
from op_readiness.simulator.controlplane.store import events, selectors
from op_readiness.simulator.controlplane.store.answers import Accepted, answer, warned
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Collection, Stored, encode
from op_readiness.simulator.controlplane.store.watching import View, Watch
from op_readiness.simulator.controlplane.tables.render import TableView, partial
from op_readiness.simulator.controlplane.verbs import listing
from op_readiness.simulator.controlplane.verbs.operations import Cluster, found
from op_readiness.simulator.controlplane.wire.failures import Failure

Object = dict[str, Any]
LONGEST_WATCH = 3600.0


def stored_view(request: Request) -> View | None:
    """How a stored object is shown by this resource; None: as it is stored."""
    return events.to_new if request.group == "events.k8s.io" else None


def get(cluster: Cluster, request: Request, accepted: Accepted) -> web.Response:
    """One object."""
    version = listing.version_of(request)
    if version is not None:
        listing.too_large(cluster, version)
    stored, view = found(cluster, request), stored_view(request)
    if accepted.form == "table":
        own = {"resourceVersion": stored.object["metadata"]["resourceVersion"]}
        return answer(TableView(request).of([stored], own), 200, request.warnings)
    if accepted.form == "partial":
        return answer(partial(stored.object), 200, request.warnings)
    return answer(stored.data if view is None else view(stored.object), 200, request.warnings)


def matches(request: Request) -> list[selectors.Match]:
    """The tests that label and field selector ask for."""
    kind = request.served.kind
    label = selectors.label_match(request.query.get("labelSelector", ""))
    fields = selectors.field_match(
        request.query.get("fieldSelector", ""), kind, new_events=request.group == "events.k8s.io"
    )
    found_matches = [match for match in (label, fields) if match is not None]
    if request.name:
        found_matches.append(lambda obj: bool(obj["metadata"]["name"] == request.name))
    return found_matches


def list_all(cluster: Cluster, request: Request, accepted: Accepted) -> web.Response:
    """A list, or the page of it that limit and continue ask for."""
    page = listing.page(cluster, request, matches(request))
    if accepted.form == "table":
        return answer(TableView(request).of(page.items, page.metadata), 200, request.warnings)
    head: Object = {"kind": f"{request.served.kind}List", "apiVersion": request.served.api_version}
    if accepted.form == "partial":
        head = {"kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{accepted.version}"}
        parts = [encode(partial(item.object)) for item in page.items]
    else:
        parts = _items(request, page.items)
    start = encode({**head, "metadata": page.metadata})[:-1]
    if accepted.form == "partial" and not parts:
        return answer(start + b',"items":null}', 200, request.warnings)
    return answer(b'%s,"items":[%s]}' % (start, b",".join(parts)), 200, request.warnings)


def _items(request: Request, items: list[Stored]) -> list[bytes]:
    """Items of a list carry neither kind nor apiVersion."""
    view, resource = stored_view(request), request.served
    head = b"{" + encode({"kind": resource.kind, "apiVersion": resource.api_version})[1:-1] + b","
    datas = [item.data if view is None else encode(view(item.object)) for item in items]
    return [b"{" + data[len(head) :] if data.startswith(head) else data for data in datas]


async def watch(cluster: Cluster, request: Request, accepted: Accepted, http: web.BaseRequest) -> web.StreamResponse:
    """Stream events until the client goes, its time-out ends, or the server stops."""
    listing.check_options(request)
    initial_end, version = request.query.get("sendInitialEvents") == "true", listing.version_of(request)
    collection = cluster.store[request.served.key]
    bookmarks = request.query.get("allowWatchBookmarks") in ("1", "true")
    watching = Watch(collection, request.namespace, matches(request), _watch_view(request, accepted), _kind(request))
    headers: Any = warned({"Content-Type": "application/json", "Cache-Control": "no-cache, private"}, request.warnings)
    response = web.StreamResponse(headers=headers)
    if version and not initial_end and version < collection.horizon:
        return await _expired(response, http, version, collection)
    watching.start(
        version or 0,
        initial=initial_end or not version,
        initial_end=bookmarks and (initial_end or not version),
        current=cluster.store.version,
    )
    try:
        await response.prepare(http)
        lines = watching.lines(_seconds(request), bookmarks=bookmarks, current=lambda: cluster.store.version)
        async for chunk in gated(lines):
            await response.write(chunk)
    except (ConnectionError, OSError):
        return response
    finally:
        watching.stop()
    return response


def _kind(request: Request) -> tuple[str, str]:
    return request.served.kind, request.served.api_version


def _watch_view(request: Request, accepted: Accepted) -> View | None:
    if accepted.form == "table":
        return TableView(request).event
    if accepted.form == "partial":
        return partial
    return stored_view(request)


def _seconds(request: Request) -> float:
    text = request.query.get("timeoutSeconds", "")
    return float(text) if text.isdigit() and int(text) > 0 else LONGEST_WATCH


async def _expired(
    response: web.StreamResponse, http: web.BaseRequest, version: int, collection: Collection
) -> web.StreamResponse:
    text = f"too old resource version: {version} ({collection.horizon})"
    await response.prepare(http)
    await response.write(encode({"type": "ERROR", "object": Failure(410, "Expired", text).status()}) + b"\n")
    return response
