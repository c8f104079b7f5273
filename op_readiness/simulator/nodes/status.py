"""The status of a Pod as a kubelet reports it, computed from its containers and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import Container
from op_readiness.simulator.nodes.stamps import now

GENERATED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass
class Shown:
    """What the status is computed from. `ips` are the sandbox's addresses, empty before it is there."""

    pod: Object
    host_ips: Sequence[str]
    containers: Sequence[Container] = ()
    ips: Sequence[str] = ()
    sandbox: bool = False
    started: str = ""
    conditions: dict[str, Object] = field(default_factory=dict)
    failure: tuple[str, str] | None = None
    """Reason and message where the kubelet itself has ended the Pod; shown once its containers have ended."""

    @property
    def inits(self) -> list[Container]:
        """Its init containers, sidecars included."""
        return [one for one in self.containers if one.kind == "init"]

    @property
    def mains(self) -> list[Container]:
        """Its ordinary containers."""
        return [one for one in self.containers if one.kind == "main"]


def status_of(shown: Shown) -> Object:
    """The whole status."""
    phase = phase_of(shown)
    by_kubelet = shown.failure if phase in ("Succeeded", "Failed") else None
    if by_kubelet is not None:
        phase = "Failed"
    status: Object = {
        "observedGeneration": shown.pod["metadata"].get("generation", 1),
        "phase": phase,
        "hostIP": shown.host_ips[0],
        "hostIPs": [{"ip": ip} for ip in shown.host_ips],
        "startTime": shown.started,
        "conditions": _conditions(shown, phase),
        "containerStatuses": [container_status(one) for one in shown.mains],
    }
    if shown.inits:
        status["initContainerStatuses"] = [container_status(one) for one in shown.inits]
    if shown.ips:
        status |= {"podIP": shown.ips[0], "podIPs": [{"ip": ip} for ip in shown.ips]}
    if by_kubelet is not None:
        reason, message = by_kubelet
        status |= {"reason": reason, "message": message}
        status["conditions"].append(_condition(shown, "DisruptionTarget", True, "TerminationByKubelet", message))
    return status


def rejected_status(pod: Object, reason: str, message: str) -> Object:
    """The status of a Pod that was not admitted."""
    return {
        "observedGeneration": pod["metadata"].get("generation", 1), "phase": "Failed", "reason": reason,
        "message": f"Pod was rejected: {message}", "startTime": now(),
    }  # fmt: skip


def container_status(one: Container) -> Object:
    """One containerStatus."""
    status: Object = {
        "name": one.name,
        "image": one.spec["image"],
        "imageID": one.image.image_id if one.image else "",
        "ready": _counts_as_ready(one),
        "started": one.started,
        "restartCount": one.restarts,
        "state": one.state,
        "lastState": one.last_state,
    }
    resources = one.spec.get("resources")
    if one.container_id:
        status["containerID"] = one.container_id
    if one.running and resources:
        status |= {"resources": resources}
        if resources.get("requests"):
            status["allocatedResources"] = resources["requests"]
    return status


def _counts_as_ready(one: Container) -> bool:
    if one.kind == "init" and not one.sidecar:
        return bool(one.state.get("terminated", {}).get("exitCode") == 0)
    return one.ready and one.running


def phase_of(shown: Shown) -> str:
    """The phase, by a kubelet's rules."""
    if any(one.kind == "init" and one.ended and not one.sidecar and _code(one) != 0 for one in shown.containers):
        return "Failed"
    mains = shown.mains
    if not _initialized(shown) or any("waiting" in one.state and not one.last_state for one in mains):
        return "Pending"
    if not mains or any(not one.ended for one in mains):
        return "Running"
    return "Succeeded" if all(_code(one) == 0 for one in mains) else "Failed"


def _code(one: Container) -> int:
    return int(one.state.get("terminated", {}).get("exitCode", 0))


def _initialized(shown: Shown) -> bool:
    return all(one.started if one.sidecar else _counts_as_ready(one) for one in shown.inits) or any(
        one.started or one.restarts or one.ended for one in shown.mains
    )


def _conditions(shown: Shown, phase: str) -> list[Object]:
    initialized = _initialized(shown)
    unready = [one.name for one in shown.containers if _gates_ready(one) and not _counts_as_ready(one)]
    containers_ready = _ready_condition(phase, unready, initialized)
    facts = {
        "PodReadyToStartContainers": (shown.sandbox, "", ""),
        "Initialized": _initialized_condition(shown, phase, initialized),
        "ContainersReady": containers_ready,
        "Ready": _with_gates(shown, containers_ready),
        "PodScheduled": (True, "", ""),
    }
    return [_condition(shown, kind, *facts[kind]) for kind in GENERATED]


def _gates_ready(one: Container) -> bool:
    return one.kind == "main" or one.sidecar


def _initialized_condition(shown: Shown, phase: str, initialized: bool) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return True, "PodCompleted", ""
    if initialized:
        return True, "", ""
    waiting = [one.name for one in shown.inits if not (one.started if one.sidecar else _counts_as_ready(one))]
    return False, "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(waiting)}]"


def _ready_condition(phase: str, unready: list[str], initialized: bool) -> tuple[bool, str, str]:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    if unready or not initialized:
        return False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    return True, "", ""


def _with_gates(shown: Shown, containers_ready: tuple[bool, str, str]) -> tuple[bool, str, str]:
    gates = [gate["conditionType"] for gate in shown.pod["spec"].get("readinessGates") or []]
    if not gates or not containers_ready[0]:
        return containers_ready
    known = {one["type"]: one["status"] for one in (shown.pod.get("status") or {}).get("conditions") or []}
    bad = [
        f'corresponding condition of pod readiness gate "{gate}" '
        + ("does not exist." if gate not in known else 'does not have status "True".')
        for gate in gates
        if known.get(gate) != "True"
    ]
    return (not bad, "ReadinessGatesNotReady" if bad else "", ", ".join(bad))


def _condition(shown: Shown, kind: str, met: bool, reason: str, message: str) -> Object:
    """The condition; its transition time is kept as long as its status is the same."""
    status = "True" if met else "False"
    old = shown.conditions.get(kind)
    since = old["lastTransitionTime"] if old and old["status"] == status else now()
    condition: Object = {
        "type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": since,
        "reason": reason or None, "message": message or None,
        "observedGeneration": shown.pod["metadata"].get("generation", 1),
    }  # fmt: skip
    shown.conditions[kind] = condition
    return condition
