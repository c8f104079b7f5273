"""Authorization from the stored roles and bindings; system:masters may do everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from op_readiness.simulator.controlplane.store.requests import Request, User
from op_readiness.simulator.controlplane.store.selectors import selected
from op_readiness.simulator.controlplane.store.storage import Store
from op_readiness.simulator.controlplane.wire.failures import Failure, forbidden, quoted

Object = dict[str, Any]
GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"


class Rbac:
    """Answers whether a user may do something, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rules(self, user: User, namespace: str) -> Iterator[tuple[Object, str]]:
        """(rule, why it holds) of a user in a Namespace (in none: cluster-wide ones alone)."""
        for stored in self._store[GROUP, "clusterrolebindings"].objects.values():
            yield from self._granted(stored.object, user, "")
        if namespace:
            for (place, _), stored in self._store[GROUP, "rolebindings"].objects.items():
                if place == namespace:
                    yield from self._granted(stored.object, user, place)

    def _granted(self, binding: Object, user: User, namespace: str) -> Iterator[tuple[Object, str]]:
        subject = self._named(binding, user, namespace)
        if subject is not None:
            for rule in self._role(binding, namespace):
                yield rule, _why(binding, subject, namespace)

    @staticmethod
    def _named(binding: Object, user: User, namespace: str) -> Object | None:
        """The subject of a binding that the user is, if any."""
        for subject in binding.get("subjects") or ():
            place = subject.get("namespace") or namespace
            names = {
                "User": (user.name,),
                "Group": user.groups,
                "ServiceAccount": (user.name.removeprefix(f"system:serviceaccount:{place}:"),),
            }[subject["kind"]]
            if subject["name"] in names and (subject["kind"] != "ServiceAccount" or ":" in user.name):
                return dict(subject)
        return None

    def _role(self, binding: Object, namespace: str) -> list[Object]:
        reference = binding["roleRef"]
        if reference["kind"] == "ClusterRole":
            stored = self._store.get((GROUP, "clusterroles"), "", reference["name"])
        else:
            stored = self._store.get((GROUP, "roles"), namespace, reference["name"])
        if stored is None:
            return []
        return self._aggregated(stored.object) or stored.object.get("rules") or []

    def _aggregated(self, role: Object) -> list[Object]:
        """Rules that a ClusterRole takes from others by their labels; a controller fills them in on a real cluster."""
        selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
        rules: list[Object] = []
        for stored in self._store[GROUP, "clusterroles"].objects.values():
            labels = stored.object["metadata"].get("labels") or {}
            if stored.object is not role and any(selected(selector, labels) for selector in selectors):
                rules += self._aggregated(stored.object) or stored.object.get("rules") or []
        return rules

    def allows(self, user: User, attributes: Object) -> bool:
        """True where the user may do what the attributes of a SubjectAccessReview say."""
        return MASTERS in user.groups or self.reason(user, attributes) is not None

    def reason(self, user: User, attributes: Object) -> str | None:
        """Which binding allows it, in the server's words; None where none does."""
        for rule, why in self.rules(user, attributes.get("namespace", "")):
            if _covers(rule, attributes):
                return why
        return None

    def require(self, request: Request) -> None:
        """403 where the user of the request may not do it."""
        if MASTERS in request.user.groups:
            return
        attributes = attributes_of(request)
        if not self.allows(request.user, attributes):
            raise refusal(request, attributes)


def _why(binding: Object, subject: Object, namespace: str) -> str:
    name = binding["metadata"]["name"] + (f"/{namespace}" if namespace else "")
    role, who = binding["roleRef"], subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    given = f"{binding['kind']} {quoted(name)} of {role['kind']} {quoted(role['name'])}"
    return f"RBAC: allowed by {given} to {subject['kind']} {quoted(who)}"


def attributes_of(request: Request) -> Object:
    """The request as the attributes of a SubjectAccessReview."""
    if not request.is_resource:
        return {"verb": request.method.lower(), "path": request.path}
    return {
        "verb": request.verb,
        "group": request.group,
        "resource": request.plural,
        "subresource": request.subresource,
        "namespace": request.namespace,
        "name": request.name,
    }


def refusal(request: Request, attributes: Object) -> Failure:
    """The 403 in the server's words."""
    who = quoted(request.user.name)
    if "path" in attributes:
        text = f"forbidden: User {who} cannot {attributes['verb']} path {quoted(attributes['path'])}"
        return Failure(403, "Forbidden", text, {})
    resource = "/".join(filter(None, (request.plural, request.subresource)))
    scope = f"in the namespace {quoted(request.namespace)}" if request.namespace else "at the cluster scope"
    why = f"User {who} cannot {request.verb} resource {quoted(resource)} in API group {quoted(request.group)} {scope}"
    return forbidden(request.plural, request.group, request.name, why)


def _covers(rule: Object, wanted: Object) -> bool:
    if not _has(rule.get("verbs"), wanted["verb"]):
        return False
    if "path" in wanted:
        return any(_path(pattern, wanted["path"]) for pattern in rule.get("nonResourceURLs") or ())
    if not _has(rule.get("apiGroups"), wanted.get("group", "")):
        return False
    names = rule.get("resourceNames")
    return _resource(rule.get("resources") or [], wanted) and (not names or wanted.get("name") in names)


def _has(listed: list[str] | None, value: str) -> bool:
    return listed is not None and ("*" in listed or value in listed)


def _resource(listed: list[str], wanted: Object) -> bool:
    resource, sub = wanted.get("resource", ""), wanted.get("subresource", "")
    full = f"{resource}/{sub}" if sub else resource
    return "*" in listed or full in listed or bool(sub and f"*/{sub}" in listed)


def _path(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))
