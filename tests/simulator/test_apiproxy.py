"""The proxy before a real API server: what passes, what is answered in its place, what becomes of streams."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from op_readiness.simulator.apiproxy import ApiProxy
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.serving.certificates import write_certificates
from op_readiness.simulator.faults.apirules import ApiRules
from op_readiness.simulator.faults.condition import Condition
from op_readiness.simulator.faults.schema import Step, checked

Scene = Callable[[aiohttp.ClientSession, str, ApiRules], Awaitable[None]]


async def upstream(request: web.BaseRequest) -> web.StreamResponse:
    """An API server of three paths: an echo, a watch that sends one event and waits, an exec that echoes frames."""
    if request.path.endswith("/exec"):
        socket = web.WebSocketResponse(protocols=["v5.channel.k8s.io"])
        await socket.prepare(request)
        async for message in socket:
            await socket.send_bytes(message.data)
        return socket
    if request.query.get("watch"):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type":"ADDED"}\n')
        await asyncio.sleep(30)
        return response
    text = (
        f"{request.method} {request.raw_path} {request.headers.get('Authorization')} {(await request.read()).decode()}"
    )
    return web.Response(text=text, status=201, headers={"X-Own": "kept"})


def play(folder: Path, scene: Scene) -> None:
    async def go() -> None:
        ca, certificate, key = map(str, write_certificates(folder))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        runner = web.ServerRunner(web.Server(upstream), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        rules = ApiRules(Clock(100))
        proxy = ApiProxy(rules, f"https://127.0.0.1:{runner.addresses[0][1]}", ca, certificate, key)
        try:
            url = await proxy.start()
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca))
            async with aiohttp.ClientSession(connector=connector) as session:
                await asyncio.wait_for(scene(session, url, rules), 20)
        finally:
            await proxy.stop()
            await runner.cleanup()

    asyncio.run(go())


def put_in(rules: ApiRules, **step: Any) -> None:
    made = checked(Step, {"state": "API", "point": "lookup", **step}, "test")
    rules.add(made, Condition(made, rules.clock))


def test_requests_pass_unchanged_when_no_fault_is_in(tmp_path: Path) -> None:
    """Method, path, query, token, body, status and headers are the same on both sides, with one CA for both."""

    async def scene(session: aiohttp.ClientSession, url: str, rules: ApiRules) -> None:
        headers = {"Authorization": "Bearer secret"}
        async with session.post(f"{url}/api/v1/x?a=b%20c", data=b"body", headers=headers) as answer:
            assert await answer.text() == "POST /api/v1/x?a=b%20c Bearer secret body"
            assert (answer.status, answer.headers["X-Own"]) == (201, "kept")

    play(tmp_path, scene)


def test_a_fault_answers_in_place_of_the_api_server(tmp_path: Path) -> None:
    """A Status of 500 while the rule is in, the real answer when it is out."""

    async def scene(session: aiohttp.ClientSession, url: str, rules: ApiRules) -> None:
        put_in(rules, do="fail", value={"status": 500})
        async with session.get(f"{url}/api/v1/pods") as answer:
            assert (answer.status, (await answer.json())["kind"]) == (500, "Status")
        rules.clear()
        async with session.get(f"{url}/api/v1/pods") as answer:
            assert answer.status == 201

    play(tmp_path, scene)


def test_a_watch_streams_and_ends_when_it_expires(tmp_path: Path) -> None:
    """The first event comes at once; then 410 as an event and the end, while the API server would go on."""

    async def scene(session: aiohttp.ClientSession, url: str, rules: ApiRules) -> None:
        async with session.get(f"{url}/api/v1/pods?watch=1") as answer:
            assert await answer.content.readline() == b'{"type":"ADDED"}\n'
            put_in(rules, do="expire", key={"verb": "watch"})
            assert b"410" in await answer.content.read()

    play(tmp_path, scene)


def test_exec_goes_through_as_a_websocket(tmp_path: Path) -> None:
    """Frames pass in both directions under the protocol that the kubelet chose."""

    async def scene(session: aiohttp.ClientSession, url: str, rules: ApiRules) -> None:
        path = f"{url}/api/v1/namespaces/shop/pods/web-0/exec?command=x"
        async with session.ws_connect(path, protocols=["v5.channel.k8s.io", "v4.channel.k8s.io"]) as socket:
            await socket.send_bytes(b"\x01hello")
            assert (await socket.receive_bytes(), socket.protocol) == (b"\x01hello", "v5.channel.k8s.io")

    play(tmp_path, scene)


def test_a_dropped_request_gets_no_answer(tmp_path: Path) -> None:
    """The connection is closed; the client sees no HTTP at all."""

    async def scene(session: aiohttp.ClientSession, url: str, rules: ApiRules) -> None:
        put_in(rules, do="drop", key={"verb": "create"})
        try:
            async with session.post(f"{url}/api/v1/namespaces/shop/pods") as answer:
                raise AssertionError(f"answered {answer.status}")
        except aiohttp.ClientError:
            pass

    play(tmp_path, scene)
