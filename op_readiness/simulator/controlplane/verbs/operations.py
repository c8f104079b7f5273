"""Create, update, patch and read: the steps that a real API server takes, in its order, on plain objects.

Nothing here knows HTTP. Refusals are raised as Failure; warnings are left in the request.
"""

from __future__ import annotations

import dataclasses
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.controlplane.admission.plugins import Admission
from op_readiness.simulator.controlplane.fields import managers
from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.kinds.strategies import Strategy, strategy_of
from op_readiness.simulator.controlplane.store import events
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Store, Stored
from op_readiness.simulator.controlplane.verbs.allocation import Allocator
from op_readiness.simulator.controlplane.wire import failures
from op_readiness.simulator.controlplane.wire.failures import MODIFIED, Failure, bad_request

Object = dict[str, Any]
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
NAME_LIMIT = 58
NAMESPACES = ("", "namespaces")
OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"
STATUS_KEEPS = ("spec", "metadata.deletionTimestamp", "metadata.ownerReferences")


def now() -> str:
    """The wall's time as API objects carry it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass
class Cluster:
    """What every operation needs: the store, admission, allocation, and the source of uids and names."""

    store: Store
    random: random.Random
    allocator: Allocator
    admission: Admission = dataclasses.field(init=False)

    def new_uid(self) -> str:
        """A uid that depends on the seed alone."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def suffix(self) -> str:
        """Five characters as generateName appends them."""
        return "".join(self.random.choice(LETTERS) for _ in range(5))


def found(cluster: Cluster, request: Request) -> Stored:
    """The object that the request names, or 404."""
    resource = request.served
    namespace = request.namespace if resource.namespaced else ""
    stored = cluster.store.get(resource.key, namespace, request.name)
    if stored is None:
        raise failures.not_found(resource.plural, resource.group, request.name)
    return stored


def tracked(request: Request, old: Object | None, new: Object) -> None:
    """Keep in managedFields what the request's manager set; Events are seen as their group shows them."""
    resource, seen = request.served, events.to_new if request.group == "events.k8s.io" else dict
    shown, metadata = seen(new), new["metadata"]
    shown["metadata"] = metadata
    before = None if old is None else seen(old)
    managers.update(before, shown, manager_of(request, managers.UPDATE), resource.schema, ignored(request), now())


def manager_of(request: Request, operation: str) -> managers.Manager:
    """The manager that this request writes as."""
    return managers.Manager(request.manager, operation, request.served.api_version, request.subresource)


def ignored(request: Request) -> tuple[str, ...]:
    """What this request cannot set, so that nobody owns it by it."""
    if request.subresource == "status":
        return STATUS_KEEPS
    return ("status",) if "status" in request.served.subresources else ()


def create(cluster: Cluster, request: Request, obj: Object, *, applied: bool = False) -> Object:
    """Create an object; gives it as stored (or as it would be, in a dry run). `applied`: its managers are known."""
    resource, strategy = request.served, strategy_of(request.served.key)
    if strategy.unsupported:
        raise Failure(501, "NotImplemented", strategy.unsupported, {})
    metadata = obj["metadata"]
    _place(request, metadata)
    if metadata.get("resourceVersion"):
        raise Failure(500, "", "resourceVersion should not be set on objects to be created")
    _identify(cluster, metadata, strategy)
    strategy.default(obj)
    if not applied:
        tracked(request, None, obj)
    cluster.admission.mutate(request, obj, None)
    strategy.prepare(obj)
    _refuse(request, strategy, obj, None)
    request.warnings += strategy.warn(obj)
    allocated = cluster.allocator.allocate(request, obj, None)
    try:
        cluster.admission.validate(request, obj, None)
        _taken(cluster, request, metadata)
    except Failure:
        allocated.undo()
        raise
    if request.dry_run:
        allocated.undo()
        return obj
    return cluster.store.put(resource.key, obj).object


def _place(request: Request, metadata: Object) -> None:
    if not request.served.namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace") not in (None, "", request.namespace):
        raise bad_request(OTHER_NAMESPACE)
    metadata["namespace"] = request.namespace


def _identify(cluster: Cluster, metadata: Object, strategy: Strategy) -> None:
    for field in (*KEPT, "selfLink", "resourceVersion"):
        metadata.pop(field, None)
    if metadata.get("generateName") and not metadata.get("name"):
        metadata["name"] = metadata["generateName"][:NAME_LIMIT] + cluster.suffix()
    metadata["uid"] = cluster.new_uid()
    if strategy.generation:
        metadata["generation"] = 1
    metadata["creationTimestamp"] = now()


def _refuse(request: Request, strategy: Strategy, new: Object, old: Object | None) -> None:
    resource = request.served
    errors = names.metadata(new, strategy.name) if old is None else _metadata_update(new, strategy)
    errors += strategy.validate(new, old)
    if errors:
        raise failures.invalid(resource.kind, resource.group, new["metadata"].get("name", ""), errors)


def _metadata_update(new: Object, strategy: Strategy) -> list[failures.FieldError]:
    return [error for error in names.metadata(new, strategy.name) if error.field != "metadata.name"]


def _taken(cluster: Cluster, request: Request, metadata: Object) -> None:
    resource = request.served
    stored = cluster.store.get(resource.key, metadata.get("namespace", ""), metadata["name"])
    if stored is not None:
        going = "deletionTimestamp" in stored.object["metadata"]
        raise failures.already_exists(resource.plural, resource.group, metadata["name"], going=going)


def _other_name(given: str, expected: str) -> str:
    return f"the name of the object ({given}) does not match the name on the URL ({expected})"


def update(cluster: Cluster, request: Request, obj: Object) -> Object:
    """Replace an object (or its status) by a body; gives it as stored."""
    resource, metadata = request.served, obj["metadata"]
    if metadata.get("name") not in (None, "", request.name):
        raise bad_request(_other_name(metadata["name"], request.name))
    _place(request, metadata)
    metadata["name"] = request.name
    namespace = request.namespace if resource.namespaced else ""
    if cluster.store.get(resource.key, namespace, request.name) is None and strategy_of(resource.key).put_creates:
        return create(cluster, request, obj)
    return write(cluster, request, found(cluster, request), obj)


def patch(cluster: Cluster, request: Request, change: Callable[[Object], Object], *, applied: bool = False) -> Object:
    """Change a copy of an object; `change` gives the typed result (`applied`: with its managers)."""
    stored = found(cluster, request)
    obj = change(stored.copy())
    metadata = obj["metadata"]
    if metadata.get("name") != request.name:
        raise bad_request(_other_name(metadata.get("name", ""), request.name))
    if request.served.namespaced and metadata.get("namespace") != request.namespace:
        raise bad_request(OTHER_NAMESPACE)
    if metadata.get("uid") != stored.object["metadata"]["uid"]:
        error = failures.invalid_value("metadata.uid", metadata.get("uid", ""), "field is immutable")
        raise failures.invalid(request.served.kind, request.served.group, request.name, [error])
    if str(metadata.get("resourceVersion", "")) == str(stored.version):
        metadata.pop("resourceVersion")
    return write(cluster, request, stored, obj, applied=applied)


def _check_versions(request: Request, stored: Stored, metadata: Object) -> None:
    resource, old = request.served, stored.object["metadata"]
    version = metadata.get("resourceVersion") or ""
    if version and not version.isdigit():
        raise Failure(500, "", f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if metadata.get("uid") and metadata["uid"] != old["uid"]:
        key = "/".join(filter(None, (resource.plural, old.get("namespace"), old["name"])))
        why = (
            f"StorageError: invalid object, Code: 4, Key: /registry/{key}, ResourceVersion: 0, AdditionalErrorMsg: "
            f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {old['uid']}"
        )
        raise failures.conflict(resource.plural, resource.group, request.name, why)
    if version and version != "0" and version != old["resourceVersion"]:
        raise failures.conflict(resource.plural, resource.group, request.name, MODIFIED)


def write(cluster: Cluster, request: Request, stored: Stored, obj: Object, *, applied: bool = False) -> Object:
    """Store a changed object after all checks; a write that changes nothing stores nothing."""
    resource, strategy, old = request.served, strategy_of(request.served.key), stored.object
    _check_versions(request, stored, obj["metadata"])
    _keep(obj, old, strategy)
    if request.subresource == "status":
        obj = _status_alone(obj, old)
        _track(request, old, obj, applied=applied)
    else:
        if "status" in resource.subresources and "status" in old:
            obj["status"] = old["status"]
        if resource.key == NAMESPACES and request.subresource != "finalize":
            obj["spec"] = old["spec"]
        strategy.default(obj)
        _track(request, old, obj, applied=applied)
        strategy.adapt(obj, old)
        cluster.admission.mutate(request, obj, old)
        _count_generation(obj, old, strategy)
    _refuse(request, strategy, obj, old)
    allocated = cluster.allocator.allocate(request, obj, old)
    try:
        cluster.admission.validate(request, obj, old)
    except Failure:
        allocated.undo()
        raise
    if obj == old or managers.same_but_times(obj, old):
        return old
    if request.dry_run:
        allocated.undo()
        return obj
    return store(cluster, request, obj)


def store(cluster: Cluster, request: Request, obj: Object) -> Object:
    """Store, or remove for good what was held by its last finalizer alone."""
    key, metadata = request.served.key, obj["metadata"]
    stored = cluster.store.put(key, obj)
    held = metadata.get("finalizers") or (obj.get("spec", {}).get("finalizers") if key == NAMESPACES else None)
    if metadata.get("deletionTimestamp") and not held and not metadata.get("deletionGracePeriodSeconds"):
        cluster.store.remove(key, stored)
    return obj


def _track(request: Request, old: Object, obj: Object, *, applied: bool) -> None:
    if not applied:
        tracked(request, old, obj)


def _keep(obj: Object, old: Object, strategy: Strategy) -> None:
    metadata, before = obj["metadata"], old["metadata"]
    for field in KEPT:
        metadata.pop(field, None)
        if field in before:
            metadata[field] = before[field]
    metadata["resourceVersion"] = before["resourceVersion"]
    if not strategy.generation and "generation" in before:
        metadata["generation"] = before["generation"]
    if "deletionTimestamp" in before:
        kept = [name for name in metadata.get("finalizers") or () if name in (before.get("finalizers") or ())]
        metadata["finalizers"] = kept
    for field in ("finalizers", "labels", "annotations", "ownerReferences"):
        if field in metadata and not metadata[field]:
            del metadata[field]


def _status_alone(obj: Object, old: Object) -> Object:
    kept = {key: value for key, value in old.items() if key not in ("status", "metadata")}
    metadata = {**old["metadata"]}
    for field in ("labels", "annotations", "managedFields"):
        if field in obj["metadata"]:
            metadata[field] = obj["metadata"][field]
    return {
        "kind": old["kind"],
        "apiVersion": old["apiVersion"],
        "metadata": metadata,
        **kept,
        "status": obj.get("status", {}),
    }


def _count_generation(obj: Object, old: Object, strategy: Strategy) -> None:
    if not strategy.generation:
        return
    ignored = ("metadata", "status", "kind", "apiVersion")
    before = {key: value for key, value in old.items() if key not in ignored}
    changed = before != {key: value for key, value in obj.items() if key not in ignored}
    noted = [one["metadata"].get("annotations") or {} for one in (old, obj)]
    if changed or (strategy.annotated and noted[0] != noted[1]):
        obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
