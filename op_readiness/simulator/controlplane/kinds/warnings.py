"""What a real API server lets pass with a warning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from op_readiness.simulator.controlplane.kinds import names

Object = dict[str, Any]
HOSTNAME = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"


def of_pod(pod: Object) -> list[str]:
    """Warnings for a new Pod."""
    name = pod["metadata"].get("name", "")
    found = list(_ports(pod.get("spec") or {}, "spec"))
    if "." in name:
        found.append(f"metadata.name: {HOSTNAME}: [must not contain dots]")
    elif names.dns_label(name) and not names.subdomain(name):
        found.append(f"metadata.name: {HOSTNAME}: [{', '.join(names.dns_label(name))}]")
    return found


def of_template(workload: Object) -> list[str]:
    """Warnings for the Pod template of a workload."""
    spec = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return list(_ports(spec, "spec.template.spec"))


def of_service(service: Object) -> list[str]:
    """Warnings for a Service."""
    if (service.get("spec") or {}).get("externalIPs"):
        return ["spec.externalIPs is deprecated and may no longer be implemented in some clusters"]
    return []


def _ports(spec: Object, path: str) -> Iterator[str]:
    seen: dict[tuple[Any, ...], str] = {}
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            where = f"{path}.containers[{index}].ports[{number}]"
            key = (port.get("protocol"), port.get("containerPort"), port.get("hostIP"), port.get("hostPort"))
            if key in seen:
                yield f"{where}: duplicate port definition with {seen[key]}"
            else:
                seen[key] = where
