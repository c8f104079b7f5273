"""`op-readiness rbac`: the least ClusterRole and Roles for the abilities that were chosen, as YAML for kubectl.

Most is a ClusterRole because a run makes Namespaces of its own, whose names nobody knows beforehand; what it reads in
Namespaces of the cluster is a Role there, for the objects by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from op_readiness.model.errors import UsageError
from op_readiness.runner.listing import catalogue_of
from op_readiness.runner.rights import Right, rights_of
from op_readiness.runner.selection import select

NAME = "op-readiness"
GROUP = "rbac.authorization.k8s.io"
Manifest = dict[str, Any]


def rbac_command(*, categories: Sequence[str], abilities: Sequence[str], service_account: str) -> str:
    """The documents. Raises UsageError for unknown names, and for categories whose rights are not known."""
    chosen = select(catalogue_of(), categories, abilities)
    names = [category.name for category in chosen.categories if any(not a.planned for a in category.abilities)]
    rights, unknown = rights_of(names)
    if unknown:
        raise UsageError(f"the rights of {', '.join(unknown)} have not been recorded: choose others with --category")
    made = list(objects(rights, account(service_account)))
    head = f"# What {', '.join(names)} ask of the API server; printed by `op-readiness rbac`.\n"
    return head + yaml.safe_dump_all(made, sort_keys=False, width=110)


def account(text: str) -> tuple[str, str] | None:
    """Namespace and name of a ServiceAccount, from NAMESPACE/NAME. Raises UsageError."""
    if not text:
        return None
    namespace, slash, name = text.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise UsageError(f"--service-account takes NAMESPACE/NAME, not {text!r}")
    return namespace, name


def objects(rights: Sequence[Right], account: tuple[str, str] | None = None) -> Iterable[Manifest]:
    """A ClusterRole, a Role for each Namespace, and with an account what binds it to them."""
    for namespace in sorted({right.namespace for right in rights}):
        meta = {"name": NAME, **({"namespace": namespace} if namespace else {})}
        kind = "Role" if namespace else "ClusterRole"
        inside = [right for right in rights if right.namespace == namespace]
        yield {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": meta, "rules": rules(inside)}
        if account:
            yield {
                "apiVersion": f"{GROUP}/v1",
                "kind": f"{kind}Binding",
                "metadata": meta,
                "roleRef": {"apiGroup": GROUP, "kind": kind, "name": NAME},
                "subjects": [{"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}],
            }


def rules(rights: Sequence[Right]) -> list[Manifest]:
    """Rules as RBAC has them: resources of one group that take the same verbs stand together."""
    verbs: dict[tuple[str, str, str], list[str]] = {}
    for right in rights:
        plural, slash, subresource = right.resource.partition("/")
        plural, _, group = plural.partition(".")
        verbs.setdefault((group, plural + slash + subresource, right.name), []).append(right.verb)
    together: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (group, resource, name), found in verbs.items():
        together.setdefault((group, name, tuple(sorted(found))), []).append(resource)
    return [
        {
            "apiGroups": [group],
            "resources": resources,
            **({"resourceNames": [name]} if name else {}),
            "verbs": list(found),
        }
        for (group, name, found), resources in sorted(together.items())
    ]
