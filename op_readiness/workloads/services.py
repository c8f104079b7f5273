"""Services and what they select, Namespaces, and the workloads whose controllers an ability is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from op_readiness.workloads.pods import HTTP_PORT, UDP_PORT, Manifest

HTTP_SERVICE_PORT, UDP_SERVICE_PORT = 80, 90  # the cluster ports of test/e2e/framework/network/utils.go


def namespace(name: str, labels: Mapping[str, str], level: str = "baseline") -> Manifest:
    """A Namespace that enforces a Pod Security level."""
    levels = {"pod-security.kubernetes.io/enforce": level}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {**labels, **levels}}}


def echo_ports() -> list[dict[str, Any]]:
    """80 to HTTP, 90 to UDP of an echo Pod."""
    return [
        {"name": "http", "port": HTTP_SERVICE_PORT, "targetPort": HTTP_PORT, "protocol": "TCP"},
        {"name": "udp", "port": UDP_SERVICE_PORT, "targetPort": UDP_PORT, "protocol": "UDP"},
    ]


def service(
    name: str,
    namespace: str,
    *,
    labels: Mapping[str, str],
    selector: Mapping[str, str],
    ports: Sequence[Mapping[str, Any]],
    kind: str = "ClusterIP",
    **spec: Any,
) -> Manifest:
    """A Service of type `kind`; further spec fields by their API names."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {"type": kind, "selector": dict(selector), "ports": [dict(port) for port in ports], **spec},
    }


def workload(
    kind: str, name: str, template: Manifest, *, replicas: int, selector: Mapping[str, str], **spec: Any
) -> Manifest:
    """A Deployment or StatefulSet of `replicas` Pods made from the Pod manifest `template`."""
    metadata = template["metadata"]
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": metadata["namespace"], "labels": metadata["labels"]},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": dict(selector)},
            "template": {"metadata": {"labels": metadata["labels"]}, "spec": template["spec"]},
            **spec,
        },
    }
