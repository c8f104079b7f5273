"""What a request asks for: verb, resource, subresource, Namespace and name, read from method and path alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.controlplane.store.registry import Resource, resources

VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True)
class User:
    """Who asks, as authentication found out."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass
class Request:
    """One request; `resource` is None for a path that names none that is served (`plural` may name it still)."""

    method: str
    path: str
    query: Mapping[str, str]
    verb: str
    group: str = ""
    version: str = ""
    plural: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    rest: str = ""
    resource: Resource | None = None
    user: User = User("system:anonymous", ("system:unauthenticated",))
    agent: str = ""
    warnings: list[str] = field(default_factory=list)

    @property
    def dry_run(self) -> bool:
        """True where nothing may be stored."""
        return self.query.get("dryRun") == "All"

    @property
    def manager(self) -> str:
        """Who is kept as the manager of what this request sets: as the client says, else its program's name."""
        return self.query.get("fieldManager") or self.agent.partition("/")[0][:128] or "unknown"

    @property
    def is_resource(self) -> bool:
        """True where authorization asks about a resource and not about a path."""
        return bool(self.plural)

    @property
    def served(self) -> Resource:
        """The resource, which the caller knows to be served."""
        if self.resource is None:
            raise LookupError(self.path)
        return self.resource


def parse(method: str, path: str, query: Mapping[str, str]) -> Request:
    """The request that method, path and query make."""
    request = Request(method, path, query, VERBS.get(method, method.lower()))
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        request.version, parts = parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        request.group, request.version, parts = parts[1], parts[2], parts[3:]
    else:
        return request
    watched = parts[0] == "watch" and len(parts) > 1
    parts = parts[1:] if watched else parts
    if parts[0] == "namespaces" and len(parts) > 1:
        request.namespace = parts[1]
        if len(parts) > 2 and parts[2] not in NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    request.plural = parts[0]
    request.name, request.subresource = [*parts, "", ""][1:3]
    request.rest = "/".join(parts[3:])
    request.resource = resources().get((request.group, request.version, request.plural))
    if request.resource is not None and not request.resource.namespaced and request.plural != "namespaces":
        request.namespace = ""
    _collection_verb(request)
    if watched and request.verb in ("get", "list"):
        request.verb = "watch"
    return request


def _collection_verb(request: Request) -> None:
    if request.name:
        return
    if request.verb == "get":
        request.verb = "watch" if request.query.get("watch") in ("1", "true") else "list"
    elif request.verb == "delete":
        request.verb = "deletecollection"


def of_user(value: Any) -> User:
    """A User from the spec of a SubjectAccessReview or a TokenReview's user."""
    return User(
        value.get("user") or value.get("username") or "", tuple(value.get("groups") or ()), value.get("uid", "")
    )
