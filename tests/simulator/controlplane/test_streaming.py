"""exec, log and proxy reach kubelets and Pods through the dial that the API server was given."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from typing import Any

import aiohttp

from op_readiness.simulator.api import ApiError
from tests.simulator.controlplane.running import bound_pod, local_server, running


async def answer_once(reader: Any, writer: Any) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    body = head.splitlines()[0].encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()


async def echo_upgraded(reader: Any, writer: Any) -> None:
    """Takes an upgrade without looking at its protocol and sends every byte back."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.partition(": ")[2] for line in head.splitlines() if line.lower().startswith("sec-websocket-key"))
    accept = base64.b64encode(_sha(key)).decode()
    writer.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    first = head.splitlines()[0].encode()
    writer.write(bytes([0x82, len(first)]) + first if len(first) < 126 else b"")
    await writer.drain()
    await reader.read(1)


def _sha(key: str) -> bytes:
    return hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()


async def text_of(api: Any, path: str) -> str:
    async with api._session.get(api.server + path) as response:
        return str(await response.text())


def test_log_asks_the_kubelet_of_the_pods_node(tmp_path):
    """A log request becomes GET /containerLogs with its options."""

    async def scene() -> str:
        async with local_server(answer_once) as dial, running(tmp_path, dial) as (_, api):
            await bound_pod(api)
            return await text_of(api, "/api/v1/namespaces/t/pods/p/log?tailLines=5&follow=true")

    assert asyncio.run(scene()) == "GET /containerLogs/t/p/c?follow=true&tailLines=5 HTTP/1.1"


def test_proxy_to_a_node_keeps_path_and_query(tmp_path):
    """nodes/proxy passes the rest of the path on."""

    async def scene() -> str:
        async with local_server(answer_once) as dial, running(tmp_path, dial) as (_, api):
            await bound_pod(api)
            return await text_of(api, "/api/v1/nodes/n/proxy/stats/summary?only_cpu=1")

    assert asyncio.run(scene()) == "GET /stats/summary?only_cpu=1 HTTP/1.1"


def test_exec_passes_the_websocket_through(tmp_path):
    """The kubelet sees its own query, and the client its frames."""

    async def scene() -> bytes:
        async with local_server(echo_upgraded) as dial, running(tmp_path, dial) as (_, api):
            await bound_pod(api)
            url = api.server + "/api/v1/namespaces/t/pods/p/exec?command=echo&command=a+b&stdout=1&stderr=true"
            protocols = ("v5.channel.k8s.io",)
            async with api._session.ws_connect(url, protocols=protocols) as socket:
                return await socket.receive_bytes(timeout=5)

    assert asyncio.run(scene()) == b"GET /exec/t/p/c?command=echo&command=a%20b&output=1&error=1 HTTP/1.1"


def test_exec_without_upgrade_is_refused(tmp_path):
    """SPDY and plain requests are told so."""

    async def scene() -> str:
        async with running(tmp_path) as (_, api):
            await bound_pod(api)
            try:
                await api.get("/api/v1/namespaces/t/pods/p/exec?command=a")
            except ApiError as error:
                return error.message
            return ""

    assert asyncio.run(scene()) == "Upgrade request required"


def test_a_kubelet_that_is_away_is_named(tmp_path):
    """A connection that fails is a 503 with the address."""

    async def scene() -> tuple[int, str]:
        async with running(tmp_path) as (_, api):
            await bound_pod(api)
            try:
                await api.get("/api/v1/nodes/n/proxy/healthz")
            except ApiError as error:
                return error.code, error.message
            return 0, ""

    code, message = asyncio.run(scene())
    assert code == 503
    assert "10.240.0.11:10250" in message


def test_server_certificate_is_signed_by_its_own_ca(tmp_path):
    """A client that checks certificates is content with the CA file."""

    async def scene() -> str:
        async with running(tmp_path) as (_, api):
            context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{api.server}/healthz", ssl=context) as response,
            ):
                return await response.text()

    assert asyncio.run(scene()) == "ok"
