"""Subresources other than status, and the kinds that are questions rather than objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from op_readiness.simulator.controlplane.access.reviews import Reviews
from op_readiness.simulator.controlplane.serving import podactions
from op_readiness.simulator.controlplane.serving.streaming import Streaming
from op_readiness.simulator.controlplane.store.answers import answer
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import encode
from op_readiness.simulator.controlplane.verbs import operations, scaling
from op_readiness.simulator.controlplane.verbs.bodies import parsed, typed
from op_readiness.simulator.controlplane.verbs.operations import Cluster, found
from op_readiness.simulator.controlplane.verbs.writing import JSON_PATCH, apply, check_media, decoded_patch
from op_readiness.simulator.controlplane.wire.failures import method_not_allowed, no_resource

Object = dict[str, Any]
REVIEWED = ("authentication.k8s.io", "authorization.k8s.io")
STREAMED = ("exec", "attach", "portforward")
SCALE, POD = "io.k8s.api.autoscaling.v1.Scale", "io.k8s.api.core.v1.Pod"
Change = Callable[[Object], Object]


class Subresources:
    """Answers for subresources and reviews."""

    def __init__(self, cluster: Cluster, reviews: Reviews, streaming: Streaming) -> None:
        self._cluster, self._reviews, self._streaming = cluster, reviews, streaming

    async def answer(self, request: Request, http: web.BaseRequest) -> web.StreamResponse:
        """Answer a request for a subresource."""
        sub = request.served.subresources.get(request.subresource)
        if sub is None:
            raise no_resource()
        if request.subresource == "proxy":
            return await self._streaming.proxy(request, http)
        if request.subresource in STREAMED:
            return await self._streaming.upgrade(request, http)
        if request.verb not in sub.verbs:
            raise method_not_allowed()
        if request.subresource == "log":
            return await self._streaming.log(request, http)
        data, media = await http.read(), http.headers.get("Content-Type", "")
        if request.verb == "create":
            return self._created(request, self._body(request, data, media, sub.kind, sub.group_version))
        return self._changed(request, data, media)

    @staticmethod
    def _body(request: Request, data: bytes, media: str, kind: str, version: str) -> Object:
        return typed(parsed(data, media, kind), request, kind, version, "Warn")

    def _created(self, request: Request, body: Object) -> web.Response:
        match request.subresource:
            case "binding":
                return answer(podactions.bind(self._cluster, request, body), 201)
            case "eviction":
                return answer(podactions.evict(self._cluster, request, body), 201)
            case "token":
                return answer(self._reviews.token(request, body), 201)
        raise no_resource()

    def _changed(self, request: Request, data: bytes, media: str) -> web.Response:
        match request.subresource:
            case "scale":
                return self._scale(request, data, media)
            case "ephemeralcontainers" | "finalize":
                return self._part(request, data, media)
            case "resize":
                return self._resize(request, data, media)
        raise no_resource()

    def _new(
        self, request: Request, current: Object, schema: str, kind: tuple[str, str], data: bytes, media: str
    ) -> Object:
        if request.verb == "update":
            return self._body(request, data, media, *kind)
        check_media(media)
        changed = apply(current, decoded_patch(data), media.partition(";")[0].strip() or JSON_PATCH, schema)
        return typed(changed, request, *kind, "Warn")

    def _scale(self, request: Request, data: bytes, media: str) -> web.Response:
        stored = found(self._cluster, request)
        if request.verb == "get":
            return answer(scaling.scale_of(stored.object))
        new = self._new(request, scaling.scale_of(stored.copy()), SCALE, ("Scale", "autoscaling/v1"), data, media)
        written = operations.write(self._cluster, request, stored, scaling.scaled(stored.copy(), new))
        return answer(scaling.scale_of(written))

    def _part(self, request: Request, data: bytes, media: str) -> web.Response:
        stored, resource = found(self._cluster, request), request.served
        if request.verb == "get":
            return answer(stored.data)
        current = stored.copy()
        kind = (resource.kind, resource.api_version)
        new = self._new(request, stored.copy(), resource.schema, kind, data, media)
        if request.subresource == "finalize":
            current["metadata"]["resourceVersion"] = new["metadata"].get("resourceVersion", "")
            current["spec"] = {k: v for k, v in (new.get("spec") or {}).items() if v}
            changed = current
        else:
            changed = podactions.with_ephemeral(current, new)
        return answer(encode(operations.write(self._cluster, request, stored, changed)), 200, request.warnings)

    def _resize(self, request: Request, data: bytes, media: str) -> web.Response:
        stored = found(self._cluster, request)
        if request.verb == "get":
            return answer(stored.data)
        new = self._new(request, stored.copy(), POD, ("Pod", "v1"), data, media)
        return answer(encode(podactions.resize(self._cluster, request, stored, new)))

    def review(self, request: Request, data: bytes, media: str) -> web.Response | None:
        """Answer a review or a legacy Binding, or None where the resource is stored."""
        resource = request.served
        if request.group in REVIEWED:
            body = self._body(request, data, media, resource.kind, resource.api_version)
            return answer(self._reviews.review(request, body), 201)
        if request.plural == "bindings" and not request.group:
            return answer(
                podactions.bind(self._cluster, request, self._body(request, data, media, "Binding", "v1")), 201
            )
        return None
