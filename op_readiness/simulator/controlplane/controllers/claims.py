"""Which objects belong to a controller: its own whose labels match, and matching orphans, which it adopts."""

from __future__ import annotations

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.informers.kinds import Kind
from op_readiness.simulator.controlplane.informers.pods import controller_reference
from op_readiness.simulator.controlplane.informers.selectors import labels_of, matches
from op_readiness.simulator.controlplane.informers.shared import Shared
from op_readiness.simulator.controlplane.informers.stores import controller_of


async def claimed(shared: Shared, owner: Object, owner_kind: Kind, kind: Kind) -> list[Object]:
    """The objects of `kind` that `owner` controls after adopting orphans and letting go what matches no more."""
    store, meta = shared.store(kind), owner["metadata"]
    selector = owner["spec"].get("selector")
    mine: list[Object] = []
    for obj in store.by("controller", meta["uid"]):
        if matches(selector, labels_of(obj)):
            mine.append(obj)
        elif "deletionTimestamp" not in meta:
            await _release(shared, kind, obj, meta["uid"])
    if "deletionTimestamp" in meta:
        return mine
    for obj in store.by("controller", f"none/{meta['namespace']}"):
        if matches(selector, labels_of(obj)) and not store.going(obj):
            adopted = await _adopt(shared, kind, obj, controller_reference(owner, owner_kind))
            mine.extend([adopted] if adopted else [])
    return mine


async def _adopt(shared: Shared, kind: Kind, obj: Object, reference: Object) -> Object | None:
    references = [*(obj["metadata"].get("ownerReferences") or []), reference]
    try:
        return await shared.patch(kind, obj, {"metadata": {"ownerReferences": references}})
    except ApiError as error:
        if error.code == 404:
            return None
        raise


async def _release(shared: Shared, kind: Kind, obj: Object, owner_uid: str) -> None:
    left = [each for each in obj["metadata"]["ownerReferences"] if each["uid"] != owner_uid]
    try:
        await shared.patch(kind, obj, {"metadata": {"ownerReferences": left or None}})
    except ApiError as error:
        if error.code not in (404, 422):
            raise


def owner_keys(shared: Shared, owner_kind: Kind, obj: Object) -> list[tuple[str, str]]:
    """The keys of the owners that a change of `obj` concerns: its controller, or those that could adopt it."""
    reference, namespace = controller_of(obj), obj["metadata"].get("namespace", "")
    if reference is not None:
        return [(namespace, reference["name"])] if reference["kind"] == owner_kind.kind else []
    labels = labels_of(obj)
    if not labels:
        return []
    owners = shared.store(owner_kind).by("namespace", namespace)
    return [
        (namespace, owner["metadata"]["name"]) for owner in owners if matches(owner["spec"].get("selector"), labels)
    ]
