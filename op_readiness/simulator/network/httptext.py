"""HTTP/1.1 as text, for the few places where a request or an answer has to be bytes (`nc`, sizes on the wire)."""

from __future__ import annotations

from http import HTTPStatus

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse


def render_request(request: HttpRequest) -> bytes:
    """The request as a client writes it."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body and "content-length" not in {name.lower() for name in request.headers}:
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


def parse_request(data: bytes) -> HttpRequest | None:
    """The request that `data` is, or None if it is none."""
    head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *rest = head.decode("latin-1").split("\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        return None
    headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    return HttpRequest(words[0], words[1], headers, body)


def render_response(response: HttpResponse) -> bytes:
    """The answer as a server writes it before it closes."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = f"status code {response.status}"
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if "content-length" not in {name.lower() for name in response.headers}:
        lines.append(f"Content-Length: {len(response.body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + response.body
