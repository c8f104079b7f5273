"""API faults in front of whichever API server runs: within the embedded one, and as a proxy before a real one.

Both ask the same `ApiRules`. Within the embedded one it costs a look while no fault is in. The proxy has to exist
before a fault is put in, because clients hold its address; it streams watches and hands WebSocket upgrades (exec)
through. It speaks TLS with the API server's own certificate, so that the CA in a kubeconfig holds for both.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiohttp import web

from op_readiness.simulator.faults.apirules import (
    COMPONENT_AGENT,
    EXPIRED_EVENT,
    ApiRequest,
    ApiRules,
    Verdict,
    mutated,
)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
    )
)
GATE: ContextVar[WatchGate | None] = ContextVar("GATE", default=None)
"""The gate of the watch that is being answered, if it has one."""

NEVER_ADDED = ("Content-Type", "User-Agent", "Accept", "Accept-Encoding")
"""Headers that a client may leave out, and that must then not appear behind the proxy."""


class WatchGate:
    """Stands between a watch and its client. One that has fallen silent stays so: what it swallowed is lost."""

    def __init__(self, rules: ApiRules, request: ApiRequest) -> None:
        self._rules, self._request = rules, request
        self._silent = False

    async def events(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks that reach the client; ends when the fault ends the stream."""
        coming: asyncio.Future[Any] | None = None
        changed: asyncio.Future[Any] | None = None
        try:
            while True:
                if changed is None or changed.done():
                    changed = asyncio.ensure_future(self._rules.changed.wait())
                    meets = self._rules.stream_verdict(self._request)
                    if meets in ("cut", "expire"):
                        break
                    self._silent = self._silent or meets == "silence"
                coming = coming or asyncio.ensure_future(_next(chunks))
                await asyncio.wait({coming, changed}, return_when=asyncio.FIRST_COMPLETED)
                if changed.done() or not coming.done():
                    continue
                chunk, coming = coming.result(), None
                if chunk is None:
                    return
                if not self._silent:
                    yield chunk
            if meets == "expire":
                yield EXPIRED_EVENT
        finally:
            for future in (coming, changed):
                if future is not None:
                    future.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    """The next chunk, None at the end."""
    return await anext(chunks, None)


def front(rules: ApiRules) -> Callable[[Handler], Handler]:
    """The embedded server's form: its handler, judged before. Costs a look while no fault is in."""

    def before(handler: Handler) -> Handler:
        async def judged(request: web.BaseRequest) -> web.StreamResponse:
            if not rules.quiet:
                verdict = rules.verdict(_described(request))
                if verdict.delay:
                    await rules.clock.sleep(verdict.delay)
                if not verdict.passes:
                    return _answer(request, verdict)
                if verdict.changes:
                    request._read_bytes = mutated(await request.read(), verdict.changes)
            if not _is_watch_of_a_tool(request):
                return await handler(request)
            outer = GATE.set(WatchGate(rules, _described(request)))
            try:
                return await handler(request)
            finally:
                GATE.reset(outer)

        return judged

    return before


def gated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a watch that reach its client: all of them where no front stands before the handler."""
    gate = GATE.get()
    return chunks if gate is None else gate.events(chunks)


def _answer(request: web.BaseRequest, verdict: Verdict) -> web.Response:
    if verdict.cut and request.transport is not None:
        request.transport.abort()
    return web.Response(
        status=verdict.status or 502, body=verdict.body, headers=dict(verdict.headers), content_type="application/json"
    )


def _described(request: web.BaseRequest) -> ApiRequest:
    return ApiRequest(request.method, request.path, dict(request.query), request.headers.get("User-Agent", ""))


def _is_watch_of_a_tool(request: web.BaseRequest) -> bool:
    own = request.headers.get("User-Agent", "").startswith(COMPONENT_AGENT)
    return not own and request.query.get("watch", "") in ("1", "true")


class ApiProxy:
    """The proxy form: `start` gives the address to write into the kubeconfig; `stop` closes every stream."""

    def __init__(self, rules: ApiRules, upstream: str, ca_file: str, certificate: str, key: str) -> None:
        self._rules, self._upstream = rules, upstream.rstrip("/")
        self._upstream_ssl = ssl.create_default_context(cafile=ca_file)
        self._front_ssl = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._front_ssl.load_cert_chain(certificate, key)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1; gives `https://127.0.0.1:PORT`."""
        connector = aiohttp.TCPConnector(ssl=self._upstream_ssl, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, skip_auto_headers=NEVER_ADDED
        )
        server = web.Server(
            front(self._rules)(self._forward), access_log=None, auto_decompress=False, max_line_size=1 << 20
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._front_ssl)
        await site.start()
        return f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port and all streams."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _forward(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        if "upgrade" in request.headers:
            return web.Response(status=400, text="this proxy upgrades to WebSocket only\n")
        try:
            return await self._http(request)
        except aiohttp.ClientError as error:
            return web.Response(status=502, text=f"API server: {error}\n")

    async def _http(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read() if request.body_exists else None
        async with self._client.request(
            request.method, self._upstream + request.raw_path, headers=_kept(request), data=body, allow_redirects=False
        ) as upstream:
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            for name, value in upstream.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            chunks: AsyncIterator[bytes] = upstream.content.iter_any()
            async for chunk in gated(chunks) if upstream.status == 200 else chunks:
                await response.write(chunk)
            await response.write_eof()
            return response

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        offered = [
            word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if word.strip()
        ]
        headers = {
            name: value for name, value in _kept(request).items() if not name.lower().startswith("sec-websocket-")
        }
        try:
            upstream = await self._client.ws_connect(
                self._upstream + request.raw_path, protocols=offered, headers=headers, max_msg_size=0, compress=0
            )
        except aiohttp.WSServerHandshakeError as error:
            return web.Response(status=error.status if error.status != 200 else 502, text=error.message)
        chosen = [upstream.protocol] if upstream.protocol else []
        client = web.WebSocketResponse(protocols=chosen, max_msg_size=0, compress=False)
        await client.prepare(request)
        try:
            await _first_done(_pump(upstream, client), _pump(client, upstream))
        finally:
            await upstream.close()
            await client.close(code=upstream.close_code or 1000)
        return client

    @property
    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the proxy has not been started")
        return self._session


def _kept(request: web.BaseRequest) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pump(source: Socket, target: Socket) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)


async def _first_done(*pumps: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
