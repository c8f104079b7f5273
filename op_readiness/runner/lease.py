"""Who is alive: a run renews a Lease in its own Namespace, and one cluster-wide Lease lets one run at a time be alone.

Whether a holder lives is seen by its Lease changing, never by comparing clocks of two machines (as client-go's leader
election does): a Lease that nobody renews for its duration belongs to nobody.
"""

from __future__ import annotations

import datetime
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, Conflict, NotFound
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import OpReadinessError
from op_readiness.workloads.labels import run_labels

NAME = "run"
SECONDS = 15
"""How long a Lease holds when it is not renewed."""
RENEW = 2.0
EXCLUSIVE, EXCLUSIVE_NAMESPACE = "op-readiness-exclusive", "kube-system"
LOOK = 1.0

Object = dict[str, Any]


def holder() -> str:
    """Who holds a Lease of this process, for people."""
    return f"{socket.gethostname()}/{os.getpid()}"


def manifest(name: str, namespace: str, run_id: str) -> Object:
    """A Lease that begins now."""
    spec = {
        "holderIdentity": f"{run_id}@{holder()}", "leaseDurationSeconds": SECONDS, "acquireTime": _now(),
        "renewTime": _now(),
    }  # fmt: skip
    meta = {"name": name, "namespace": namespace, "labels": run_labels(run_id)}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}


class Renewed:
    """A Lease that a thread renews until `release`. `lost` says what went wrong, if something did."""

    def __init__(self, cluster: Cluster, name: str, namespace: str) -> None:
        self._cluster, self._name, self._namespace = cluster, name, namespace
        self._over = threading.Event()
        self.lost = ""
        self._thread = threading.Thread(target=self._renew, daemon=True, name=f"Lease {namespace}/{name}")

    @classmethod
    def begin(cls, cluster: Cluster, name: str, namespace: str, run_id: str) -> Renewed:
        """Make the Lease and keep it."""
        cluster.create(manifest(name, namespace, run_id))
        return cls.keep(cluster, name, namespace)

    @classmethod
    def keep(cls, cluster: Cluster, name: str, namespace: str) -> Renewed:
        """Keep a Lease that is ours already."""
        renewed = cls(cluster, name, namespace)
        renewed._thread.start()
        return renewed

    def stop(self) -> None:
        """Renew it no longer."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def release(self) -> None:
        """Renew it no longer, and delete it."""
        self.stop()
        self._cluster.delete("Lease", self._name, self._namespace)

    def _renew(self) -> None:
        while not self._over.wait(RENEW):
            try:
                self._cluster.patch("Lease", self._name, self._namespace, {"spec": {"renewTime": _now()}})
                self.lost = ""
            except NotFound:
                self.lost = f"Lease {self._namespace}/{self._name} was deleted by somebody else"
                return
            except ApiError as error:
                self.lost = str(error)


def is_renewed(cluster: Cluster, name: str, namespace: str, *, clock: Clock = SYSTEM_CLOCK) -> bool:
    """Whether somebody renews a Lease: watched for its duration at most; False when there is none."""
    first = cluster.find("Lease", name, namespace)
    if first is None:
        return False
    deadline = clock.now() + float(first["spec"].get("leaseDurationSeconds") or SECONDS)
    while clock.now() < deadline:
        clock.sleep(LOOK)
        again = cluster.find("Lease", name, namespace)
        if again is None:
            return False
        if again["spec"].get("renewTime") != first["spec"].get("renewTime"):
            return True
    return False


def take_exclusive(
    cluster: Cluster, run_id: str, *, within: float, say: Callable[[str], None], clock: Clock = SYSTEM_CLOCK
) -> Renewed:
    """The cluster-wide Lease, for passes that want the cluster to themselves; waits for another run's to end.

    Raises OpReadinessError after `within` seconds.
    """
    deadline = clock.now() + within
    wanted = manifest(EXCLUSIVE, EXCLUSIVE_NAMESPACE, run_id)
    while True:
        try:
            cluster.create(wanted)
            return Renewed.keep(cluster, EXCLUSIVE, EXCLUSIVE_NAMESPACE)
        except Conflict:
            held = cluster.find("Lease", EXCLUSIVE, EXCLUSIVE_NAMESPACE)
        if held is None:
            continue
        by = held["spec"].get("holderIdentity", "somebody")
        if clock.now() >= deadline:
            raise OpReadinessError(f"{by} holds the cluster (Lease {EXCLUSIVE_NAMESPACE}/{EXCLUSIVE}); try again later")
        say(f"waiting for {by}, which has the cluster to itself")
        if not is_renewed(cluster, EXCLUSIVE, EXCLUSIVE_NAMESPACE, clock=clock):
            cluster.delete("Lease", EXCLUSIVE, EXCLUSIVE_NAMESPACE, uid=held["metadata"]["uid"])


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
