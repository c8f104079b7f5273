"""How a Go program connects: host and port resolved in net's order and words, and a GET as http.Client does it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from op_readiness.simulator.network.interface import (
    Closed,
    Connection,
    HttpRequest,
    HttpResponse,
    NameFailure,
    NetworkFailure,
    Peer,
    TimedOut,
)
from op_readiness.simulator.programs import golang
from op_readiness.simulator.programs.addresses import family_of, literal, own_address, resolve
from op_readiness.simulator.programs.golang import GoError, quoted
from op_readiness.simulator.programs.process import Process

SERVICES = {"http": 80, "https": 443, "domain": 53, "ssh": 22, "ftp": 21, "telnet": 23, "smtp": 25}
REDIRECTS = (301, 302, 303, 307, 308)
_AWAITING = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"


class LookupFailed(GoError):
    """A host or port that does not resolve, as net.Resolve... prints it."""


@dataclass(frozen=True)
class HostPort:
    """The two halves of `host:port`."""

    host: str
    port: str


def split(text: str) -> HostPort:
    """As net.SplitHostPort; raises GoError."""
    host, colon, port = text.rpartition(":")
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket:
            raise GoError(f"address {text}: missing ']' in address")
        if not rest:
            raise GoError(f"address {text}: missing port in address")
        if not rest.startswith(":") or ":" in rest[1:]:
            raise GoError(f"address {text}: too many colons in address")
        return HostPort(inner, rest[1:])
    if not colon:
        raise GoError(f"address {text}: missing port in address")
    if ":" in host:
        raise GoError(f"address {text}: too many colons in address")
    return HostPort(host, port)


def port_number(text: str, net: str) -> int:
    """As net.LookupPort."""
    if not text:
        return 0
    try:
        number = int(text)
    except ValueError:
        if text.lower() in SERVICES:
            return SERVICES[text.lower()]
        raise LookupFailed(f"lookup {net}/{text}: unknown port") from None
    if not 0 <= number <= 65535:
        raise LookupFailed(f"address {number}: invalid port")
    return number


async def addresses(process: Process, where: HostPort, net: str = "tcp") -> list[Peer]:
    """Where `host:port` leads, IPv4 first; raises LookupFailed in net's words."""
    port = port_number(where.port, net)
    if not where.host:
        return [Peer("127.0.0.1", port)]
    if literal(where.host) is None and (".." in where.host or where.host.startswith(".")):
        raise LookupFailed(f"lookup {where.host}: no such host")
    try:
        return [Peer(ip, port) for ip in await resolve(process, where.host)]
    except NameFailure as error:
        raise LookupFailed(lookup_words(process, error, where.host)) from None


def lookup_words(process: Process, error: NameFailure, name: str) -> str:
    """A failed lookup with the socket that waited, where Go names it."""
    text = golang.lookup_error(process.os, error, name)
    if error.kind == "timeout" and not process.windows:
        server = Peer(error.server, 53)
        local = Peer(own_address(process, family_of(error.server)), random.randint(32768, 60999))
        return text.replace("read udp:", f"read udp {local}->{server}:")
    return text


async def connect_any(process: Process, targets: list[Peer], timeout: float | None) -> Connection:
    """A connection to the first target that takes it; raises the last failure."""
    failure: NetworkFailure = TimedOut("no target")
    for target in targets:
        try:
            return await process.network.connect(target.ip, target.port, timeout)
        except NetworkFailure as error:
            failure = error
    raise failure


async def get(process: Process, url: str, timeout: float, headers: dict[str, str] | None = None) -> HttpResponse:
    """The answer after redirects, all within `timeout` seconds; raises GoError with http.Client's words."""
    deadline = process.clock.now() + timeout
    for _ in range(10):
        response = await _get_once(process, url, deadline, headers or {})
        location = next((v for k, v in response.headers.items() if k.lower() == "location"), "")
        if response.status not in REDIRECTS or not location:
            return response
        url = urljoin(url, location)
    raise GoError(f"Get {quoted(url)}: stopped after 10 redirects")


async def _get_once(process: Process, url: str, deadline: float, headers: dict[str, str]) -> HttpResponse:
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    where = HostPort(parts.hostname or "", _port_text(parts.netloc) or ("443" if tls else "80"))
    left = deadline - process.clock.now()
    try:
        targets = await addresses(process, where)
    except LookupFailed as error:
        raise GoError(f"Get {quoted(url)}: dial tcp: {error}") from None
    shown = Peer(where.host, targets[0].port) if not where.host else targets[0]
    connection: Connection | None = None
    try:
        connection = await connect_any(process, targets, left)
        request = HttpRequest("GET", _target(url), _headers(parts.netloc, headers), tls=tls)
        response = await connection.request(request, max(0.001, deadline - process.clock.now()))
    except NetworkFailure as error:
        raise GoError(f"Get {quoted(url)}: {_words(process, error, shown, connection)}") from None
    finally:
        if connection is not None:
            connection.close()
    if response.status == 0:
        raise GoError(f"Get {quoted(url)}: {_foreign(response.body, tls)}")
    return response


def _words(process: Process, error: NetworkFailure, target: Peer, connection: Connection | None) -> str:
    if isinstance(error, TimedOut):
        return _AWAITING
    if isinstance(error, Closed):
        return "EOF"
    return golang.dial_error(process.os, error, target, connection.local if connection else None)


def _foreign(body: bytes, tls: bool) -> str:
    if tls:
        return "http: server gave HTTP response to HTTPS client"
    text = quoted(body.decode(errors="replace"))
    return f"net/http: HTTP/1.x transport connection broken: malformed HTTP response {text}"


def _headers(host: str, extra: dict[str, str]) -> dict[str, str]:
    return {"Host": host, "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip", **extra}


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _port_text(netloc: str) -> str:
    tail = netloc.rsplit("]", 1)[-1]
    return tail.rpartition(":")[2] if ":" in tail else ""
