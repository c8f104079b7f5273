"""Discovery, version, health and OpenAPI documents, from the recording."""

from __future__ import annotations

import functools
import hashlib
from typing import Any

from aiohttp import web

from op_readiness.simulator.controlplane.store.answers import JSON, answer
from op_readiness.simulator.controlplane.store.registry import Resource, resources
from op_readiness.simulator.controlplane.store.storage import encode
from op_readiness.simulator.controlplane.wire.recorded import recorded

Object = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
HEALTH = ("/healthz", "/livez", "/readyz", "/healthz/ping", "/livez/ping", "/readyz/ping")
ADDRESSES = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.240.0.2:6443"}]


def document(path: str, accept: str) -> web.Response | None:
    """The answer to a path that names no resource, or None where there is no such path."""
    if path in HEALTH:
        return web.Response(text="ok", headers={"Content-Type": "text/plain; charset=utf-8"})
    if path in ("/api", "/apis"):
        return _root(path, accept)
    if path.startswith("/openapi"):
        return _openapi(path)
    if path in ("/", "/version"):
        return answer(recorded()["version"] if path == "/version" else {"paths": _paths()})
    return _group(path)


def _openapi(path: str) -> web.Response | None:
    if path == "/openapi/v2":
        return web.Response(body=openapi_v2(), headers=JSON)
    if path == "/openapi/v3":
        return answer({"paths": {key: {"serverRelativeURL": _url(key)} for key in _versions()}})
    if path[12:] in _versions():
        return web.Response(body=openapi_v3(path[12:]), headers=JSON)
    return None


def _root(path: str, accept: str) -> web.Response:
    for clause in accept.split(","):
        if "as=APIGroupDiscoveryList" in clause and "v=v2" in clause and "v=v2beta1" not in clause:
            data = encode(recorded()["aggregated"][path])
            return web.Response(body=data, headers={"Content-Type": AGGREGATED, "Vary": "Accept"})
    if path == "/api":
        return answer({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": ADDRESSES})
    return answer({"kind": "APIGroupList", "apiVersion": "v1", "groups": recorded()["groups"]})


def _group(path: str) -> web.Response | None:
    version = path.removeprefix("/apis/").removeprefix("/api/")
    if version in recorded()["resources"] and path == prefix(version):
        listed = {"kind": "APIResourceList", **({"apiVersion": "v1"} if "/" in version else {})}
        return answer({**listed, "groupVersion": version, "resources": recorded()["resources"][version]})
    for group in recorded()["groups"]:
        if path == f"/apis/{group['name']}":
            return answer({"kind": "APIGroup", "apiVersion": "v1", **group})
    return None


def prefix(group_version: str) -> str:
    """The path below which a group version is served."""
    return f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"


def _versions() -> dict[str, str]:
    """Group versions by their path without the leading slash."""
    return {prefix(version)[1:]: version for version in recorded()["resources"]}


def _paths() -> list[str]:
    groups = [f"/apis/{group['name']}" for group in recorded()["groups"]]
    versions = [f"/{path}" for path in _versions()]
    return sorted(
        {"/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version", *groups, *versions}
    )


def _url(key: str) -> str:
    digest = hashlib.sha512(openapi_v3(key)).hexdigest().upper()
    return f"/openapi/v3/{key}?hash={digest}"


def _references(node: Any, found: set[str]) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            found.add(node["$ref"].rsplit("/", 1)[1])
        for value in node.values():
            _references(value, found)
    elif isinstance(node, list):
        for value in node:
            _references(value, found)


def _closure(names: set[str]) -> dict[str, Any]:
    schemas, kept = recorded()["schemas"], {}
    while names:
        name = names.pop()
        kept[name] = schemas[name]
        found: set[str] = set()
        _references(schemas[name], found)
        names |= found - kept.keys()
    return dict(sorted(kept.items()))


@functools.cache
def openapi_v3(key: str) -> bytes:
    """The OpenAPI v3 document of one group version: schemas, and the paths that clients look for."""
    version = _versions()[key]
    served = [resource for resource in resources().values() if resource.api_version == version]
    names = {resource.schema for resource in served if resource.schema}
    names |= {_list_schema(resource) for resource in served if _list_schema(resource) in recorded()["schemas"]}
    paths: Object = {}
    for resource in served:
        paths.update(_resource_paths(resource))
    info = {"title": "Kubernetes", "version": recorded()["version"]["gitVersion"]}
    return encode({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": _closure(names)}})


def _list_schema(resource: Resource) -> str:
    return f"{resource.schema}List"


def _resource_paths(resource: Resource) -> Object:
    base = (
        prefix(resource.api_version)
        + ("/namespaces/{namespace}" if resource.namespaced else "")
        + f"/{resource.plural}"
    )
    kind = {"group": resource.group, "kind": resource.kind, "version": resource.version}
    query = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    operations: dict[str, Object] = {base: {}, base + "/{name}": {}}
    for verb, method, path in (
        ("list", "get", base),
        ("create", "post", base),
        ("get", "get", base + "/{name}"),
        ("update", "put", base + "/{name}"),
        ("patch", "patch", base + "/{name}"),
        ("delete", "delete", base + "/{name}"),
    ):
        if verb in resource.verbs:
            parameters = query if method in ("post", "put", "patch") else query[:1]
            operations[path][method] = {"parameters": parameters, "x-kubernetes-group-version-kind": kind}
    return operations


@functools.cache
def openapi_v2() -> bytes:
    """One OpenAPI v2 document of everything that is served."""
    schemas = encode(recorded()["schemas"]).replace(b"#/components/schemas/", b"#/definitions/")
    info = encode({"title": "Kubernetes", "version": recorded()["version"]["gitVersion"]})
    return b'{"swagger":"2.0","info":%s,"paths":{},"definitions":%s}' % (info, schemas)
