"""What is wrong with resource requests and limits."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.fields.quantity import amount
from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.wire.failures import FieldError, invalid_value

Object = dict[str, Any]
STANDARD = ("cpu", "memory", "ephemeral-storage")
NOT_STANDARD = "must be a standard resource type or fully qualified"
NOT_FOR_CONTAINERS = "must be a standard resource for containers"


def _name(resource: str, where: str) -> list[FieldError]:
    problems = names.qualified_name(resource)
    if problems:
        return [invalid_value(where, resource, why) for why in problems]
    if "/" in resource or resource in STANDARD or resource.startswith("hugepages-"):
        return []
    return [invalid_value(where, resource, NOT_STANDARD), invalid_value(where, resource, NOT_FOR_CONTAINERS)]


def requirements(resources: Object, path: str) -> list[FieldError]:
    """What is wrong with the resources of a container."""
    errors: list[FieldError] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, listed in (("limits", limits), ("requests", requests)):
        for resource in sorted(listed):
            errors += _name(resource, f"{path}.{kind}[{resource}]")
            if amount(listed[resource]) < 0:
                why = "must be greater than or equal to 0"
                errors.append(invalid_value(f"{path}.{kind}[{resource}]", listed[resource], why))
            if kind == "requests" and resource in limits and amount(listed[resource]) > amount(limits[resource]):
                why = f"must be less than or equal to {resource} limit of {limits[resource]}"
                errors.append(invalid_value(f"{path}.requests", listed[resource], why))
    return errors
