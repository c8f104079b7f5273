"""ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, numbered."""

from __future__ import annotations

import copy

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.informers.kinds import REVISION, Kind
from op_readiness.simulator.controlplane.informers.pods import controller_reference, hash_of
from op_readiness.simulator.controlplane.informers.shared import Shared

HASH_LABEL = "controller.kubernetes.io/hash"
POD_LABEL = "controller-revision-hash"


def template_data(template: Object) -> Object:
    """What a revision keeps: a patch that puts this template in place of another."""
    return {"spec": {"template": {**copy.deepcopy(template), "$patch": "replace"}}}


def template_of(revision: Object) -> Object:
    """The template that a revision keeps."""
    template: Object = copy.deepcopy(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


def history(shared: Shared, owner: Object) -> list[Object]:
    """The owner's revisions, the oldest first."""
    owned = shared.store(REVISION).by("controller", owner["metadata"]["uid"])
    return sorted(owned, key=lambda each: (each["revision"], each["metadata"]["name"]))


async def current_revision(shared: Shared, owner: Object, kind: Kind) -> Object:
    """The revision of the owner's present template: found, brought to the front, or made."""
    known = history(shared, owner)
    data = template_data(owner["spec"]["template"])
    newest = known[-1]["revision"] if known else 0
    for revision in reversed(known):
        if revision["data"] == data:
            if revision["revision"] < newest:
                return await shared.patch(REVISION, revision, {"revision": newest + 1})
            return revision
    return await _create(shared, owner, kind, data, newest + 1)


async def _create(shared: Shared, owner: Object, kind: Kind, data: Object, number: int) -> Object:
    mark = hash_of(data, (owner.get("status") or {}).get("collisionCount", 0))
    meta = owner["metadata"]
    revision = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"{meta['name']}-{mark}",
            "namespace": meta["namespace"],
            "labels": {**(owner["spec"]["template"].get("metadata", {}).get("labels") or {}), HASH_LABEL: mark},
            "ownerReferences": [controller_reference(owner, kind)],
        },
        "data": data,
        "revision": number,
    }
    try:
        return await shared.create(REVISION, meta["namespace"], revision)
    except ApiError as error:
        if error.code != 409:
            raise
        there = await shared.api.get(REVISION.path(meta["namespace"], f"{meta['name']}-{mark}"))
        if there["data"] != data:
            raise
        shared.store(REVISION).learn(there)
        return there


async def forget_old(shared: Shared, owner: Object, in_use: set[str]) -> None:
    """Delete the oldest revisions that no Pod uses, down to the owner's revisionHistoryLimit."""
    unused = [each for each in history(shared, owner) if each["metadata"]["name"] not in in_use]
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    for revision in unused[: max(0, len(unused) - limit)]:
        await shared.delete(REVISION, revision)
