"""Pods with a group Managed Service Account: the right to use it, and the name of the credential spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from op_readiness.workloads.pods import Manifest

GROUP, PLURAL = "windows.k8s.io", "gmsacredentialspecs"
ACCOUNT = "gmsa-user"
RBAC = "rbac.authorization.k8s.io"


def allowed_account(namespace: str, spec: str, labels: Mapping[str, str]) -> list[Manifest]:
    """A ServiceAccount that may `use` a credential spec; for the webhook a Role of its own Namespace is enough."""
    meta = {"name": ACCOUNT, "namespace": namespace, "labels": dict(labels)}
    rule = {"apiGroups": [GROUP], "resources": [PLURAL], "verbs": ["use"], "resourceNames": [spec]}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
        },
    ]


def with_account(spec: str) -> dict[str, Any]:
    """The fields of a Pod's spec that give it the account."""
    return {
        "serviceAccountName": ACCOUNT,
        "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": spec}},
    }
