"""Simulated clusters as `op-readiness simulate up` gives them, and what stands in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError
from op_readiness.cluster.kinds import resource
from tests.product import SCALE, Running, wait_for

KINDS = (
    "Namespace", "Node", "Pod", "Service", "Endpoints", "EndpointSlice", "Deployment", "ReplicaSet", "StatefulSet",
    "DaemonSet", "Job", "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole",
    "ClusterRoleBinding", "Lease", "NetworkPolicy", "PersistentVolume", "PersistentVolumeClaim", "StorageClass",
    "RuntimeClass", "PriorityClass", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
)  # fmt: skip

Up = Callable[..., str]


def start_cluster(stack: ExitStack, folder: Path, *words: str) -> str:
    """`simulate up`, until the stack is closed; its kubeconfig."""
    folder.mkdir(exist_ok=True)
    kubeconfig = folder / "kubeconfig"
    running = stack.enter_context(
        Running("simulate", "up", *SCALE, "--seed", "1", "--kubeconfig-out", str(kubeconfig), *words, folder=folder)
    )

    def look() -> bool:
        assert running.process.poll() is None, running.out
        return "Ctrl-C ends it" in running.out

    wait_for("simulate up", look)
    return str(kubeconfig)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Starts simulated clusters that end with the test."""
    with ExitStack() as stack:
        yield lambda *words: start_cluster(stack, tmp_path / "up", *words)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One simulated cluster for a module."""
    with ExitStack() as stack:
        yield start_cluster(stack, tmp_path_factory.mktemp("up"))


def objects_in(kubeconfig: str) -> set[str]:
    """Every object of a cluster but Events, as `kind namespace/name`."""
    cluster, found = Cluster.open(kubeconfig), set()
    for kind in KINDS:
        try:
            metas = [item["metadata"] for item in cluster.list(resource(kind))]
        except (ApiError, KeyError):
            continue
        found |= {f"{kind} {meta.get('namespace', '')}/{meta['name']}" for meta in metas}
    return found
