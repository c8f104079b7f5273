"""TCP connections and datagrams over a way: opening, retransmission, exchanges, and how operating systems give up.

TCP repeats what is lost, so a loss shows as lateness until the caller's patience or the system's ends; a datagram is
sent once. Every repetition looks at the tables anew.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Iterator
from typing import TypeVar

from op_readiness.simulator.network.flows import Flow
from op_readiness.simulator.network.httptext import parse_request, render_request, render_response
from op_readiness.simulator.network.interface import (
    Closed,
    HttpRequest,
    HttpResponse,
    NetworkFailure,
    NoRoute,
    Peer,
    Refused,
    Reset,
    Server,
    TimedOut,
)
from op_readiness.simulator.network.keys import Backend
from op_readiness.simulator.network.paths import Paths
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.waits import Deadline

T = TypeVar("T")
log = logging.getLogger(__name__)
HOP = 0.001  # cluster seconds a message needs for one stretch
CONNECT_PATIENCE = {"linux": 133.0, "windows": 21.0}  # without a time-out of the caller's
SEND_PATIENCE = {"linux": 924.0, "windows": 21.0}  # until data that nobody acknowledges cuts the connection
SYN_REPEATS = {"linux": (0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0), "windows": (0.0, 3.0, 9.0)}
WINDOWS_REFUSAL = 2.0  # cluster seconds: Windows asks again before it believes a refusal
NO_NEIGHBOUR = 3.0  # cluster seconds until Linux says that nobody has an address of its own subnet
ACTIVELY_REFUSED = "No connection could be made because the target machine actively refused it."


class Transport:
    """Opens connections and sends datagrams for one stack."""

    def __init__(self, stack: Stack, paths: Paths, chance: random.Random) -> None:
        self.stack, self.paths, self.chance = stack, paths, chance

    async def connect(self, ip: str, port: int, deadline: Deadline, size: int) -> TcpConnection:
        """Open a connection; raises Refused, TimedOut, NoRoute."""
        system = self.stack.machine.os
        if deadline.at is None:
            deadline = deadline.sooner(CONNECT_PATIENCE[system])
        pin: Backend | None = None
        for offset in SYN_REPEATS[system]:
            await deadline.until(deadline.start + offset)
            flow = self.paths.find(self.stack, ip, port, "TCP", pin)
            pin = flow.backend
            await _raise_unreachable(flow, deadline)
            met = self._handshake(flow, size)
            if met == "open":
                await deadline.pause(2 * HOP * len(flow.legs))
                return TcpConnection(self, flow, Peer(ip, port), Peer(flow.client_ip, flow.seen.port))
            if met == "refused":
                await _refuse(system, deadline)
        return await deadline.silence()

    async def datagram(self, ip: str, port: int, data: bytes, deadline: Deadline) -> bytes:
        """Send one datagram and wait for one back; raises Refused, TimedOut, NoRoute."""
        flow = self.paths.find(self.stack, ip, port, "UDP")
        await _raise_unreachable(flow, deadline)
        if flow.verdict == "refuse":
            await self._udp_refusal(deadline)
        if flow.verdict != "pass" or flow.server is None or not flow.forward() or not flow.allowed():
            await deadline.silence()
        met = flow.judge("request", "data", len(data), deadline.start, self.chance)
        if met.verdict == "refuse":
            await self._udp_refusal(deadline)
        if met.verdict not in ("pass", "no-reply"):
            await deadline.silence()
        await deadline.pause(met.delay + HOP * len(flow.legs))
        server = flow.server.server("UDP", flow.port, flow.server_ip)
        answer: bytes | None = None
        if server is not None and server.datagram is not None:
            answer = await deadline.within(_served(server.datagram(data, flow.seen)))
        back = flow.judge("reply", "data", len(answer or b""), deadline.start, self.chance)
        heard = met.verdict == "pass" and back.verdict == "pass" and flow.back()
        if server is None and heard:
            await self._udp_refusal(deadline)
        if answer is None or not heard:
            await deadline.silence()
        await deadline.pause(back.delay + HOP * len(flow.legs))
        return answer

    async def ping(self, ip: str, size: int, deadline: Deadline) -> None:
        """One echo request and its answer; raises TimedOut, NoRoute."""
        flow = self.paths.find(self.stack, ip, 0, "ICMP")
        await _raise_unreachable(flow, deadline)
        if flow.verdict != "pass" or not flow.forward() or not flow.allowed() or not flow.back():
            await deadline.silence()
        for direction in ("request", "reply"):
            met = flow.judge(direction, "data", size, deadline.start, self.chance)
            if met.verdict != "pass":
                await deadline.silence()
            await deadline.pause(met.delay + HOP * len(flow.legs))

    def _handshake(self, flow: Flow, size: int) -> str:
        """open, refused or lost."""
        if flow.verdict != "pass" or flow.server is None:
            return {"refuse": "refused", "no-reply": "open"}.get(flow.verdict, "lost")
        if not flow.forward() or not flow.allowed():
            return "lost"
        return self._judged(flow, flow.server, size)

    def _judged(self, flow: Flow, target: Stack, size: int) -> str:
        now = self.paths.now()
        out = flow.judge("request", "open", size, now, self.chance).verdict
        if out in ("refuse", "reset"):
            return "refused"
        back = flow.judge("reply", "open", size, now, self.chance).verdict
        if out == "drop" or back == "drop" or not flow.back():
            return "lost"
        if out == "no-reply" or back == "no-reply":
            return "open"
        server = target.server("TCP", flow.port, flow.server_ip)
        return "open" if back == "pass" and server is not None and server.datagram is None else "refused"

    async def _udp_refusal(self, deadline: Deadline) -> None:
        if self.stack.machine.os == "windows":
            await deadline.silence()  # Windows never tells a program that its datagram was refused
        raise Refused("connection refused")


class TcpConnection:
    """An open connection; see `interface.Connection`."""

    def __init__(self, transport: Transport, flow: Flow, peer: Peer, local: Peer) -> None:
        self.peer, self.local = peer, local
        self._transport, self._flow = transport, flow
        self._opened = transport.paths.now()
        self._server = self._listening()
        self._closed = False

    async def request(self, request: HttpRequest, timeout: float | None) -> HttpResponse:
        """One HTTP exchange; raises TimedOut, Reset, Closed."""
        deadline = Deadline(self._transport.paths.clock, timeout)
        server = await self._send(len(render_request(request)), deadline)
        response = await self._answered(server, request, deadline)
        await self._carry("reply", 0 if response is None else len(response.body) + 150, deadline)
        if response is None:
            raise Closed("closed without an answer")
        return response

    async def exchange(self, data: bytes, timeout: float | None) -> bytes:
        """Send, and read until the server closes."""
        deadline = Deadline(self._transport.paths.clock, timeout)
        server = await self._send(len(data), deadline)
        if server.raw is not None:
            answer = await deadline.within(_served(server.raw(data, self._flow.seen)))
        else:
            answer = await self._typed(server, data, deadline)
        await self._carry("reply", len(answer), deadline)
        return answer

    def close(self) -> None:
        """Let go."""
        self._closed = True

    async def _send(self, size: int, deadline: Deadline) -> Server:
        if self._closed:
            raise Reset("the connection is closed")
        await self._carry("request", size, deadline)
        server = self._listening()
        if server is None or server is not self._server:
            raise Reset("connection reset by peer")
        return server

    async def _answered(self, server: Server, request: HttpRequest, deadline: Deadline) -> HttpResponse | None:
        if request.tls and not server.tls:
            return HttpResponse(0, b"")
        if server.tls and not request.tls:
            return HttpResponse(400, b"Client sent an HTTP request to an HTTPS server.\n")
        if server.http is not None:
            return await deadline.within(_served(server.http(request, self._flow.seen)))
        if server.raw is not None:
            written = await deadline.within(_served(server.raw(render_request(request), self._flow.seen)))
            return HttpResponse(0, written)
        return None

    async def _typed(self, server: Server, data: bytes, deadline: Deadline) -> bytes:
        """What an HTTP server writes to somebody who types at it."""
        if not data or server.http is None:
            await deadline.silence()
        if server.tls:
            return b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
        request = parse_request(data)
        if request is None:
            headers = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
            return render_response(HttpResponse(400, b"400 Bad Request", headers))
        response = await self._answered(server, request, deadline)
        return b"" if response is None else render_response(response)

    def _listening(self) -> Server | None:
        flow = self._flow
        return None if flow.server is None else flow.server.server("TCP", flow.port, flow.server_ip)

    async def _carry(self, direction: str, size: int, deadline: Deadline) -> None:
        """Bring a message across, repeating it while it is lost."""
        flow, transport = self._flow, self._transport
        patience = deadline
        if direction == "request":
            patience = deadline.sooner(SEND_PATIENCE[transport.stack.machine.os])
        start = transport.paths.now()
        for offset in _data_repeats():
            await patience.until(start + offset)
            if flow.verdict == "no-reply":
                await deadline.silence()
            there = flow.forward() if direction == "request" else flow.server_attached() and flow.back()
            met = flow.judge(direction, "data", size, self._opened, transport.chance)
            if met.verdict in ("reset", "refuse"):
                raise Reset("connection reset by peer")
            if met.verdict == "no-reply":
                await deadline.silence()
            if there and met.verdict == "pass":
                await deadline.pause(met.delay + HOP * len(flow.legs))
                return
        raise TimedOut("timed out")


async def _raise_unreachable(flow: Flow, deadline: Deadline) -> None:
    if flow.verdict == "unreachable":
        raise NoRoute("network is unreachable")
    if flow.verdict == "no-neighbour":
        await deadline.until(deadline.start + NO_NEIGHBOUR)
        raise NoRoute("no route to host")


async def _refuse(system: str, deadline: Deadline) -> None:
    if system != "windows":
        raise Refused("connection refused")
    await deadline.until(deadline.start + WINDOWS_REFUSAL)
    raise Refused(ACTIVELY_REFUSED)


async def _served(answer: Awaitable[T]) -> T:
    """What a server's handler gives; when it breaks, the client sees its connection reset."""
    try:
        return await answer
    except Reset:
        raise
    except Exception as error:
        if not isinstance(error, NetworkFailure):
            log.exception("a simulated server broke")
        raise Reset("connection reset by peer") from error


def _data_repeats() -> Iterator[float]:
    """When TCP sends unacknowledged data: at once, then after 0.3 s, doubled each time up to 2 minutes."""
    at, step = 0.0, 0.3
    while True:
        yield at
        at, step = at + step, min(step * 2, 120.0)
