"""Deletion: preconditions, grace, finalizers and propagation, as a real API server takes them in turn."""

from __future__ import annotations

import time
from typing import Any

from op_readiness.simulator.controlplane.kinds.strategies import strategy_of
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Stored
from op_readiness.simulator.controlplane.verbs.bodies import check_dry_run
from op_readiness.simulator.controlplane.verbs.operations import Cluster, found
from op_readiness.simulator.controlplane.wire import failures
from op_readiness.simulator.controlplane.wire.failures import forbidden, invalid, invalid_value, not_supported

Object = dict[str, Any]
POLICIES = ("Foreground", "Background", "Orphan")
FINALIZERS = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
KEPT_NAMESPACES = ("default", "kube-system", "kube-public")
ENDED = ("Succeeded", "Failed")


def query_options(request: Request) -> Object:
    """Options of a DELETE without a body."""
    query: Any = request.query
    options: Object = {}
    for name in ("propagationPolicy", "dryRun"):
        if query.get(name):
            options[name] = [query[name]] if name == "dryRun" else query[name]
    if query.get("gracePeriodSeconds", "").lstrip("-").isdigit():
        options["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
    if query.get("orphanDependents"):
        options["orphanDependents"] = query["orphanDependents"] == "true"
    return options


def delete(cluster: Cluster, request: Request, options: Object) -> Object:
    """Delete the object that the request names; gives the object or a Status, as its kind answers."""
    dry_run, policy = _checked(options)
    if request.plural == "namespaces" and request.name in KEPT_NAMESPACES:
        raise forbidden("namespaces", "", request.name, "this namespace may not be deleted")
    stored = found(cluster, request)
    _preconditions(request, stored, options.get("preconditions") or {})
    if dry_run:
        return _answer(request, stored.object)
    return _answer(request, _deleted(cluster, request, stored, options, policy))


def delete_all(cluster: Cluster, request: Request, options: Object, chosen: list[Stored]) -> None:
    """Delete the chosen objects one by one."""
    dry_run, policy = _checked(options)
    for stored in chosen:
        if not dry_run:
            _deleted(cluster, request, stored, options, policy)


def _checked(options: Object) -> tuple[bool, str]:
    policy = options.get("propagationPolicy") or ""
    if policy and policy not in POLICIES:
        error = not_supported("propagationPolicy", policy, (*POLICIES, "nil"), in_order=True)
        raise invalid("DeleteOptions", "meta.k8s.io", "", [error])
    if options.get("orphanDependents") is not None and policy:
        why = "orphanDependents and deletionPropagation cannot be both set"
        raise invalid("DeleteOptions", "meta.k8s.io", "", [invalid_value("propagationPolicy", policy, why)])
    if "orphanDependents" in options and not policy:
        policy = "Orphan" if options["orphanDependents"] else "Background"
    return check_dry_run(options.get("dryRun"), "DeleteOptions"), policy


def _preconditions(request: Request, stored: Stored, wanted: Object) -> None:
    resource, metadata = request.served, stored.object["metadata"]
    uid, version = wanted.get("uid"), wanted.get("resourceVersion")
    if uid and uid != metadata["uid"]:
        if resource.plural == "namespaces":
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
            raise failures.conflict("namespaces", "", request.name, why)
        why = (
            f"the UID in the precondition ({uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise failures.conflict(resource.kind, resource.group, request.name, why)
    if version and version != metadata["resourceVersion"]:
        why = (
            f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record "
            f"({metadata['resourceVersion']}). The object might have been modified"
        )
        raise failures.conflict(resource.kind, resource.group, request.name, why)


def _deleted(cluster: Cluster, request: Request, stored: Stored, options: Object, policy: str) -> Object:
    key, metadata = request.served.key, stored.object["metadata"]
    grace = _grace(request, stored.object, options)
    finalizers = _finalizers(metadata.get("finalizers") or [], policy, orphan=strategy_of(key).orphan)
    held = finalizers or (key == ("", "namespaces") and stored.object["spec"].get("finalizers"))
    waiting = "deletionTimestamp" in metadata
    if not held and grace == 0:
        return _removed(cluster, request, stored)
    if (
        waiting
        and grace >= metadata.get("deletionGracePeriodSeconds", 0)
        and finalizers == (metadata.get("finalizers") or [])
    ):
        return stored.object
    changed = stored.copy()
    _mark(changed, grace, finalizers)
    return cluster.store.put(key, changed).object


def _removed(cluster: Cluster, request: Request, stored: Stored) -> Object:
    """Take it out; a Pod is shown as going before it is gone, as a real API server does."""
    if request.plural == "pods":
        changed = stored.copy()
        _mark(changed, 0, [])
        stored = cluster.store.put(request.served.key, changed)
    return cluster.store.remove(request.served.key, stored)


def _mark(obj: Object, grace: int, finalizers: list[str]) -> None:
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata and metadata.get("generation"):
        metadata["generation"] += 1
    if obj["kind"] == "Namespace":
        metadata.setdefault("deletionTimestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    elif "deletionTimestamp" not in metadata or grace < metadata.get("deletionGracePeriodSeconds", 0):
        at = time.gmtime(time.time() + grace)
        metadata["deletionTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", at)
        metadata["deletionGracePeriodSeconds"] = grace
    if finalizers:
        metadata["finalizers"] = finalizers
    if obj["kind"] == "Namespace":
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}


def _grace(request: Request, obj: Object, options: Object) -> int:
    """Seconds until the object may go: Pods on a Node wait for their kubelet, everything else goes at once."""
    if request.plural != "pods" or request.group:
        return 0
    spec = obj["spec"]
    if not spec.get("nodeName") or obj.get("status", {}).get("phase") in ENDED:
        return 0
    asked = options.get("gracePeriodSeconds")
    grace = int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else asked)
    return max(grace, 1) if grace < 0 else grace


def _finalizers(present: list[str], policy: str, *, orphan: bool) -> list[str]:
    """The finalizers that garbage collection needs under this policy, beside those that are there."""
    if not policy:
        if any(name in present for name in FINALIZERS.values()):
            return present
        policy = "Orphan" if orphan else "Background"
    kept = [name for name in present if name not in FINALIZERS.values()]
    return [*kept, FINALIZERS[policy]] if policy in FINALIZERS else kept


def _answer(request: Request, obj: Object) -> Object:
    resource, metadata = request.served, obj["metadata"]
    if strategy_of(resource.key).returned or ("deletionTimestamp" in metadata and metadata.get("finalizers")):
        return obj
    details = {"name": metadata["name"], "group": resource.group, "kind": resource.plural, "uid": metadata["uid"]}
    shown = {key: value for key, value in details.items() if value}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": shown}
