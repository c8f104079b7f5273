"""The row of a Pod: its status in one word, as the API server works it out."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.tables.cells import age, seconds_of, since

Object = dict[str, Any]


def cells(pod: Object) -> list[Any]:
    """Name, Ready, Status, Restarts, Age, IP, Node, Nominated Node, Readiness Gates."""
    spec, status = pod["spec"], pod.get("status") or {}
    statuses = status.get("containerStatuses") or []
    ready = sum(1 for one in statuses if one.get("ready"))
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    ready += sum(1 for one in status.get("initContainerStatuses") or () if one["name"] in sidecars and one.get("ready"))
    total = len(spec.get("containers") or ()) + len(sidecars)
    node = spec.get("nodeName") or "<none>"
    nominated = status.get("nominatedNodeName") or "<none>"
    row = [pod["metadata"]["name"], f"{ready}/{total}", word(pod), _restarts(status), age(pod)]
    return [*row, status.get("podIP") or "<none>", node, nominated, _gates(spec, status)]


def word(pod: Object) -> str:
    """The status column."""
    status, metadata = pod.get("status") or {}, pod["metadata"]
    reason = status.get("reason") or status.get("phase") or ""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing, reason = _initializing(pod, reason)
    if not initializing:
        reason = _running(status, reason)
    if "deletionTimestamp" in metadata:
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _initializing(pod: Object, reason: str) -> tuple[bool, str]:
    specs = {c["name"]: c for c in pod["spec"].get("initContainers") or ()}
    for index, one in enumerate((pod.get("status") or {}).get("initContainerStatuses") or ()):
        state = one.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if specs.get(one["name"], {}).get("restartPolicy") == "Always" and one.get("started"):
            continue
        if ended is not None:
            return True, f"Init:{_ended(ended)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return True, f"Init:{waiting['reason']}"
        return True, f"Init:{index}/{len(specs)}"
    return False, reason


def _ended(state: Object) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _running(status: Object, reason: str) -> str:
    any_running = False
    for one in reversed(status.get("containerStatuses") or []):
        state = one.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated") is not None:
            reason = _ended(state["terminated"])
        elif one.get("ready") and state.get("running") is not None:
            any_running = True
    if reason == "Completed" and any_running:
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
        return "Running" if ready else "NotReady"
    return reason


def _restarts(status: Object) -> str:
    statuses = status.get("containerStatuses") or []
    count = sum(one.get("restartCount", 0) for one in statuses)
    ends = [((one.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for one in statuses]
    last = max(filter(None, ends), key=seconds_of, default=None)
    return f"{count} ({since(last)} ago)" if count and last else str(count)


def _gates(spec: Object, status: Object) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return "<none>"
    true = {c["type"] for c in status.get("conditions") or () if c["status"] == "True"}
    return f"{sum(1 for gate in gates if gate['conditionType'] in true)}/{len(gates)}"
