"""Pods of a Node that has restarted: the same ones once more, or those that a controller has put in their place.

What the API shows of a Pod is what was true before the restart, until its kubelet has looked. So a Pod is back only
with a restart more than it had, or as another Pod; that a Node is Ready says nothing of them
(Azure/azure-container-networking#283).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.pods import newest_of, ready

Pod = dict[str, Any]
Event = dict[str, Any]
OUTSTANDING = "SandboxChanged"
MESSAGE = 160
"""Characters of an Event's message that a finding has."""


@dataclass(frozen=True)
class Had:
    """A Pod as it was before its Node restarted. `owner` is the UID of its controller, empty without one."""

    namespace: str
    name: str
    uid: str
    node: str
    restarts: int
    owner: str = ""

    def __str__(self) -> str:
        return f"Pod {self.namespace}/{self.name}"


def had(pod: Pod) -> Had:
    """What is remembered of a Pod."""
    meta = pod["metadata"]
    owner = next((one["uid"] for one in meta.get("ownerReferences") or () if one.get("controller")), "")
    return Had(meta["namespace"], meta["name"], meta["uid"], pod["spec"].get("nodeName", ""), restarts_of(pod), owner)


def restarts_of(pod: Pod) -> int:
    """The restarts of its containers, all together."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return sum(int(one.get("restartCount") or 0) for one in statuses)


def back_as(before: Had, pods: Iterable[Pod], others: Iterable[Had] = ()) -> Pod | None:
    """The same Pod, Ready with a restart more, or a Ready one of the same controller on the same Node; else None.

    `others` are those that were there too, and are nobody's successor.
    """
    known = {one.uid for one in others} | {before.uid}
    for pod in pods:
        found = had(pod)
        if found.uid == before.uid and found.restarts > before.restarts and ready(pod):
            return pod
        new = bool(before.owner) and found.owner == before.owner and found.uid not in known
        if new and found.node == before.node and ready(pod):
            return pod
    return None


def came_back(cluster: Cluster, before: Sequence[Had], timeouts: Timeouts) -> dict[Had, Pod]:
    """Those of `before` that are back when all are, or when the time is over. They are of one Node or one Namespace."""
    found: dict[Had, Pod] = {}

    def met(pods: list[Pod]) -> dict[Had, Pod] | None:
        found.clear()
        found.update({one: pod for one in before if (pod := back_as(one, pods, before)) is not None})
        return found if len(found) == len(before) else None

    if not before:
        return {}
    spaces, nodes = {one.namespace for one in before}, {one.node for one in before}
    namespace = spaces.pop() if len(spaces) == 1 else ""
    fields = f"spec.nodeName={nodes.pop()}" if len(nodes) == 1 else None
    try:
        return dict(wait_for(cluster, "Pod", namespace, met, fields=fields, within=timeouts.real("pods_ready")))
    except WatchTimeout:
        return dict(found)


def why_not(cluster: Cluster, before: Had) -> str:
    """What is seen of a Pod that is not back: its state, its restarts, and its Events."""
    pod = next((one for one in cluster.list("Pod", before.namespace) if one["metadata"]["uid"] == before.uid), None)
    if pod is None:
        return "it is gone, and nobody is in its place"
    status = pod.get("status") or {}
    more = restarts_of(pod) - before.restarts
    state = f"{status.get('phase')}, {'Ready' if ready(pod) else 'not Ready'}, {more} restarts since"
    events = cluster.list("Event", before.namespace)
    event, changed = end_of(newest_of(events, before.name)), _count(events, before, OUTSTANDING)
    return "; ".join(filter(None, (state, f"{OUTSTANDING} x{changed}" if changed else "", event)))


def end_of(event: str) -> str:
    """The reason of an Event, and the end of a long message: there stands why, after hashes and wrappings."""
    reason, _, message = event.partition(": ")
    return event if len(message) <= MESSAGE else f"{reason}: ... {message[-MESSAGE:]}"


def _count(events: Iterable[Event], before: Had, reason: str) -> int:
    ours = [one for one in events if (one.get("involvedObject") or {}).get("uid") == before.uid]
    return sum(int(one.get("count") or 1) for one in ours if one.get("reason") == reason)
