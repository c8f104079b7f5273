"""What a run left in a cluster, found by its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import Forbidden, NotFound
from op_readiness.cluster.kinds import resource
from op_readiness.workloads.labels import RUN

CLUSTER_KINDS = (
    "ClusterRoleBinding",
    "ClusterRole",
    "PersistentVolume",
    "StorageClass",
    "RuntimeClass",
    "PriorityClass",
    "GMSACredentialSpec",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
)
"""Kinds outside Namespaces that a run may make."""

NAMESPACED_KINDS = (
    "Pod", "Service", "Deployment", "StatefulSet", "DaemonSet", "Job", "ConfigMap", "Secret", "RoleBinding",
    "Lease", "NetworkPolicy", "PersistentVolumeClaim",
)  # fmt: skip
"""Kinds that could stand in a Namespace of somebody else; what is in a run's own Namespaces goes with them."""

HOLDING = (
    "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure", "NamespaceContentRemaining", "NamespaceFinalizersRemaining",
)  # fmt: skip
"""Conditions of a Namespace that does not go; True says that this is why."""


@dataclass(frozen=True)
class Leftover:
    """One object that carries a run's label. `held_by` is what the API says of why a Namespace does not go."""

    kind: str
    name: str
    namespace: str
    run_id: str
    deleting: bool = False
    held_by: str = ""

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        held = f"; {self.held_by}" if self.held_by else ""
        return f"{self.kind} {where}" + (f" (being deleted{held})" if self.deleting else "")

    @property
    def command(self) -> str:
        """What removes it by hand."""
        flag = f" -n {self.namespace}" if self.namespace else ""
        return f"kubectl delete {resource(self.kind).full_name} {self.name}{flag}"


def find(cluster: Cluster, run_id: str = "", kinds: Sequence[str] = ()) -> list[Leftover]:
    """Every object of a run (empty: of any run), Namespaces first.

    Kinds that we may not list, or that do not exist, are left out: we could not have made one.
    """
    wanted = kinds or ("Namespace", *CLUSTER_KINDS, *NAMESPACED_KINDS)
    selector = f"{RUN}={run_id}" if run_id else RUN
    with ThreadPoolExecutor(6, "leftovers") as threads:
        lists = list(threads.map(lambda kind: _of_kind(cluster, kind, selector), wanted))
    return [leftover for found in lists for leftover in found]


def _of_kind(cluster: Cluster, kind: str, selector: str) -> list[Leftover]:
    try:
        objects = cluster.list(kind, labels=selector)
    except (Forbidden, NotFound):
        return []
    return [
        Leftover(
            kind,
            found["metadata"]["name"],
            found["metadata"].get("namespace", ""),
            found["metadata"]["labels"][RUN],
            "deletionTimestamp" in found["metadata"],
            held_by(found) if kind == "Namespace" else "",
        )
        for found in objects
    ]


def held_by(namespace: Mapping[str, Any]) -> str:
    """Why a Namespace that is being deleted is still there, in the words of its conditions; empty where none says.

    It is never the Nodes' doing as far as the verdict goes: an API that is away, a finalizer, a volume.
    """
    conditions = (namespace.get("status") or {}).get("conditions") or ()
    holding = [one for one in conditions if one["type"] in HOLDING and one["status"] == "True"]
    return "; ".join(f"{one['type']}: {one.get('message', '')}" for one in holding)
