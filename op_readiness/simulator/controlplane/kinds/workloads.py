"""What is wrong with Deployments, StatefulSets, DaemonSets, ReplicaSets and Jobs."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.kinds.pods import spec_errors
from op_readiness.simulator.controlplane.store.selectors import selected
from op_readiness.simulator.controlplane.wire.failures import FieldError, invalid_value, not_supported, required

Object = dict[str, Any]
MISMATCH = "`selector` does not match template `labels`"
IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"


def _template(spec: Object) -> list[FieldError]:
    template, path = spec.get("template") or {}, "spec.template"
    labels = (template.get("metadata") or {}).get("labels")
    return names.labels(labels, f"{path}.metadata.labels") + spec_errors(template.get("spec") or {}, f"{path}.spec")


def _selector(spec: Object) -> list[FieldError]:
    selector, errors = spec.get("selector"), []
    labels = (spec["template"].get("metadata") or {}).get("labels")
    empty = not (selector or {}).get("matchLabels") and not (selector or {}).get("matchExpressions")
    if selector is None:
        errors.append(required("spec.selector"))
    elif empty:
        errors.append(invalid_value("spec.selector", selector, "empty selector is invalid for deployment"))
    if empty or not selected(selector, labels or {}):
        errors.append(invalid_value("spec.template.metadata.labels", labels, MISMATCH))
    return errors


def _replicas(spec: Object) -> list[FieldError]:
    replicas = spec.get("replicas", 0)
    return [invalid_value("spec.replicas", replicas, NOT_NEGATIVE)] if replicas < 0 else []


def _restart_always(spec: Object) -> list[FieldError]:
    policy = (spec["template"].get("spec") or {}).get("restartPolicy")
    if policy in ("OnFailure", "Never"):
        return [not_supported("spec.template.spec.restartPolicy", policy, ["Always"])]
    return []


def _immutable(new: Object, old: Object | None) -> list[FieldError]:
    if old is None or new["spec"].get("selector") == old["spec"].get("selector"):
        return []
    return [invalid_value("spec.selector", new["spec"].get("selector"), IMMUTABLE)]


def replicated(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Deployment, ReplicaSet or StatefulSet."""
    if old is not None and new["spec"] == old["spec"]:
        return []
    spec = new["spec"]
    errors = _replicas(spec) + _selector(spec) + _template(spec) + _restart_always(spec)
    return errors + _immutable(new, old)


def daemon_set(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a DaemonSet: its selector is not named as missing."""
    if old is not None and new["spec"] == old["spec"]:
        return []
    spec = new["spec"]
    errors = [error for error in _selector(spec) if error.reason != "FieldValueRequired"]
    return errors + _template(spec) + _restart_always(spec) + _surge(spec) + _immutable(new, old)


def _surge(spec: Object) -> list[FieldError]:
    rolling, path = (spec.get("updateStrategy") or {}).get("rollingUpdate"), "spec.updateStrategy.rollingUpdate"
    if rolling is None:
        return []
    surge, unavailable = rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 0)
    none = (0, "0%")
    if surge not in none and unavailable not in none:
        return [invalid_value(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")]
    if surge in none and unavailable in none:
        return [required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")]
    return []


def job(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Job."""
    if old is not None and new["spec"] == old["spec"]:
        return []
    spec = new["spec"]
    errors = []
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        if spec.get(field, 0) < 0:
            errors.append(invalid_value(f"spec.{field}", spec[field], NOT_NEGATIVE))
    errors += _template(spec)
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy == "Always":
        errors.append(required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    if old is not None and new["spec"].get("template") != old["spec"].get("template"):
        errors.append(invalid_value("spec.template", spec["template"], IMMUTABLE))
    return errors + _immutable(new, old)
