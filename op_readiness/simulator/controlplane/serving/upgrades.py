"""A client's upgraded connection tied to another byte stream: what one side sends the other gets, unread.

aiohttp gives the bytes that follow an upgrade to a parser of the handler's choice; ours writes them to the other side.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from op_readiness.simulator.controlplane.wire import http1
from op_readiness.simulator.controlplane.wire.failures import Failure

PASSED = ("upgrade", "connection", "origin", "user-agent")


class _Onward:
    """Takes what the client sends and writes it to the other side."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes; never at the end by itself."""
        if not self._writer.is_closing():
            self._writer.write(data)
        return False, b""

    def feed_eof(self) -> None:
        """The client has gone."""
        self._writer.close()

    def set_exception(self, *_: Any) -> None:
        """The client's connection broke."""
        self._writer.close()


class _Spent(web.StreamResponse):
    """An answer that was already written by hand."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Nothing is left to write."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


def _headers(http: web.BaseRequest, host: str) -> list[tuple[str, str]]:
    kept = [
        (name, value)
        for name, value in http.headers.items()
        if name.lower() in PASSED or name.lower().startswith("sec-websocket-")
    ]
    return [("Host", host), *kept]


async def passed_through(http: web.BaseRequest, streams: http1.Streams, target: str, host: str) -> web.StreamResponse:
    """Offer the client's upgrade to the other side and tie both together until one of them ends."""
    reader, writer = streams
    try:
        writer.write(http1.request_bytes("GET", target, _headers(http, host)))
        await writer.drain()
        head = await http1.read_head(reader)
        if head.status != 101:
            text = b"".join([piece async for piece in http1.pieces(reader, head)]).decode(errors="replace").strip()
            raise Failure(500 if head.status >= 500 else head.status, _reason(head.status), text, {})
        await _tied(http, reader, writer, head)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise Failure(500, "InternalError", f"Internal error occurred: error dialing backend: {error}", {}) from error
    finally:
        writer.close()
    return _Spent()


def _reason(status: int) -> str:
    return {400: "BadRequest", 403: "Forbidden", 404: "NotFound"}.get(status, "InternalError")


async def _tied(
    http: web.BaseRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: http1.Head
) -> None:
    transport = http.transport
    if transport is None:
        return
    transport.write(head.raw)
    http.protocol.set_parser(_Onward(writer))  # type: ignore[arg-type]
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while piece := await reader.read(http1.PIECE):
            if transport.is_closing():
                break
            transport.write(piece)
    http.protocol.force_close()
    transport.close()
