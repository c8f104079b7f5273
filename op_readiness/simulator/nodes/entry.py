"""The door from the control plane into the simulated network: kubelets on 10250, Pods and hosts behind any address.

A real API server comes through a Unix socket with CONNECT (its egress selector), the embedded one through `open`.
Both get a byte stream; whether TLS is spoken inside shows its first byte, so the same door serves both. Behind an
address that is no kubelet each HTTP request becomes one exchange of the simulated network, from the control plane's
host.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from op_readiness.simulator.network.interface import Connection, HttpRequest, NetworkFailure, Refused, TimedOut
from op_readiness.simulator.nodes.channels import ChannelKey
from op_readiness.simulator.nodes.face import Face

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.kubelet import Kubelet
    from op_readiness.simulator.world import World

KUBELET_PORT = 10250
DIAL_SECONDS = 30.0
LONGEST_HEAD = 16384
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer"}
Protocol = Callable[[], asyncio.Protocol]


class NodeFace:
    """The way in. `world` may be set after the socket is open: the control plane starts first."""

    def __init__(self, tls: ssl.SSLContext, control_plane_ip: str) -> None:
        self.world: World | None = None
        self._tls, self._ip = tls, control_plane_ip
        self._kubelets: dict[str, web.Server] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None

    async def open(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A byte stream to a kubelet or into the network; raises OSError when nothing answers there."""
        protocol = await self._found(host, port)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._spawn(self._served(theirs, protocol))
        return await asyncio.open_connection(sock=ours)

    def listen(self, path: Path) -> None:
        """Serve CONNECT on a Unix socket."""
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._spawn(self._accepting(self._listener))

    async def close(self) -> None:
        """Let go of everything that is open."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for server in self._kubelets.values():
            await server.shutdown(1.0)

    async def _accepting(self, listener: socket.socket) -> None:
        while True:
            accepted, _ = await asyncio.get_running_loop().sock_accept(listener)
            accepted.setblocking(False)
            self._spawn(self._connected(accepted))

    async def _connected(self, accepted: socket.socket) -> None:
        """One CONNECT: find what is there, say so, and hand the stream over."""
        loop = asyncio.get_running_loop()
        try:
            host, port = _target(await _head(loop, accepted))
            protocol = await self._found(host, port)
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError):
                await loop.sock_sendall(accepted, f"HTTP/1.1 503 Service Unavailable\r\n\r\n{error}".encode())
            accepted.close()
            return
        await loop.sock_sendall(accepted, b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._served(accepted, protocol)

    async def _served(self, accepted: socket.socket, protocol: Protocol) -> None:
        loop = asyncio.get_running_loop()
        try:
            secure = await _speaks_tls(loop, accepted)
            await loop.connect_accepted_socket(protocol, accepted, ssl=self._tls if secure else None)
        except (OSError, ssl.SSLError):
            accepted.close()

    async def _found(self, host: str, port: int) -> Protocol:
        if self.world is None:
            raise ConnectionRefusedError("the Nodes are not there yet")
        if port == KUBELET_PORT:
            for kubelet in self.world.kubelets.values():
                if kubelet.node.ip == host:
                    await self._firewall(kubelet)
                    return self._kubelet(kubelet)
        return await self._exchange(host, port)

    async def _firewall(self, kubelet: Kubelet) -> None:
        """A Node that is down is silent; so is one with a firewall before port 10250 (a channel `all` that hangs)."""
        channel = kubelet.node.channels.lookup(ChannelKey("all"))
        if kubelet.down or (channel is not None and channel.state != "well"):
            await kubelet.world.clock.sleep(DIAL_SECONDS)
            raise TimeoutError(f"dial tcp {kubelet.node.ip}:{KUBELET_PORT}: i/o timeout")

    def _kubelet(self, kubelet: Kubelet) -> Protocol:
        name = kubelet.node.name
        server = self._kubelets.get(name)
        if server is None:
            server = self._kubelets[name] = web.Server(Face(kubelet).handle, access_log=None, max_line_size=1 << 20)
        return server

    async def _exchange(self, host: str, port: int) -> Protocol:
        if self.world is None:
            raise ConnectionRefusedError
        try:
            connection = await self.world.network.external(self._ip).connect(host, port, DIAL_SECONDS)
        except NetworkFailure as failure:
            raise _os_error(failure, host, port) from failure
        return web.Server(_Relay(connection).handle, access_log=None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Relay:
    """HTTP on one side, exchanges of one simulated connection on the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass one request on; a connection that breaks closes ours without an answer."""
        asked = HttpRequest(
            request.method, request.raw_path, dict(request.headers), await request.read(),
            tls=request.transport is not None and request.transport.get_extra_info("sslcontext") is not None,
        )  # fmt: skip
        try:
            answer = await self._connection.request(asked, None)
        except NetworkFailure:
            if request.transport is not None:
                request.transport.close()
            return web.Response(status=502)
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        return web.Response(status=answer.status, body=answer.body, headers=headers)


def _os_error(failure: NetworkFailure, host: str, port: int) -> OSError:
    if isinstance(failure, Refused):
        return ConnectionRefusedError(f"dial tcp {host}:{port}: connect: connection refused")
    if isinstance(failure, TimedOut):
        return TimeoutError(f"dial tcp {host}:{port}: i/o timeout")
    return OSError(f"dial tcp {host}:{port}: {failure}")


async def _head(loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await loop.sock_recv(accepted, 4096)
        head += piece
        if not piece or len(head) > LONGEST_HEAD:
            raise ValueError("no CONNECT request")
    return head


def _target(head: bytes) -> tuple[str, int]:
    method, address, _ = head.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ", 2)
    if method != "CONNECT":
        raise ValueError(f"CONNECT is needed, not {method}")
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


async def _speaks_tls(loop: asyncio.AbstractEventLoop, accepted: socket.socket) -> bool:
    """Whether the first byte that comes is that of a TLS handshake; it is left in the socket."""
    readable = loop.create_future()

    def came() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(accepted, came)
    try:
        await readable
    finally:
        loop.remove_reader(accepted)
    return accepted.recv(1, socket.MSG_PEEK) == b"\x16"
