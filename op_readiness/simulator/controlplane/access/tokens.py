"""Who a bearer token belongs to: static tokens, and ServiceAccount tokens (RS256 JWTs) that this server signs."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from op_readiness.simulator.controlplane.store.requests import User
from op_readiness.simulator.controlplane.store.storage import Store

Object = dict[str, Any]
ISSUER = "https://kubernetes.default.svc"
AUTHENTICATED = "system:authenticated"
BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    """Issues and checks tokens, over one store; a token whose ServiceAccount or Pod is gone no longer counts."""

    def __init__(self, store: Store, key: rsa.RSAPrivateKey, static: dict[str, User]) -> None:
        self._store, self._key, self._static = store, key, static
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._key_id = _base64(hashlib.sha256(public).digest())
        self._claims: dict[str, Object] = {}

    def issue(self, account: Object, audiences: list[str], seconds: int, bound: Object | None) -> str:
        """A token for a ServiceAccount, bound to a Pod, Secret or Node where one is given."""
        metadata, now = account["metadata"], int(time.time())
        private: Object = {
            "namespace": metadata["namespace"],
            "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
        }
        if bound is not None:
            private |= bound
        claims = {
            "aud": audiences or [ISSUER],
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": private,
            "nbf": now,
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
        }
        header = {"alg": "RS256", "kid": self._key_id}
        parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, claims))
        signed = ".".join(map(_base64, parts))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        token = f"{signed}.{_base64(signature)}"
        self._claims[token] = claims
        return token

    def user(self, token: str, audiences: tuple[str, ...] = (ISSUER,)) -> User | None:
        """Who the token stands for, or None where it does not count."""
        if token in self._static:
            return self._static[token]
        claims = self._claims.get(token) or self._checked(token)
        if claims is None or claims["exp"] <= time.time() or not set(audiences) & set(claims["aud"]):
            return None
        return self._account(claims)

    def _checked(self, token: str) -> Object | None:
        try:
            signed, _, signature = token.rpartition(".")
            self._key.public_key().verify(_unbase64(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims: Object = json.loads(_unbase64(signed.partition(".")[2]))
        except (InvalidSignature, ValueError):
            return None
        self._claims[token] = claims
        return claims

    def _account(self, claims: Object) -> User | None:
        private = claims["kubernetes.io"]
        namespace, account = private["namespace"], private["serviceaccount"]
        if not self._lives(("", "serviceaccounts"), namespace, account):
            return None
        pod = private.get("pod")
        if pod is not None and not self._lives(("", "pods"), namespace, pod):
            return None
        extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims['jti']}"]}
        if pod is not None:
            extra["authentication.kubernetes.io/pod-name"] = [pod["name"]]
            extra["authentication.kubernetes.io/pod-uid"] = [pod["uid"]]
        node = private.get("node")
        if node is not None:
            extra["authentication.kubernetes.io/node-name"] = [node["name"]]
            if node.get("uid"):
                extra["authentication.kubernetes.io/node-uid"] = [node["uid"]]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
        return User(f"system:serviceaccount:{namespace}:{account['name']}", groups, account["uid"], extra)

    def _lives(self, key: tuple[str, str], namespace: str, wanted: Object) -> bool:
        stored = self._store.get(key, namespace, wanted["name"])
        return stored is not None and bool(stored.object["metadata"]["uid"] == wanted["uid"])
