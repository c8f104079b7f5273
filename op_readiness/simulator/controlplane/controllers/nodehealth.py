"""What follows from a Node's conditions: its taints, and when a Pod has to leave. Pure functions."""

from __future__ import annotations

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.pods import condition
from op_readiness.simulator.controlplane.scheduler.placement import tolerates

PREFIX = "node.kubernetes.io/"
NOT_READY, UNREACHABLE = f"{PREFIX}not-ready", f"{PREFIX}unreachable"
PRESSURES = {
    "MemoryPressure": f"{PREFIX}memory-pressure", "DiskPressure": f"{PREFIX}disk-pressure",
    "PIDPressure": f"{PREFIX}pid-pressure", "NetworkUnavailable": f"{PREFIX}network-unavailable",
}
UNSCHEDULABLE = f"{PREFIX}unschedulable"
SILENT = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


def readiness(node: Object) -> str | None:
    """Status of the condition Ready, or None before a kubelet has said anything."""
    ready = condition(node, "Ready")
    return None if ready is None else str(ready["status"])


def wanted_taints(node: Object, now: str) -> list[Object]:
    """The Node's taints as they are to be: its own, and those of the Node controller; times are kept."""
    have: list[Object] = node["spec"].get("taints") or []
    wanted = [("NoSchedule", key) for key in _no_schedule(node)]
    wanted += [("NoExecute", key) for key in _no_execute(node)]
    ours = {*PRESSURES.values(), NOT_READY, UNREACHABLE, UNSCHEDULABLE}
    if readiness(node) is None:  # a Node whose kubelet has not reported keeps what it was registered with
        ours -= {NOT_READY}
    kept = [each for each in have if each["key"] not in ours or (each["effect"], each["key"]) in wanted]
    there = {(each["effect"], each["key"]) for each in kept}
    return kept + [_taint(effect, key, now) for effect, key in wanted if (effect, key) not in there]


def _taint(effect: str, key: str, now: str) -> Object:
    return {"key": key, "effect": effect, "timeAdded": now}


def _no_schedule(node: Object) -> list[str]:
    found = {"False": [NOT_READY], "Unknown": [UNREACHABLE]}.get(readiness(node) or "", [])
    for kind, key in PRESSURES.items():
        said = condition(node, kind)
        found = [*found, key] if said is not None and said["status"] == "True" else found
    return [*found, UNSCHEDULABLE] if node["spec"].get("unschedulable") else found


def _no_execute(node: Object) -> list[str]:
    return {"False": [NOT_READY], "Unknown": [UNREACHABLE]}.get(readiness(node) or "", [])


def gone_silent(node: Object, now: str) -> list[Object]:
    """The Node's conditions when its kubelet has stopped posting."""
    conditions: list[Object] = list((node.get("status") or {}).get("conditions") or [])
    for kind in SILENT:
        old = condition(node, kind)
        new = {"type": kind, "status": "Unknown", "lastTransitionTime": now}
        if old is None:
            new |= {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
            conditions.append(new | {"lastHeartbeatTime": node["metadata"]["creationTimestamp"]})
        elif old["status"] != "Unknown":
            new |= {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
            conditions[conditions.index(old)] = {**old, **new}
    return conditions


def stays_for(pod: Object, taints: list[Object]) -> float | None:
    """Seconds that a Pod may stay beside these NoExecute taints: 0 for none, None for ever."""
    if not taints:
        return None
    used: list[Object] = []
    for taint in taints:
        covering = [each for each in pod["spec"].get("tolerations") or [] if tolerates(each, taint)]
        if not covering:
            return 0.0
        used += covering
    times = [each["tolerationSeconds"] for each in used if each.get("tolerationSeconds") is not None]
    return float(max(0, min(times))) if times else None
