"""Rows of workloads."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.tables.cells import (
    age,
    containers,
    duration,
    pairs,
    seconds_of,
    selector,
    since,
)

Object = dict[str, Any]


def _wide(obj: Object) -> list[str]:
    return list(containers(obj["spec"]["template"]))


def _selector(obj: Object) -> str:
    found = obj["spec"].get("selector") or {}
    return selector(found) if "matchLabels" in found or "matchExpressions" in found else pairs(found)


def deployment(obj: Object) -> list[Any]:
    """Name, Ready, Up-to-date, Available, Age, Containers, Images, Selector."""
    status, wanted = obj.get("status") or {}, obj["spec"].get("replicas", 0)
    ready = f"{status.get('readyReplicas', 0)}/{wanted}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [obj["metadata"]["name"], ready, *counts, age(obj), *_wide(obj), _selector(obj)]


def replica_set(obj: Object) -> list[Any]:
    """Name, Desired, Current, Ready, Age, Containers, Images, Selector."""
    status = obj.get("status") or {}
    counts = [obj["spec"].get("replicas", 0), status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [obj["metadata"]["name"], *counts, age(obj), *_wide(obj), _selector(obj)]


def stateful_set(obj: Object) -> list[Any]:
    """Name, Ready, Age, Containers, Images."""
    ready = f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [obj["metadata"]["name"], ready, age(obj), *_wide(obj)]


def daemon_set(obj: Object) -> list[Any]:
    """Name, Desired, Current, Ready, Up-to-date, Available, Node Selector, Age, Containers, Images, Selector."""
    status = obj.get("status") or {}
    fields = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    counts = [status.get(field, 0) for field in fields]
    nodes = pairs(obj["spec"]["template"].get("spec", {}).get("nodeSelector"))
    return [obj["metadata"]["name"], *counts, nodes, age(obj), *_wide(obj), _selector(obj)]


def job(obj: Object) -> list[Any]:
    """Name, Status, Completions, Duration, Age, Containers, Images, Selector."""
    spec, status = obj["spec"], obj.get("status") or {}
    succeeded, parallelism = status.get("succeeded", 0), spec.get("parallelism", 1)
    if "completions" in spec:
        done = f"{succeeded}/{spec['completions']}"
    else:
        done = f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"
    row = [obj["metadata"]["name"], _job_word(obj), done, _job_duration(status)]
    return [*row, age(obj), *_wide(obj), _selector(obj)]


def _job_duration(status: Object) -> str:
    if not status.get("startTime"):
        return ""
    if status.get("completionTime"):
        return duration(seconds_of(status["completionTime"]) - seconds_of(status["startTime"]))
    return since(status["startTime"])


def _job_word(obj: Object) -> str:
    true = {c["type"] for c in (obj.get("status") or {}).get("conditions") or () if c["status"] == "True"}
    for condition, shown in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition in true:
            return shown
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    for condition, shown in (
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if condition in true:
            return shown
    return "Running"
