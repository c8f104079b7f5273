"""What is done to Pods through subresources: binding to a Node, eviction, ephemeral containers."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.selectors import selected
from op_readiness.simulator.controlplane.store.storage import Stored
from op_readiness.simulator.controlplane.verbs import deletion, operations
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire import failures
from op_readiness.simulator.controlplane.wire.failures import Failure, invalid, not_found, required

Object = dict[str, Any]
PODS = ("", "pods")
SUCCESS: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
DISRUPTION = "Cannot evict pod as it would violate the pod's disruption budget."


def stored_pod(cluster: Cluster, namespace: str, name: str) -> Stored:
    """The Pod, or 404."""
    stored = cluster.store.get(PODS, namespace, name)
    if stored is None:
        raise not_found("pods", "", name)
    return stored


def bind(cluster: Cluster, request: Request, binding: Object) -> Object:
    """Give a Pod its Node."""
    name = binding["metadata"].get("name", "")
    if request.name and name != request.name:
        raise failures.bad_request("name in URL does not match name in Binding object")
    target = binding.get("target") or {}
    if not target.get("name"):
        raise invalid("Binding", "", name, [required("target.name")])
    stored = stored_pod(cluster, request.namespace, name)
    _bindable(stored.object, name)
    pod = stored.copy()
    pod["spec"]["nodeName"] = target["name"]
    for field in ("labels", "annotations"):
        if binding["metadata"].get(field):
            pod["metadata"][field] = {**(pod["metadata"].get(field) or {}), **binding["metadata"][field]}
    _scheduled(pod.setdefault("status", {}))
    if not request.dry_run:
        cluster.store.put(PODS, pod)
    return SUCCESS


def _bindable(pod: Object, name: str) -> None:
    why = ""
    if "deletionTimestamp" in pod["metadata"]:
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif pod["spec"].get("nodeName"):
        why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
    elif pod["spec"].get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
    if why:
        raise failures.conflict("pods/binding", "", name, why)


def _scheduled(status: Object) -> None:
    conditions = [one for one in status.get("conditions") or () if one["type"] != "PodScheduled"]
    condition = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": operations.now(),
    }
    status["conditions"] = [condition, *conditions]
    status.pop("nominatedNodeName", None)


def evict(cluster: Cluster, request: Request, eviction: Object) -> Object:
    """Delete a Pod unless a disruption budget forbids it."""
    stored = stored_pod(cluster, request.namespace, request.name)
    budget = _budget(cluster, stored.object)
    if budget is not None and stored.object["spec"].get("nodeName"):
        _spend(cluster, request, budget)
    options = eviction.get("deleteOptions") or {}
    if request.dry_run:
        options = {**options, "dryRun": ["All"]}
    pods = Request("DELETE", request.path, {}, "delete", "", "v1", "pods", "", request.namespace, request.name)
    pods.resource = request.resource
    deletion.delete(cluster, pods, options)
    return SUCCESS


def _budget(cluster: Cluster, pod: Object) -> Stored | None:
    if pod.get("status", {}).get("phase") in deletion.ENDED or "deletionTimestamp" in pod["metadata"]:
        return None
    labels = pod["metadata"].get("labels") or {}
    for stored in cluster.store["policy", "poddisruptionbudgets"].listed(pod["metadata"]["namespace"]):
        if selected(stored.object["spec"].get("selector"), labels):
            return stored
    return None


def _spend(cluster: Cluster, request: Request, budget: Stored) -> None:
    allowed = budget.object["status"].get("disruptionsAllowed", 0)
    if allowed < 1:
        status = budget.object["status"]
        cause = {
            "reason": "DisruptionBudget",
            "message": f"The disruption budget {budget.object['metadata']['name']} needs "
            f"{status.get('desiredHealthy', 0)} healthy pods and has {status.get('currentHealthy', 0)} currently",
        }
        raise Failure(429, "TooManyRequests", DISRUPTION, {"causes": [cause]})
    changed = budget.copy()
    changed["status"]["disruptionsAllowed"] = allowed - 1
    if not request.dry_run:
        cluster.store.put(("policy", "poddisruptionbudgets"), changed)


def with_ephemeral(current: Object, changed: Object) -> Object:
    """The Pod with nothing but its ephemeral containers changed, none of which may change once it is there."""
    spec = {**current["spec"]}
    before = {one["name"]: one for one in current["spec"].get("ephemeralContainers") or ()}
    after = {one.get("name"): one for one in (changed.get("spec") or {}).get("ephemeralContainers") or ()}
    for name, container in before.items():
        if after.get(name) != container:
            why = f'existing ephemeral containers "{name}" may not be {"changed" if name in after else "removed"}'
            error = failures.forbidden_field("spec.ephemeralContainers", f"{why}\n")
            raise invalid("Pod", "", current["metadata"]["name"], [error])
    containers = changed.get("spec", {}).get("ephemeralContainers")
    if containers:
        spec["ephemeralContainers"] = containers
    metadata = {**current["metadata"], "resourceVersion": changed["metadata"].get("resourceVersion", "")}
    return {**current, "metadata": metadata, "spec": spec}


def resize(cluster: Cluster, request: Request, stored: Stored, changed: Object) -> Object:
    """Resizing in place is refused: Windows Pods cannot, and simulated Linux Nodes do not."""
    if (changed["spec"].get("os") or {}).get("name") == "windows":
        error = failures.forbidden_field("[]", "windows pods cannot be resized")
        raise invalid("Pod", "", request.name, [error])
    raise Failure(501, "NotImplemented", "this API server does not resize Pods in place", {})
