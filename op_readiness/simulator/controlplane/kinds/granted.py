"""What is wrong with ResourceQuotas and LimitRanges."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.fields.quantity import amount
from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.kinds.resources import NOT_STANDARD
from op_readiness.simulator.controlplane.wire.failures import (
    Failure,
    FieldError,
    duplicate,
    invalid_value,
    not_supported,
    required,
)

Object = dict[str, Any]
COUNTS = (
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
)
AMOUNTS = (
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
)
SCOPES = ("Terminating", "NotTerminating", "BestEffort", "NotBestEffort")
UNSUPPORTED_SCOPES = ("PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass")
NO_SCOPES = "this API server's quotas know the scopes Terminating, NotTerminating, BestEffort and NotBestEffort alone"
COUNTABLE = (
    "pods",
    "services",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "serviceaccounts",
    "resourcequotas",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
)
NO_RESOURCE = (
    "this API server's quotas count compute and storage, Services' ports and " + ", ".join(COUNTABLE) + " alone"
)
TYPES = ("Container", "Pod", "PersistentVolumeClaim")
COMPARED = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min value {} is greater than default value {}"),
    ("default", "max", "default", "default value {} is greater than max value {}"),
)


def quota(new: Object, _: Object | None) -> list[FieldError]:
    """What is wrong with a ResourceQuota; 501 for what is right and not counted here."""
    spec = new.get("spec") or {}
    errors, scopes = [], spec.get("scopes") or []
    for resource, value in sorted((spec.get("hard") or {}).items()):
        errors += _resource(resource, value, f"spec.hard[{resource}]")
    if any(scope not in (*SCOPES, *UNSUPPORTED_SCOPES) for scope in scopes):
        errors.append(invalid_value("spec.scopes", scopes, "unsupported scope"))
    if not errors and (spec.get("scopeSelector") or set(scopes) & set(UNSUPPORTED_SCOPES)):
        raise Failure(501, "NotImplemented", NO_SCOPES, {})
    return errors


def _resource(resource: str, value: Any, where: str) -> list[FieldError]:
    if "/" not in resource and resource not in (*COUNTS, *AMOUNTS):
        whys = (NOT_STANDARD, "must be a standard resource for quota")
        return [invalid_value(where, resource, why) for why in whys]
    if "/" in resource and not resource.startswith("count/"):
        if names.qualified_name(resource):
            return [invalid_value(where, resource, why) for why in names.qualified_name(resource)]
        raise Failure(501, "NotImplemented", NO_RESOURCE, {})
    counted = resource == "replicationcontrollers" or resource.startswith("count/")
    if counted and resource.removeprefix("count/") not in COUNTABLE:
        raise Failure(501, "NotImplemented", NO_RESOURCE, {})
    if amount(value) < 0:
        return [invalid_value(where, value, "must be greater than or equal to 0")]
    if (resource in COUNTS or "/" in resource) and amount(value) % 1:
        return [invalid_value(where, value, "must be an integer")]
    return []


def limit_range(new: Object, _: Object | None) -> list[FieldError]:
    """What is wrong with a LimitRange."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, item in enumerate((new.get("spec") or {}).get("limits") or ()):
        where, kind = f"spec.limits[{index}]", item.get("type", "")
        if not kind:
            errors.append(required(f"{where}.type"))
        elif kind not in TYPES:
            errors.append(not_supported(f"{where}.type", kind, TYPES))
        elif kind in seen:
            errors.append(duplicate(f"{where}.type", kind))
            continue
        seen.add(kind)
        errors += _item(item, where)
    return errors


def _item(item: Object, where: str) -> list[FieldError]:
    errors = []
    known = {name for field in ("min", "max", "default", "defaultRequest") for name in item.get(field) or ()}
    for name in sorted(known):
        for less, more, blamed, text in COMPARED:
            low, high = (item.get(less) or {}).get(name), (item.get(more) or {}).get(name)
            if low is not None and high is not None and amount(low) > amount(high):
                value = low if (less, more) == ("min", "default") else (item.get(blamed) or {})[name]
                errors.append(invalid_value(f"{where}.{blamed}[{name}]", value, text.format(low, high)))
    return errors
