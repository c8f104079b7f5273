"""Who the bearer of a token is, asked through the simulated network: the API server's own answer is handed on.

Only the SelfSubjectReview is answered so; everything else stays with what a stranger gets (`network.apiface`).
"""

from __future__ import annotations

import json
from typing import Any

from op_readiness.simulator.api import Api, ApiError
from op_readiness.simulator.network.apiface import anonymous
from op_readiness.simulator.network.interface import HttpHandler, HttpRequest, HttpResponse, Peer

REVIEWS = "/apis/authentication.k8s.io/v1"
KIND = {"apiVersion": "authentication.k8s.io/v1"}


def answering(api: Api) -> HttpHandler:
    """A handler for `Network.api_server` that knows tokens which the API server knows."""

    async def answer(request: HttpRequest, peer: Peer) -> HttpResponse:
        path = request.target.partition("?")[0].rstrip("/")
        token = next((value for name, value in request.headers.items() if name.lower() == "authorization"), "")
        if path != f"{REVIEWS}/selfsubjectreviews" or request.method != "POST" or not token.startswith("Bearer "):
            return await anonymous(request, peer)
        user = await _user(api, token.removeprefix("Bearer ").strip())
        if user is None:
            return await anonymous(request, peer)
        body = {**KIND, "kind": "SelfSubjectReview", "metadata": {}, "status": {"userInfo": user}}
        return HttpResponse(201, json.dumps(body).encode() + b"\n", {"Content-Type": "application/json"})

    return answer


async def _user(api: Api, token: str) -> dict[str, Any] | None:
    review = {**KIND, "kind": "TokenReview", "spec": {"token": token}}
    try:
        status = (await api.create(f"{REVIEWS}/tokenreviews", review)).get("status") or {}
    except ApiError:
        return None
    found: dict[str, Any] | None = status.get("user") if status.get("authenticated") else None
    return found
