"""What the API server answers to a stranger who reaches it through the network: health, version, and a 403.

The simulated network only has to show that the way to `default/kubernetes` is open. A world that wants Pods to use
their tokens sets a handler of its own (`Network.api_server`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer

HEALTH = ("/healthz", "/livez", "/readyz")
VERSION = {"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"}


async def anonymous(request: HttpRequest, _: Peer) -> HttpResponse:
    """Health and version are open to everybody, the rest is forbidden; a token that we do not know is not accepted."""
    path = request.target.partition("?")[0].rstrip("/") or "/"
    if path in HEALTH:
        return HttpResponse(200, b"ok", {"Content-Type": "text/plain; charset=utf-8"})
    if path == "/version":
        return _json(200, VERSION)
    if any(name.lower() == "authorization" for name in request.headers):
        return _json(401, _status(401, "Unauthorized", "Unauthorized"))
    verb = request.method.lower()
    message = f'forbidden: User "system:anonymous" cannot {verb} path "{path}"'
    return _json(403, {**_status(403, "Forbidden", message), "details": {}})


async def greeting(_: bytes, __: Peer) -> bytes:
    """What a service for administrators says first; nobody logs on here."""
    return b"SSH-2.0-OpenSSH_for_Windows_9.5\r\n"


async def unauthorized(_: HttpRequest, __: Peer) -> HttpResponse:
    """What a kubelet answers to a stranger on its HTTPS port."""
    return HttpResponse(401, b"Unauthorized", {"Content-Type": "text/plain; charset=utf-8"})


def _status(code: int, reason: str, message: str) -> dict[str, object]:
    return {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    }


def _json(status: int, body: Mapping[str, object]) -> HttpResponse:
    return HttpResponse(status, json.dumps(body).encode() + b"\n", {"Content-Type": "application/json"})
