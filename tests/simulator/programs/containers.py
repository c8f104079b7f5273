"""A network in memory and containers on it, for the self-tests of programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, NoReturn

from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.network.dnsmessage import DnsAnswer, DnsQuery, absolute
from op_readiness.simulator.network.dnsserver import ask
from op_readiness.simulator.network.httptext import parse_request, render_request, render_response
from op_readiness.simulator.network.interface import (
    AddressInUse,
    Closed,
    HttpRequest,
    HttpResponse,
    NameFailure,
    NetworkFailure,
    NoRoute,
    Peer,
    Refused,
    Server,
    TimedOut,
)
from op_readiness.simulator.programs import FileSystem, Process, run
from op_readiness.simulator.programs.images import image_tree


@dataclass
class Dns:
    """What a Windows adapter is told."""

    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolution:
    """A DNS answer."""

    server: str
    name: str
    answer: DnsAnswer


@dataclass
class Net:
    """Everything that is reachable. Addresses in `silent` swallow all, unknown ones are unreachable."""

    clock: TurnedClock = field(default_factory=TurnedClock)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    dns_server: str = "10.96.0.10"
    search: tuple[str, ...] = ()

    def namespace(self, ip: str, os: str = "linux") -> Namespace:
        """A new namespace with this address."""
        made = Namespace(self, ip, os)
        self.namespaces[ip] = made
        return made


class Namespace:
    """One address with its ports."""

    def __init__(self, net: Net, ip: str, os: str) -> None:
        self.net, self.ip, self.os, self.node = net, ip, os, "node"
        self.servers: dict[tuple[str, int], Server] = {}
        self.addresses = [ip] if ip else []
        self.dns = Dns() if os == "windows" else None

    def listen(self, protocol: str, port: int, server: Server, address: str = "") -> None:
        if (protocol, port) in self.servers:
            raise AddressInUse(f"{port}")
        self.servers[protocol, port] = server

    def close(self, protocol: str, port: int, address: str = "") -> None:
        self.servers.pop((protocol, port), None)

    async def connect(self, ip: str, port: int, timeout: float | None, *, size: int = 0) -> Connection:
        server = await self._server(ip, "TCP", port, timeout)
        return Connection(self.net, server, Peer(ip, port), Peer(self.ip, 40000))

    async def ping(self, ip: str, timeout: float | None, *, size: int = 32) -> None:
        if ip in self.net.silent:
            await silence(self.net, timeout)
        if ip not in self.net.namespaces:
            raise NoRoute(ip)

    async def datagram(self, ip: str, port: int, data: bytes, timeout: float | None) -> bytes:
        server = await self._server(ip, "UDP", port, timeout)
        answer = await server.datagram(data, Peer(self.ip, 40000)) if server.datagram else None
        return await silence(self.net, timeout) if answer is None else answer

    async def lookup(self, name: str, family: str = "IPv4", timeout: float | None = None) -> list[str]:
        found = [ip for ip in self.net.names.get(name.rstrip("."), []) if (":" in ip) == (family == "IPv6")]
        if not found:
            raise NameFailure(name, "nxdomain", self.net.dns_server)
        return found

    async def resolve(
        self, name: str, kind: str = "A", *, server: str = "", tcp: bool = False, search: bool = False,
        timeout: float | None = None, tries: int | None = None, edns: int = 0,
    ) -> Resolution:
        """Ask a server that really listens on this network."""
        asked = server or self.net.dns_server
        names = [f"{name}.{suffix}." for suffix in self.net.search] if search and not name.endswith(".") else []
        failure = NameFailure(name, "timeout", asked)
        last: Resolution | None = None
        for full in [*names, absolute(name)]:
            try:
                query = DnsQuery(full, kind, 7, edns)
                last = Resolution(asked, full, await ask(self, asked, query, tcp=tcp, timeout=timeout or 5))
            except NetworkFailure:
                continue
            if last.answer.answers:
                return last
        if last is None:
            raise failure
        return last

    async def _server(self, ip: str, protocol: str, port: int, timeout: float | None) -> Server:
        if ip in self.net.silent:
            await silence(self.net, timeout)
        place = self if ip in ("127.0.0.1", "::1", self.ip) else self.net.namespaces.get(ip)
        if place is None:
            raise NoRoute("network is unreachable")
        if (protocol, port) not in place.servers:
            raise Refused("connection refused")
        return place.servers[protocol, port]


async def silence(net: Net, timeout: float | None) -> NoReturn:
    """Nothing comes."""
    await net.clock.sleep(133.0 if timeout is None else timeout)
    raise TimedOut("timed out")


@dataclass
class Connection:
    """An open connection."""

    net: Net
    server: Server
    peer: Peer
    local: Peer

    async def request(self, request: HttpRequest, timeout: float | None) -> HttpResponse:
        if request.tls and not self.server.tls:
            return HttpResponse(0)
        if self.server.raw is not None:
            return HttpResponse(0, await self.server.raw(render_request(request), self.local))
        assert self.server.http is not None
        work = asyncio.ensure_future(self.server.http(request, self.local))
        timer = asyncio.ensure_future(self.net.clock.sleep(1e9 if timeout is None else timeout))
        await asyncio.wait((work, timer), return_when=asyncio.FIRST_COMPLETED)
        timer.cancel()
        if not work.done():
            work.cancel()
            raise TimedOut("timed out")
        response = work.result()
        if response is None:
            raise Closed("closed")
        return response

    async def exchange(self, data: bytes, timeout: float | None) -> bytes:
        if self.server.raw is not None:
            return await self.server.raw(data, self.local)
        request = parse_request(data)
        if request is None or self.server.http is None:
            return b""
        response = await self.server.http(request, self.local)
        return b"" if response is None else render_response(response)

    def close(self) -> None:
        pass


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


class Container:
    """A container of an image on the network."""

    def __init__(self, net: Net, ip: str = "10.244.1.5", os: str = "linux", image: str = "agnhost:2.63.0") -> None:
        self.net, self.os, self.image = net, os, image
        self.network = net.namespaces.get(ip) or net.namespace(ip, os)
        self.files = FileSystem(os, image_tree(image, os))
        self.env = {"PATH": WINDOWS_PATH if os == "windows" else LINUX_PATH, "HOME": "/root"}
        self.hostname = "pod-a"
        self.user = "ContainerAdministrator" if os == "windows" else ""
        self.world: Any = None
        self.pod: dict[str, Any] = {}

    def process(self, *argv: str, stdin: bytes = b"", pid1: bool = False) -> Process:
        """A process that has not begun."""
        return Process(
            list(argv), dict(self.env), self.os, self.hostname, self.network, self.files, self.net.clock, self.image,
            cwd="C:\\" if self.os == "windows" else "/", user=self.user,
            stdin=stdin, pid1=pid1, world=self.world, pod=self.pod,
        )  # fmt: skip

    async def run(self, *argv: str, stdin: bytes = b"") -> Ran:
        """Run a command to its end, turning the clock as long as it waits."""
        process = self.process(*argv, stdin=stdin)
        return await self.finish(process, asyncio.ensure_future(run(process)))

    async def finish(self, process: Process, task: asyncio.Future[int], seconds: float = 1000.0) -> Ran:
        """Turn the clock until a process ends."""
        await self.net.clock.turn(0)
        passed = 0.0
        while not task.done() and passed < seconds:
            await self.net.clock.turn(0.5)
            passed += 0.5
        assert task.done(), f"{process.argv} still runs"
        return Ran(task.result(), bytes(process.stdout.data).decode(), bytes(process.stderr.data).decode())

    async def start(self, *argv: str, pid1: bool = True) -> tuple[Process, asyncio.Task[int]]:
        """Start a command that serves."""
        process = self.process(*argv, pid1=pid1)
        task = asyncio.ensure_future(run(process))
        await self.net.clock.turn(0)
        return process, task


LINUX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WINDOWS_PATH = r"C:\dig\;C:\bin\;C:\curl\;C:\Windows\system32;C:\Windows;C:\Program Files\PowerShell;"


def play(scene: Callable[[Net], Coroutine[Any, Any, None]]) -> None:
    """Run a scene on a new network and end everything that it started."""

    async def main() -> None:
        await scene(Net())
        mine = asyncio.current_task()
        for task in asyncio.all_tasks() - {mine}:
            task.cancel()

    asyncio.run(main())
