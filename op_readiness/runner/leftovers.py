"""What a run left in a cluster, found by its label."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Leftover:
    """One object that carries a run's label."""

    kind: str
    name: str
    namespace: str
    run_id: str
    deleting: bool = False

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {where}" + (" (being deleted)" if self.deleting else "")

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
        )
        for found in objects
    ]
