"""Pods of a Node that has restarted: the same with a restart more, or a successor of the same controller there."""

from __future__ import annotations

from typing import Any

import pytest

from op_readiness.cluster.watching import WatchTimeout
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe import returning
from op_readiness.observe.returning import Had, back_as, came_back, end_of, had, why_not


def pod(name: str, uid: str, *, restarts: int = 0, up: bool = True, node: str = "win-1", owner: str = "rs") -> Any:
    owners = [{"kind": "ReplicaSet", "uid": owner, "controller": True}] if owner else []
    status = {
        "phase": "Running", "podIP": "10.0.0.1",
        "conditions": [{"type": "Ready", "status": "True" if up else "False"}],
        "containerStatuses": [{"restartCount": restarts, "state": {"running": {}} if up else {"waiting": {}}}],
    }  # fmt: skip
    meta = {"name": name, "namespace": "n", "uid": uid, "ownerReferences": owners}
    return {"metadata": meta, "spec": {"nodeName": node}, "status": status}


BEFORE = had(pod("web-a", "a", restarts=2))


def test_what_is_remembered():
    """Restarts of all containers, and who controls it."""
    assert Had("n", "web-a", "a", "win-1", 2, "rs") == BEFORE
    assert had(pod("bare", "b", owner="")).owner == ""


@pytest.mark.parametrize(("found", "back"), [
    (pod("web-a", "a", restarts=3), True),
    (pod("web-a", "a", restarts=5), True),
    (pod("web-a", "a", restarts=2), False),  # what the API showed before the restart
    (pod("web-a", "a", restarts=3, up=False), False),
    (pod("web-c", "c"), True),
    (pod("web-c", "c", up=False), False),
    (pod("web-c", "c", node="win-2"), False),
    (pod("web-c", "c", owner="another"), False),
    (pod("web-b", "b"), False),  # it was there too
])  # fmt: skip
def test_who_is_back(found, back):
    """That a Pod is Ready is not enough: the API may still show what was before."""
    other = had(pod("web-b", "b"))
    assert (back_as(BEFORE, [found], [BEFORE, other]) is not None) is back


def test_a_bare_pod_has_no_successor():
    """Nobody puts another in its place."""
    bare = had(pod("bare", "x", owner=""))
    assert back_as(bare, [pod("bare", "y", owner="")]) is None


def test_those_that_are_back_when_the_time_is_over(monkeypatch):
    """Pods of one Node are looked for there, others in their Namespace; nothing is waited for without any."""
    asked: list[tuple[str, str | None]] = []

    def wait_for(cluster, kind, namespace, met, *, fields, within):
        asked.append((namespace, fields))
        met([pod("web-a", "a", restarts=3), pod("web-b", "b", node="win-2")])
        raise WatchTimeout("Pods", within, None, None)

    monkeypatch.setattr(returning, "wait_for", wait_for)
    other = had(pod("web-b", "b", node="win-2"))
    assert list(came_back(None, [BEFORE, other], Timeouts())) == [BEFORE]  # type: ignore[arg-type]
    came_back(None, [BEFORE], Timeouts())  # type: ignore[arg-type]
    assert came_back(None, [], Timeouts()) == {}  # type: ignore[arg-type]
    assert asked == [("n", None), ("n", "spec.nodeName=win-1")]


class Listing:
    """Gives Pods and Events."""

    def __init__(self, *pods: Any) -> None:
        self.pods = pods

    def list(self, kind: str, namespace: str) -> list[Any]:
        about = {"uid": "a", "name": "web-a"}
        changed = {"involvedObject": about, "reason": "SandboxChanged", "count": 117, "message": "m"}
        failed = {"involvedObject": about, "type": "Warning", "reason": "FailedCreatePodSandBox", "message": "none"}
        return list(self.pods) if kind == "Pod" else [changed, failed]


def test_why_one_is_not_back():
    """Its state, how often its sandbox was made anew, and the newest warning; or that it is gone."""
    seen = why_not(Listing(pod("web-a", "a", restarts=3, up=False)), BEFORE)  # type: ignore[arg-type]
    assert seen == "Running, not Ready, 1 restarts since; SandboxChanged x117; FailedCreatePodSandBox: none"
    assert end_of(f"Failed: {'x' * 200}why") == f"Failed: ... {'x' * 157}why"
    assert why_not(Listing(), BEFORE) == "it is gone, and nobody is in its place"  # type: ignore[arg-type]
