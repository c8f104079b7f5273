"""The scale subresource: a Scale read from a workload and written back into its replicas."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.tables.cells import pairs, selector
from op_readiness.simulator.controlplane.wire.failures import invalid, invalid_value

Object = dict[str, Any]


def scale_of(obj: Object) -> Object:
    """The Scale of a workload."""
    metadata = {
        field: obj["metadata"][field] for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    status: Object = {"replicas": obj.get("status", {}).get("replicas", 0)}
    found = obj["spec"].get("selector")
    text = selector(found) if "matchLabels" in (found or {}) or "matchExpressions" in (found or {}) else pairs(found)
    if text != "<none>":
        status["selector"] = text
    replicas = obj["spec"].get("replicas", 0)
    scale: Object = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata}
    return {**scale, "spec": {"replicas": replicas} if replicas else {}, "status": status}


def scaled(obj: Object, scale: Object) -> Object:
    """A workload with the replicas of a Scale, and with its resourceVersion for the check of conflicts."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        why = "must be greater than or equal to 0"
        raise invalid("Scale", "autoscaling", obj["metadata"]["name"], [invalid_value("spec.replicas", replicas, why)])
    metadata = {**obj["metadata"], "resourceVersion": scale["metadata"].get("resourceVersion", "")}
    return {**obj, "metadata": metadata, "spec": {**obj["spec"], "replicas": replicas}}
