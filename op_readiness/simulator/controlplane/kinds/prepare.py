"""What is set on a new object whatever the client sent: status, generated labels, finalizers."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
NODE_INFO = (
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeletVersion",
    "kubeProxyVersion",
    "operatingSystem",
    "architecture",
)
GUARANTEED = ("cpu", "memory")


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, as the API server computes it from requests and limits."""
    named, guaranteed = False, True
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        resources = container.get("resources") or {}
        requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
        own = {k: v for k, v in {**limits, **requests}.items() if k in GUARANTEED and v != "0"}
        named = named or bool(own)
        if any(limits.get(name) is None or limits[name] != requests.get(name, limits[name]) for name in GUARANTEED):
            guaranteed = False
    if not named:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def pod(obj: Object) -> None:
    """A new Pod is Pending, whatever its body says."""
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj.get("spec") or {})}
    if obj.get("spec", {}).get("schedulingGates"):
        message = "Scheduling is blocked due to non-empty scheduling gates"
        gated = {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": None}
        obj["status"]["conditions"] = [{**gated, "reason": "SchedulingGated", "message": message}]


def namespace(obj: Object) -> None:
    """A new Namespace is Active and held by the Namespace controller."""
    finalizers = obj.get("spec", {}).get("finalizers") or []
    obj["spec"] = {"finalizers": finalizers if "kubernetes" in finalizers else [*finalizers, "kubernetes"]}
    obj["status"] = {"phase": "Active"}


def node(obj: Object) -> None:
    """A new Node is not ready for Pods until somebody has seen it Ready."""
    status = obj.setdefault("status", {})
    status.setdefault("daemonEndpoints", {}).setdefault("kubeletEndpoint", {"Port": 0})
    info = status.setdefault("nodeInfo", {})
    for field in NODE_INFO:
        info.setdefault(field, "")
    taints = obj.setdefault("spec", {}).setdefault("taints", [])
    if not any(t.get("key") == "node.kubernetes.io/not-ready" and t.get("effect") == "NoSchedule" for t in taints):
        taints.append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})


def service(obj: Object) -> None:
    """A new Service has no load balancer yet."""
    obj["status"] = {"loadBalancer": {}}


def plain_status(obj: Object) -> None:
    """A new object of this kind has an empty status."""
    obj["status"] = {}


def replicas_status(obj: Object) -> None:
    """A new ReplicaSet has no Pods."""
    obj["status"] = {"replicas": 0}


def stateful_set(obj: Object) -> None:
    """A new StatefulSet has no Pods."""
    obj["status"] = {"replicas": 0, "availableReplicas": 0}


def daemon_set(obj: Object) -> None:
    """A new DaemonSet runs nowhere; its first template has the generation 1."""
    obj["metadata"].setdefault("annotations", {})["deprecated.daemonset.template.generation"] = "1"
    names = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
    obj["status"] = dict.fromkeys(names, 0)


def job(obj: Object) -> None:
    """A new Job selects its Pods by its own uid."""
    obj["status"] = {}
    spec, uid, name = obj["spec"], obj["metadata"]["uid"], obj["metadata"]["name"]
    if spec.get("manualSelector"):
        return
    labels = {"controller-uid": uid, "job-name": name}
    owned = {**labels, **{f"batch.kubernetes.io/{key}": value for key, value in labels.items()}}
    template = spec["template"]["metadata"]
    same = obj["metadata"].get("labels") == template.get("labels")
    template["labels"] = {**(template.get("labels") or {}), **owned}
    if same:
        obj["metadata"]["labels"] = dict(template["labels"])
    if "selector" not in spec:
        spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


def claim(obj: Object) -> None:
    """A new PersistentVolumeClaim is Pending and protected while in use."""
    obj["status"] = {"phase": "Pending"}
    _finalizer(obj, "kubernetes.io/pvc-protection")


def volume(obj: Object) -> None:
    """A new PersistentVolume is Pending and protected while bound."""
    obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": obj["metadata"]["creationTimestamp"]}
    _finalizer(obj, "kubernetes.io/pv-protection")


def disruption_budget(obj: Object) -> None:
    """A new PodDisruptionBudget allows nothing until a controller has counted."""
    names = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    obj["status"] = dict.fromkeys(names, 0)


def _finalizer(obj: Object, name: str) -> None:
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if name not in finalizers:
        finalizers.append(name)
