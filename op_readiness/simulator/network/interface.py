"""What programs, kubelets and tables agree on: addresses, connections, servers, and how an attempt can end.

The network is simulated by message, not by byte: a connection is asked for (and what the tables say decides whether it
opens), then carries whole HTTP exchanges or datagrams, each judged again by size and direction. Nothing here decides
anything; `network.paths` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol


class NetworkFailure(Exception):
    """An attempt that did not get its answer. Programs turn the class into their own words."""


class Refused(NetworkFailure):
    """The target is there and nobody listens on the port (Linux: ECONNREFUSED; Windows: error 10061)."""


class TimedOut(NetworkFailure):
    """Silence until the deadline that the caller named."""


class NoRoute(NetworkFailure):
    """The network is unreachable from here: no address, no adapter, no route."""


class Reset(NetworkFailure):
    """The connection was open and was cut."""


class Closed(Reset):
    """The server closed the connection in good order without an answer (a program's `EOF`, curl's exit 52)."""


class AddressInUse(NetworkFailure):
    """The port is taken in this network namespace."""


@dataclass(frozen=True)
class Peer:
    """The other end as a server sees it (after any source rewriting)."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@dataclass
class HttpRequest:
    """One request as it reaches a simulated server. `target` is path and query as sent."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    tls: bool = False


@dataclass
class HttpResponse:
    """One answer. Header names as sent. Status 0: the peer did not speak HTTP (a `raw` server), and `body` is what it
    wrote; or it did not speak TLS where TLS was asked for.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


HttpHandler = Callable[[HttpRequest, Peer], Awaitable[HttpResponse | None]]
"""Answers a request; None closes the connection without an answer."""
RawHandler = Callable[[bytes, Peer], Awaitable[bytes]]
"""Gets what the client sent first (empty: it only connected) and gives what the server writes before it closes."""
DatagramHandler = Callable[[bytes, Peer], Awaitable[bytes | None]]
"""Answers a datagram; None is silence."""


@dataclass
class Server:
    """Something that listens. Exactly one of the handlers that fits its protocol is set."""

    http: HttpHandler | None = None
    raw: RawHandler | None = None
    datagram: DatagramHandler | None = None
    tls: bool = False
    up: Callable[[], bool] = lambda: True
    """Whether it listens just now."""


class Connection(Protocol):
    """An open TCP connection."""

    peer: Peer
    local: Peer

    async def request(self, request: HttpRequest, timeout: float | None) -> HttpResponse:
        """One HTTP exchange; raises TimedOut, Reset, Closed (no answer: the handler gave None)."""

    async def exchange(self, data: bytes, timeout: float | None) -> bytes:
        """Send, and read until the server closes."""

    def close(self) -> None:
        """Let go."""


class NetworkNamespace(Protocol):
    """Where packets of a Pod or a host start and end. `timeout` is in cluster seconds; None waits as the OS does."""

    node: str
    os: str

    @property
    def addresses(self) -> list[str]:
        """The addresses that its adapters really have (none when its endpoint is missing)."""

    def listen(self, protocol: str, port: int, server: Server, address: str = "") -> None:
        """Open a port (`TCP` or `UDP`); raises AddressInUse."""

    def close(self, protocol: str, port: int, address: str = "") -> None:
        """Close a port; closing what is not open does nothing."""

    async def connect(self, ip: str, port: int, timeout: float | None, *, size: int = 0) -> Connection:
        """Open a TCP connection; raises Refused, TimedOut, NoRoute."""

    async def datagram(self, ip: str, port: int, data: bytes, timeout: float | None) -> bytes:
        """Send a datagram and wait for one back; raises Refused, TimedOut, NoRoute."""

    async def ping(self, ip: str, timeout: float | None, *, size: int = 32) -> None:
        """One ICMP echo and its answer; raises TimedOut, NoRoute."""

    async def lookup(self, name: str, family: str = "IPv4", timeout: float | None = None) -> list[str]:
        """Addresses of a name as the OS's resolver finds them (hosts file, search list); raises NameFailure."""


class NameFailure(NetworkFailure):
    """No address for a name. `kind` is nxdomain, servfail, timeout or malformed; `server` the one asked last."""

    def __init__(self, name: str, kind: str, server: str) -> None:
        super().__init__(f"{name}: {kind}")
        self.name, self.kind, self.server = name, kind, server
