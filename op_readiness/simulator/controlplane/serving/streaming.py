"""exec, attach, port-forward, log and proxy: bytes between the client and a kubelet or Pod, through `dial`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from op_readiness.simulator.controlplane.serving import locations, logoptions
from op_readiness.simulator.controlplane.serving.locations import Location
from op_readiness.simulator.controlplane.serving.podactions import stored_pod
from op_readiness.simulator.controlplane.serving.upgrades import passed_through
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire import http1
from op_readiness.simulator.controlplane.wire.failures import Failure, bad_request

Dial = Callable[[str, int], Awaitable[http1.Streams]]
STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}
LOG_OPTIONS = ("follow", "previous", "timestamps", "sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream")
TRUE = ("1", "true")
KUBELET_PATHS = {"exec": "exec", "attach": "attach", "portforward": "portForward"}


class Streaming:
    """Opens streams into the simulated network for one API server."""

    def __init__(self, cluster: Cluster, dial: Dial) -> None:
        self._cluster, self._dial = cluster, dial

    async def _open(self, where: Location) -> http1.Streams:
        try:
            return await self._dial(where.host, where.port)
        except OSError as error:
            text = f"error trying to reach service: dial tcp {where.host}:{where.port}: {error.strerror or error}"
            raise Failure(503, "ServiceUnavailable", text, {}) from error

    async def upgrade(self, request: Request, http: web.BaseRequest) -> web.StreamResponse:
        """exec, attach and port-forward: the client's WebSocket, passed on unchanged."""
        pod = stored_pod(self._cluster, request.namespace, request.name).object
        path = f"/{KUBELET_PATHS[request.subresource]}/{request.namespace}/{request.name}"
        if request.subresource == "portforward":
            query = urlencode([("port", port) for port in http.query.getall("ports", [])])
        else:
            path += f"/{locations.container_of(pod, request.query.get('container', ''))}"
            query = _exec_query(http)
        if not pod["spec"].get("nodeName"):
            raise bad_request(f"pod {request.name} does not have a host assigned")
        where = locations.kubelet(self._cluster, pod["spec"]["nodeName"])
        if not http.headers.get("Upgrade"):
            raise bad_request("Upgrade request required")
        if http.headers["Upgrade"].lower() != "websocket":
            raise bad_request(f"this API server streams over WebSocket alone, not over {http.headers['Upgrade']}")
        return await passed_through(http, await self._open(where), f"{path}?{query}" if query else path, where.host)

    async def log(self, request: Request, http: web.BaseRequest) -> web.StreamResponse:
        """A container's log, followed where asked for."""
        logoptions.check(request)
        pod = stored_pod(self._cluster, request.namespace, request.name).object
        container = locations.container_of(pod, request.query.get("container", ""))
        if not pod["spec"].get("nodeName"):
            return web.Response(status=204)
        where = locations.kubelet(self._cluster, pod["spec"]["nodeName"])
        query = urlencode([(name, request.query[name]) for name in LOG_OPTIONS if name in request.query])
        target = f"/containerLogs/{request.namespace}/{request.name}/{container}"
        streams = await self._open(where)
        return await self._relayed(http, streams, "GET", f"{target}?{query}" if query else target, where, kubelet=True)

    async def proxy(self, request: Request, http: web.BaseRequest) -> web.StreamResponse:
        """An HTTP request to a Node, a Pod or a Service."""
        scheme = ""
        if request.plural == "nodes":
            where = locations.node(self._cluster, request)
        elif request.plural == "pods":
            scheme, where = locations.pod_address(self._cluster, request)
        else:
            scheme, where = locations.service_endpoint(self._cluster, request)
        if scheme == "https":
            raise Failure(503, "ServiceUnavailable", "this API server proxies to Pods over plain HTTP alone", {})
        raw = http.raw_path.partition("?")[0].partition("/proxy")[2]
        target = (raw or "/") + (f"?{http.query_string}" if http.query_string else "")
        streams = await self._open(where)
        if http.headers.get("Upgrade", "").lower() == "websocket":
            return await passed_through(http, streams, target, where.host)
        return await self._relayed(http, streams, http.method, target, where)

    async def _relayed(
        self,
        http: web.BaseRequest,
        streams: http1.Streams,
        method: str,
        target: str,
        where: Location,
        *,
        kubelet: bool = False,
    ) -> web.StreamResponse:
        reader, writer = streams
        try:
            body = await http.read()
            writer.write(http1.request_bytes(method, target, _forwarded(http, where, body), body))
            await writer.drain()
            head = await http1.read_head(reader)
            return await self._answered(http, reader, head, kubelet=kubelet)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            text = f"error trying to reach service: {error}"
            raise Failure(503, "ServiceUnavailable", text, {}) from error
        finally:
            writer.close()

    @staticmethod
    async def _answered(
        http: web.BaseRequest, reader: asyncio.StreamReader, head: http1.Head, *, kubelet: bool
    ) -> web.StreamResponse:
        if kubelet and head.status >= 400:
            text = b"".join([piece async for piece in http1.pieces(reader, head)]).decode(errors="replace").strip()
            raise _kubelet_refusal(head.status, text)
        response = web.StreamResponse(status=head.status, reason=head.reason)
        for name, value in head.headers:
            if name.lower() not in (*http1.HOP_BY_HOP, "content-length", "date"):
                response.headers.add(name, value)
        await response.prepare(http)
        if http.method != "HEAD":
            async for piece in http1.pieces(reader, head):
                await response.write(piece)
        return response


def _kubelet_refusal(status: int, text: str) -> Failure:
    if status == 404:
        return Failure(404, "NotFound", f"the server could not find the requested resource ( {text})", {})
    if status == 400:
        return bad_request(text)
    return Failure(500, "InternalError", f"Internal error occurred: {text}", {"causes": [{"message": text}]})


def _exec_query(http: web.BaseRequest) -> str:
    given: list[tuple[str, Any]] = [("command", word) for word in http.query.getall("command", [])]
    for name, own in STREAMS.items():
        if http.query.get(name) in TRUE:
            given.append((own, "1"))
    return urlencode(given, quote_via=quote)


def _forwarded(http: web.BaseRequest, where: Location, body: bytes) -> list[tuple[str, str]]:
    dropped = (*http1.HOP_BY_HOP, "host", "authorization", "content-length", "accept-encoding")
    headers = [(name, value) for name, value in http.headers.items() if name.lower() not in dropped]
    headers += [("Host", f"{where.host}:{where.port}"), ("Connection", "close"), ("X-Forwarded-For", "127.0.0.1")]
    return [*headers, ("Content-Length", str(len(body)))] if body else headers
