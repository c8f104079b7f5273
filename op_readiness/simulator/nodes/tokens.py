"""ServiceAccount tokens of projected volumes: asked of the API server, renewed at 80 % of their life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object

if TYPE_CHECKING:
    from op_readiness.simulator.world import World

RENEWED_AT = 0.8


@dataclass(frozen=True)
class Token:
    """A token and when (cluster time) it is to be replaced."""

    text: str
    renew_at: float


async def token(world: World, pod: Object, source: Object, old: Token | None) -> Token:
    """The token of a projection: the old one while it is young enough, else a new one bound to the Pod."""
    if old is not None and world.clock.now() < old.renew_at:
        return old
    meta = pod["metadata"]
    seconds = int(source.get("expirationSeconds") or 3600)
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [source["audience"]] if source.get("audience") else [],
            "expirationSeconds": seconds,
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
        },
    }
    account = pod["spec"].get("serviceAccountName") or "default"
    path = f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/{account}/token"
    answer = await world.api.create(path, request)
    return Token(str(answer["status"]["token"]), world.clock.now() + seconds * RENEWED_AT)
