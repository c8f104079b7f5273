"""Values that the API server fills into workloads: Deployment, StatefulSet, DaemonSet, ReplicaSet, Job."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.kinds.defaults_pods import template

Object = dict[str, Any]


def _spec(obj: Object) -> Object:
    spec: Object = obj.setdefault("spec", {})
    template(spec)
    return spec


def deployment(obj: Object) -> None:
    """Fill a Deployment."""
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def stateful_set(obj: Object) -> None:
    """Fill a StatefulSet."""
    spec = _spec(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("serviceName", "")
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
        strategy["rollingUpdate"].setdefault("maxUnavailable", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")
        claim["status"] = {"phase": "Pending"}


def daemon_set(obj: Object) -> None:
    """Fill a DaemonSet."""
    spec = _spec(obj)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def replica_set(obj: Object) -> None:
    """Fill a ReplicaSet."""
    _spec(obj).setdefault("replicas", 1)


def replication_controller(obj: Object) -> None:
    """Fill a ReplicationController: its selector and labels are the template's."""
    spec = _spec(obj)
    labels = spec["template"]["metadata"].get("labels")
    if labels and not spec.get("selector"):
        spec["selector"] = dict(labels)
    _own_labels(obj, spec)
    spec.setdefault("replicas", 1)


def _own_labels(obj: Object, spec: Object) -> None:
    labels = spec["template"]["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def job(obj: Object) -> None:
    """Fill a Job."""
    spec = _spec(obj)
    _own_labels(obj, spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 2147483647 if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("manualSelector", False)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")


def pod_template(obj: Object) -> None:
    """Fill a PodTemplate."""
    template(obj)
