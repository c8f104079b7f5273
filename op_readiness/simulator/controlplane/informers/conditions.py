"""Lists of conditions, as new lists: a transition time changes only when the status does."""

from __future__ import annotations

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.recorder import stamp


def find(conditions: list[Object], kind: str) -> Object | None:
    """That condition, or None."""
    return next((each for each in conditions if each["type"] == kind), None)


def with_condition(
    conditions: list[Object],
    kind: str,
    status: str,
    reason: str,
    message: str,
    *,
    update_time: bool = False,
    renew: bool = False,
) -> list[Object]:
    """The list with that condition in it; the same list if it says so already.

    With `update_time` the condition carries lastUpdateTime and moves to the end when it changes, as Deployments' do;
    with `renew` it does so even if it says the same as before.
    """
    old = find(conditions, kind)
    if not renew and old and (old["status"], old.get("reason"), old.get("message")) == (status, reason, message):
        return conditions
    now = stamp()
    changed = old["lastTransitionTime"] if old and old["status"] == status else now
    new = {"type": kind, "status": status, "lastTransitionTime": changed, "reason": reason, "message": message}
    if update_time:
        new["lastUpdateTime"] = now
        return [*without_condition(conditions, kind), new]
    if old is None:
        return [*conditions, new]
    return [new if each is old else each for each in conditions]


def without_condition(conditions: list[Object], kind: str) -> list[Object]:
    """The list without that condition."""
    return [each for each in conditions if each["type"] != kind]
