"""Kinds that are questions: who am I, may I, whose token is this; and the request for a ServiceAccount token."""

from __future__ import annotations

import time
from typing import Any

from op_readiness.simulator.controlplane.access.rbac import MASTERS, Rbac
from op_readiness.simulator.controlplane.access.tokens import BOUND, ISSUER, Tokens
from op_readiness.simulator.controlplane.store.requests import Request, User, of_user
from op_readiness.simulator.controlplane.verbs import operations
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire import failures
from op_readiness.simulator.controlplane.wire.failures import bad_request, invalid, invalid_value, not_found

Object = dict[str, Any]
SHORTEST, LONGEST, USUAL = 600, 2**32, 3600


class Reviews:
    """Answers reviews and issues tokens."""

    def __init__(self, cluster: Cluster, tokens: Tokens, rbac: Rbac) -> None:
        self._cluster, self._tokens, self._rbac = cluster, tokens, rbac

    def review(self, request: Request, body: Object) -> Object:
        """The review with its status filled in."""
        match request.plural:
            case "selfsubjectreviews":
                body["metadata"] = {"creationTimestamp": operations.now()}
                body["status"] = {"userInfo": _user_info(request.user)}
            case "tokenreviews":
                body["status"] = self._token_review(body.get("spec") or {})
            case "selfsubjectrulesreviews":
                body["status"] = self._rules(request.user, body.get("spec", {}).get("namespace", ""))
                body["spec"] = {}
            case "selfsubjectaccessreviews":
                body["status"] = self._access(request.user, body.get("spec") or {})
            case _:
                body["status"] = self._access(of_user(body.get("spec") or {}), body.get("spec") or {})
        return body

    def _access(self, user: User, spec: Object) -> Object:
        paths = spec.get("nonResourceAttributes")
        attributes = {"verb": "", **(paths or spec.get("resourceAttributes") or {})}
        if paths is not None:
            attributes.setdefault("path", "")
        if MASTERS in user.groups:
            return {"allowed": True}
        reason = self._rbac.reason(user, attributes)
        return {"allowed": False} if reason is None else {"allowed": True, "reason": reason}

    def _rules(self, user: User, namespace: str) -> Object:
        rules = [rule for rule, _ in self._rbac.rules(user, namespace)]
        paths = [r for r in rules if r.get("nonResourceURLs")]
        resources = [r for r in rules if r.get("resources")]
        return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}

    def _token_review(self, spec: Object) -> Object:
        audiences = spec.get("audiences") or [ISSUER]
        user = self._tokens.user(spec.get("token", ""), tuple(audiences))
        if user is None:
            return {"user": {}, "error": "invalid bearer token"}
        return {
            "authenticated": True,
            "user": _user_info(user),
            "audiences": [ISSUER] if ISSUER in audiences else audiences,
        }

    def token(self, request: Request, body: Object) -> Object:
        """A TokenRequest answered with a token."""
        account = self._cluster.store.get(("", "serviceaccounts"), request.namespace, request.name)
        if account is None:
            raise not_found("serviceaccounts", "", request.name)
        spec = body.setdefault("spec", {})
        seconds = spec.setdefault("expirationSeconds", USUAL)
        _check_seconds(seconds)
        spec["audiences"] = spec.get("audiences") or [ISSUER]
        bound = self._bound(request, spec)
        spec.setdefault("boundObjectRef", None)
        token = self._tokens.issue(account.object, spec["audiences"], seconds, bound)
        metadata = account.object["metadata"]
        named = {field: metadata[field] for field in ("name", "namespace", "uid")}
        body["metadata"] = {**named, "creationTimestamp": operations.now()}
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        body["status"] = {"token": token, "expirationTimestamp": until}
        return body

    def _bound(self, request: Request, spec: Object) -> Object | None:
        reference = spec.get("boundObjectRef")
        if not reference:
            return None
        kind, name = reference.get("kind", ""), reference.get("name", "")
        plural = BOUND.get(kind)
        if plural is None:
            version = reference.get("apiVersion", "")
            raise bad_request(f"cannot bind token to object of type {version}, Kind={kind}")
        stored = self._cluster.store.get(("", plural), "" if plural == "nodes" else request.namespace, name)
        if stored is None:
            raise not_found(plural, "", name)
        uid = stored.object["metadata"]["uid"]
        if reference.get("uid") and reference["uid"] != uid:
            why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            raise failures.conflict(kind, "", name, why + "The object might have been deleted and then recreated")
        bound: Object = {kind.lower(): {"name": name, "uid": uid}}
        if kind == "Pod":
            bound |= self._node_of(request, stored.object)
        return bound

    def _node_of(self, request: Request, pod: Object) -> Object:
        if pod["spec"].get("serviceAccountName") != request.name:
            text = f'cannot bind token for serviceaccount "{request.name}" to pod running with different serviceaccount'
            text += " name."
            raise bad_request(text)
        name = pod["spec"].get("nodeName")
        if not name:
            return {}
        node = self._cluster.store.get(("", "nodes"), "", name)
        return {"node": {"name": name, **({"uid": node.object["metadata"]["uid"]} if node is not None else {})}}


def _check_seconds(seconds: int) -> None:
    why = ""
    if seconds < SHORTEST:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > LONGEST:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        raise invalid(
            "TokenRequest", "authentication.k8s.io", "", [invalid_value("spec.expirationSeconds", seconds, why)]
        )


def _user_info(user: User) -> Object:
    info: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": dict(user.extra)}
    return {key: value for key, value in info.items() if value}
