"""One HTTP request from authentication to answer; every refusal becomes a Status."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from op_readiness.simulator.controlplane.access.impersonation import impersonated
from op_readiness.simulator.controlplane.access.rbac import Rbac
from op_readiness.simulator.controlplane.access.tokens import Tokens
from op_readiness.simulator.controlplane.serving.subresources import Subresources
from op_readiness.simulator.controlplane.store.answers import Accepted, refused
from op_readiness.simulator.controlplane.store.registry import resources
from op_readiness.simulator.controlplane.store.requests import Request, User, parse
from op_readiness.simulator.controlplane.verbs import discovery, reading, writing
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire.failures import Failure, method_not_allowed, no_resource

LOG = logging.getLogger(__name__)
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
WRITES = {"create": writing.create, "update": writing.update, "patch": writing.patch}
DEPRECATED = {"endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"}
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Handlers:
    """The API over HTTP: `handle` takes any request."""

    def __init__(self, cluster: Cluster, tokens: Tokens, rbac: Rbac, subresources: Subresources) -> None:
        self._cluster, self._tokens, self._rbac, self._subresources = cluster, tokens, rbac, subresources

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        request = parse(http.method, http.path, http.query)
        request.agent = http.headers.get("User-Agent", "")
        try:
            request.user = self._user(http)
            self._rbac.require(request)
            if request.plural in DEPRECATED and not request.group:
                request.warnings.append(DEPRECATED[request.plural])
            return await self._answered(request, http)
        except Failure as failure:
            return refused(failure, request.warnings)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            LOG.exception("%s %s", http.method, http.path)
            return refused(Failure(500, "InternalError", f"Internal error occurred: {error}"), request.warnings)

    def _user(self, http: web.BaseRequest) -> User:
        user, name = (
            self._authenticated(http.headers.get("Authorization", "")),
            http.headers.get("Impersonate-User", ""),
        )
        if not name:
            return user
        return impersonated(self._rbac, user, name, http.headers.getall("Impersonate-Group", []))

    def _authenticated(self, header: str) -> User:
        if not header:
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        user = self._tokens.user(token.strip()) if scheme.lower() == "bearer" else None
        if user is None:
            raise Failure(401, "Unauthorized", "Unauthorized")
        return user

    async def _answered(self, request: Request, http: web.BaseRequest) -> web.StreamResponse:
        if request.resource is None:
            return self._document(request, http)
        if request.subresource and request.subresource != "status":
            return await self._subresources.answer(request, http)
        self._check_verb(request)
        accept = http.headers.get("Accept", "")
        match request.verb:
            case "get":
                return reading.get(self._cluster, request, Accepted(accept))
            case "list":
                return reading.list_all(self._cluster, request, Accepted(accept))
            case "watch":
                return await reading.watch(self._cluster, request, Accepted(accept.replace(";stream=watch", "")), http)
        return await self._written(request, http)

    async def _written(self, request: Request, http: web.BaseRequest) -> web.StreamResponse:
        data, media = await http.read(), http.headers.get("Content-Type", "")
        if request.verb == "delete":
            return writing.delete(self._cluster, request, data, media)
        if request.verb == "deletecollection":
            return writing.delete_collection(self._cluster, request, data, media)
        created_by_review = self._subresources.review(request, data, media)
        return created_by_review or WRITES[request.verb](self._cluster, request, data, media)

    @staticmethod
    def _check_verb(request: Request) -> None:
        resource = request.served
        verbs = resource.verbs
        if request.subresource:
            found = resource.subresources.get(request.subresource)
            if found is None:
                raise no_resource()
            verbs = found.verbs
        on_collection = request.verb in ("create", "list", "deletecollection")
        if request.verb not in verbs or (on_collection == bool(request.name) and request.verb != "watch"):
            raise method_not_allowed()

    @staticmethod
    def _document(request: Request, http: web.BaseRequest) -> web.Response:
        if http.method in ("GET", "HEAD") or request.path in discovery.HEALTH:
            found = discovery.document(request.path.rstrip("/") or "/", http.headers.get("Accept", ""))
            if found is not None:
                return found
        known = {(r.group, r.version) for r in resources().values()}
        if request.is_resource and (request.group, request.version) in known:
            raise no_resource()
        return web.Response(
            status=404, text="404 page not found\n", headers={"Content-Type": "text/plain; charset=utf-8"}
        )
