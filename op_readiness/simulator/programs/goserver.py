"""How a Go program serves: answers as net/http writes them, form values, and ports opened and closed with the program.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import unquote_plus, urlsplit

from op_readiness.simulator.network.interface import (
    AddressInUse,
    HttpHandler,
    HttpRequest,
    HttpResponse,
    Peer,
    Server,
)
from op_readiness.simulator.programs import golang, hostports
from op_readiness.simulator.programs.process import Process

_HTML = re.compile(
    rb"[\t\n\x0c\r ]*<(!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]", re.I
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_BIND = {
    "linux": "address already in use",
    "windows": "Only one usage of each socket address (protocol/network address/port) is normally permitted.",
}
NO_BODY = (204, 304)


class ListenFailed(Exception):
    """A port that could not be opened, in Go's words."""


def guess_type(body: bytes) -> str:
    """The content type that net/http guesses from a body."""
    head = body[:512]
    if _HTML.match(head):
        return "text/html; charset=utf-8"
    if head.lstrip(b"\t\n\x0c\r ").startswith(b"<?xml"):
        return "text/xml; charset=utf-8"
    if head.startswith(b"\x1f\x8b\x08"):
        return "application/x-gzip"
    return "application/octet-stream" if _BINARY.search(head) else "text/plain; charset=utf-8"


def answer(body: bytes | str = b"", status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    """An answer with the headers that net/http adds."""
    data = body.encode() if isinstance(body, str) else body
    if status in NO_BODY:
        data = b""
    full = {**(headers or {}), "Date": formatdate(usegmt=True)}
    if status not in NO_BODY:
        full["Content-Length"] = str(len(data))
    if data and "Content-Type" not in full:
        full["Content-Type"] = guess_type(data)
    return HttpResponse(status, data, full)


def error(text: str, status: int) -> HttpResponse:
    """As http.Error."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return answer(text + "\n", status, headers)


def status_text(code: int) -> str:
    """The reason phrase of a status."""
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return f"status code {code}"


def redirect(request: HttpRequest, location: str, code: int) -> HttpResponse:
    """As http.Redirect: relative locations are seen from the request's folder."""
    parts = urlsplit(location)
    if not parts.scheme:
        if not location.startswith("/"):
            folder = urlsplit(request.target).path.rsplit("/", 1)[0] + "/"
            location = folder + location
        path, mark, query = location.partition("?")
        cleaned = posixpath.normpath(path)
        cleaned = "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned
        if path.endswith("/") and not cleaned.endswith("/"):
            cleaned += "/"
        location = cleaned + mark + query
    headers = {"Location": location}
    if request.method not in ("GET", "HEAD"):
        return answer(b"", code, headers)
    name = "" if status_text(code).startswith("status code ") else status_text(code)
    text = f'<a href="{golang.html_escaped(location)}">{name}</a>.\n\n'
    given = answer(text, code, {**headers, "Content-Type": "text/html; charset=utf-8"})
    if request.method == "HEAD":
        given.body = b""
        given.headers.pop("Content-Length", None)
    return given


def muxed(handler: HttpHandler) -> HttpHandler:
    """A handler behind a ServeMux, which sends callers of `//a` or `/b/../a` to `/a`."""

    async def serve(request: HttpRequest, peer: Peer) -> HttpResponse | None:
        path, mark, query = request.target.partition("?")
        cleaned = posixpath.normpath(path).replace("//", "/") if path else "/"
        if path.endswith("/") and not cleaned.endswith("/"):
            cleaned += "/"
        if cleaned != path and request.method != "CONNECT":
            return redirect(HttpRequest(request.method, "/"), cleaned + mark + query, 307)
        return await handler(request, peer)

    return serve


def form(request: HttpRequest) -> dict[str, str]:
    """First value of each parameter: a form body comes before the query, as in FormValue."""
    values: dict[str, str] = {}
    kind = header(request, "Content-Type").split(";", 1)[0].strip().lower()
    if request.method in ("POST", "PUT", "PATCH") and kind == "application/x-www-form-urlencoded":
        _add_pairs(values, request.body.decode(errors="replace"))
    _add_pairs(values, request.target.partition("?")[2].partition("#")[0])
    return values


def query(target: str) -> dict[str, str]:
    """First value of each parameter of a target."""
    values: dict[str, str] = {}
    _add_pairs(values, target.partition("?")[2].partition("#")[0])
    return values


def _add_pairs(values: dict[str, str], text: str) -> None:
    for pair in text.split("&"):
        if not pair or ";" in pair or re.search(r"%(?![0-9a-fA-F]{2})", pair):
            continue
        key, _, value = pair.partition("=")
        values.setdefault(unquote_plus(key), unquote_plus(value))


def header(request: HttpRequest, name: str) -> str:
    """A request header whatever its case; empty if absent."""
    key = name.lower()
    return next((value for known, value in request.headers.items() if known.lower() == key), "")


def canonical(name: str) -> str:
    """A header name as Go spells it: `X-Test`."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


class Ports:
    """The ports that one program holds open."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._open: list[tuple[str, int, str]] = []

    def http(self, port: int, handler: HttpHandler, *, tls: bool = False, address: str = "") -> None:
        """Serve HTTP; raises ListenFailed."""
        self._listen("TCP", port, Server(http=_spoken_to(handler, tls), tls=tls), address)

    def listen(self, protocol: str, port: int, server: Server, address: str = "") -> None:
        """Serve anything; raises ListenFailed."""
        self._listen(protocol, port, server, address)

    def close(self) -> None:
        """Close them all."""
        for protocol, port, address in self._open:
            self._process.network.close(protocol, port, address)
            hostports.closed(self._process, protocol, port)
        self._open.clear()

    def _listen(self, protocol: str, port: int, server: Server, address: str) -> None:
        net, where = protocol.lower(), f"{f'[{address}]' if ':' in address else address}:{port}"
        if not 0 <= port <= 65535:
            raise ListenFailed(f"listen {net}: address {port}: invalid port")
        try:
            self._process.network.listen(protocol, port, server, address)
        except AddressInUse:
            if hostports.shared(self._process, protocol, port):
                return
            raise ListenFailed(f"listen {net} {where}: bind: {_BIND[self._process.os]}") from None
        self._open.append((protocol, port, address))
        hostports.opened(self._process, protocol, port)


@contextmanager
def ports(process: Process) -> Iterator[Ports]:
    """Ports that close when the program ends, however it ends."""
    held = Ports(process)
    try:
        yield held
    finally:
        held.close()


def _spoken_to(handler: HttpHandler, tls: bool) -> HttpHandler:
    """HTTP to a TLS port and TLS to an HTTP port get what Go gives them."""

    async def serve(request: HttpRequest, peer: Peer) -> HttpResponse | None:
        if tls and not request.tls:
            text = b"Client sent an HTTP request to an HTTPS server.\n"
            return HttpResponse(400, text, {"Connection": "close"})
        if request.tls and not tls:
            return HttpResponse(0, b"HTTP/1.1 400 Bad Request")
        given = await handler(request, peer)
        if given is not None and request.method == "HEAD":
            return HttpResponse(given.status, b"", given.headers)
        return given

    return serve


def log(process: Process, text: str, level: str = "I", place: str = "log.go:244") -> None:
    """One log line on stderr."""
    process.stderr.write(golang.log_line(level, text, place))
