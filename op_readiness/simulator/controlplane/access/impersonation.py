"""Acting as somebody else (`kubectl --as`): who may, and who one then is."""

from __future__ import annotations

from collections.abc import Sequence

from op_readiness.simulator.controlplane.access.rbac import Rbac
from op_readiness.simulator.controlplane.access.tokens import AUTHENTICATED
from op_readiness.simulator.controlplane.store.requests import User
from op_readiness.simulator.controlplane.wire.failures import forbidden, quoted

ACCOUNT = "system:serviceaccount:"
ANONYMOUS = "system:anonymous"


def impersonated(rbac: Rbac, user: User, name: str, groups: Sequence[str]) -> User:
    """The user that the headers name, or 403 where the asker may not act as that one."""
    if name.startswith(ACCOUNT) and name.count(":") == 3:
        namespace, account = name.removeprefix(ACCOUNT).split(":")
        _require(rbac, user, "serviceaccounts", account, namespace)
        own: tuple[str, ...] = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    else:
        _require(rbac, user, "users", name, "")
        own = ()
    for group in groups:
        _require(rbac, user, "groups", group, "")
    chosen = tuple(groups) or own
    if name == ANONYMOUS:
        return User(name, chosen or ("system:unauthenticated",))
    return User(name, chosen if AUTHENTICATED in chosen else (*chosen, AUTHENTICATED))


def _require(rbac: Rbac, user: User, resource: str, name: str, namespace: str) -> None:
    wanted = {"verb": "impersonate", "group": "", "resource": resource, "name": name, "namespace": namespace}
    if rbac.allows(user, wanted):
        return
    scope = f"in the namespace {quoted(namespace)}" if namespace else "at the cluster scope"
    why = f'User {quoted(user.name)} cannot impersonate resource "{resource}" in API group "" {scope}'
    raise forbidden(resource, "", name, why)
