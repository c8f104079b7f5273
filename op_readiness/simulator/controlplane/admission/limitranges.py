"""LimitRanges: defaults for new Pods' containers, and the least and most that Pods, containers and claims may name."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from op_readiness.simulator.controlplane.admission.quotas import written
from op_readiness.simulator.controlplane.fields.quantity import amount
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Store
from op_readiness.simulator.controlplane.wire.failures import forbidden

Object = dict[str, Any]
ANNOTATION = "kubernetes.io/limit-ranger"
GROUPS = (("containers", "container"), ("initContainers", "init container"))


class LimitRanges:
    """The plugin, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _limits(self, namespace: str, kind: str) -> list[Object]:
        stored = self._store["", "limitranges"].listed(namespace)
        return [item for one in stored for item in one.object["spec"].get("limits") or () if item.get("type") == kind]

    def fill(self, pod: Object) -> None:
        """Give containers of a new Pod the requests and limits that they do not name."""
        told = []
        items = self._limits(pod["metadata"]["namespace"], "Container")
        for kind, title in GROUPS if items else ():
            for container in pod["spec"].get(kind) or ():
                told += list(_filled(container, items, title))
        if told:
            annotations = pod["metadata"].setdefault("annotations", {})
            annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(told)}"

    def judge(self, request: Request, obj: Object, old: Object | None) -> None:
        """Refuse a Pod or a claim that names too little, too much or too uneven amounts."""
        if request.subresource or request.group or request.plural not in ("pods", "persistentvolumeclaims"):
            return
        if request.plural == "pods" and old is not None:
            return
        found = list(dict.fromkeys(self._problems(request.plural, obj)))
        if found:
            text = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise forbidden(request.plural, "", obj["metadata"]["name"], text)

    def _problems(self, plural: str, obj: Object) -> Iterator[str]:
        namespace, spec = obj["metadata"]["namespace"], obj["spec"]
        if plural == "persistentvolumeclaims":
            resources = {"requests": (spec.get("resources") or {}).get("requests") or {}}
            for item in self._limits(namespace, "PersistentVolumeClaim"):
                yield from _broken(item, {**resources, "limits": {}}, claim=True)
            return
        for item in self._limits(namespace, "Container"):
            for kind, _ in GROUPS:
                for container in spec.get(kind) or ():
                    yield from _broken(item, container.get("resources") or {})
        for item in self._limits(namespace, "Pod"):
            yield from _broken(item, _of_pod(spec))


def _filled(container: Object, items: list[Object], title: str) -> Iterator[str]:
    resources = container.setdefault("resources", {})
    for kind, source, word in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        added = {}
        for item in items:
            for name, value in (item.get(source) or {}).items():
                if name not in (resources.get(kind) or {}):
                    added[name] = value
        if added:
            resources[kind] = {**(resources.get(kind) or {}), **added}
            yield f"{', '.join(sorted(added))} {word} for {title} {container['name']}"


def _of_pod(spec: Object) -> Object:
    """Requests and limits of all containers together, as quantities."""
    names = {
        (kind, name)
        for group, _ in GROUPS
        for container in spec.get(group) or ()
        for kind in ("requests", "limits")
        for name in (container.get("resources") or {}).get(kind) or ()
    }
    found: Object = {"requests": {}, "limits": {}}
    for kind, name in names:
        main = sum((_named(container, kind, name) for container in spec.get("containers") or ()), Decimal(0))
        first = [_named(container, kind, name) for container in spec.get("initContainers") or ()]
        found[kind][name] = written(max([main, *first]), name)
    return found


def _named(container: Object, kind: str, name: str) -> Decimal:
    return amount(((container.get("resources") or {}).get(kind) or {}).get(name, "0"))


def _broken(item: Object, resources: Object, *, claim: bool = False) -> Iterator[str]:
    """What one limit says against requests and limits."""
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, least in sorted((item.get("min") or {}).items()):
        yield from _least(
            f"minimum {name} usage per {item['type']} is {least}", least, requests.get(name), limits.get(name)
        )
    for name, most in sorted((item.get("max") or {}).items()):
        start = f"maximum {name} usage per {item['type']} is {most}"
        yield from _most(
            start, most, requests.get(name), requests.get(name) if claim else limits.get(name), claim=claim
        )
    for name, ratio in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        start = f"{name} max limit to request ratio per {item['type']} is {ratio}"
        yield from _uneven(start, ratio, requests.get(name), limits.get(name))


def _least(start: str, least: str, request: str | None, limit: str | None) -> Iterator[str]:
    if request is None:
        yield f"{start}.  No request is specified"
    elif amount(request) < amount(least):
        yield f"{start}, but request is {request}"
    elif limit is not None and amount(limit) < amount(least):
        yield f"{start}, but limit is {limit}"


def _most(start: str, most: str, request: str | None, limit: str | None, *, claim: bool) -> Iterator[str]:
    if limit is None:
        yield f"{start}.  No limit is specified"
    elif amount(limit) > amount(most):
        yield f"{start}, but {'request' if claim else 'limit'} is {limit}"
    elif request is not None and amount(request) > amount(most):
        yield f"{start}, but request is {request}"


def _uneven(start: str, ratio: str, request: str | None, limit: str | None) -> Iterator[str]:
    for word, value in (("request", request), ("limit", limit)):
        if value is None or not amount(value):
            yield f"{start}, but no {word} is specified or {word} is 0"
            return
    seen = amount(limit or "0") / amount(request or "1")
    if seen > amount(ratio):
        yield f"{start}, but provided ratio is {float(seen):.6f}"
