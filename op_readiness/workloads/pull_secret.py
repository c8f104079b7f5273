"""The Secret with which images are pulled (`--pull-secret`): read once, and copied to where Pods of a run need it.

Pods name a Secret of their own Namespace. So the runner brings it into the run's own Namespace, and whoever makes a
Namespace copies it on from there; it goes with the Namespaces.
"""

from __future__ import annotations

from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import NotFound
from op_readiness.model.errors import UsageError
from op_readiness.workloads.labels import run_labels

NAME = "pull-secret"
TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


def source_of(text: str) -> tuple[str, str]:
    """Namespace and name of `NAMESPACE/NAME`; `NAME` alone is in default."""
    namespace, slash, name = text.partition("/")
    return (namespace, name) if slash else ("default", namespace)


def read(cluster: Cluster, text: str) -> dict[str, Any]:
    """The Secret that `--pull-secret` names. Raises UsageError if there is none, or none to pull images with."""
    namespace, name = source_of(text)
    try:
        secret = cluster.get("Secret", name, namespace)
    except NotFound as error:
        raise UsageError(f"--pull-secret {text}: there is no Secret {namespace}/{name}") from error
    if secret.get("type") not in TYPES:
        raise UsageError(f"--pull-secret {text}: is of type {secret.get('type')!r}, not {TYPES[0]}")
    return secret


def put(cluster: Cluster, secret: dict[str, Any], namespace: str, run_id: str) -> None:
    """Put a copy of a Secret into a Namespace, under NAME."""
    meta = {"name": NAME, "namespace": namespace, "labels": run_labels(run_id)}
    copy = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": secret["type"], "data": secret["data"]}
    cluster.create(copy)


def copy_to(cluster: Cluster, namespace: str, run_id: str) -> None:
    """Copy the run's own Secret into another Namespace of the run."""
    put(cluster, cluster.get("Secret", NAME, f"opr-{run_id}"), namespace, run_id)
