"""Removing everything that carries a run's label: at the end of a run, and later for runs that were killed.

As long as the journal in the run's own Namespace says that something has to be put back, that Namespace goes last, and
not before it is put back.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.runner import lease, leftovers
from op_readiness.runner.leftovers import Leftover
from op_readiness.workloads.labels import own_namespace
from op_readiness.workloads.undo import journal

LOOK = 0.25

Say = Callable[[str], None]


@dataclass
class Cleaned:
    """What a clean-up came to. `left` is still there; `problems` are changes that could not be put back, and errors.

    `looked` is false where the API server could not say what is left.
    """

    removed: int = 0
    left: list[Leftover] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    looked: bool = True


def remove_run(cluster: Cluster, run_id: str, *, within: float, clock: Clock = SYSTEM_CLOCK) -> Cleaned:
    """Remove a run: what it made, then what its journal says, then its own Namespace; waits `within` real seconds."""
    cleaned, deadline = Cleaned(), clock.now() + within
    own = own_namespace(run_id)
    seen: set[str] = set()
    if _must_undo(cluster, run_id, cleaned):
        _remove(cluster, run_id, lambda one: own not in (one.name, one.namespace), deadline, cleaned, seen, clock)
        cleaned.problems += journal.replay(cluster, run_id)
    if not cleaned.problems:
        _remove(cluster, run_id, lambda one: True, deadline, cleaned, seen, clock)
    try:
        cleaned.left = leftovers.find(cluster, run_id)
    except ApiError as error:
        cleaned.looked = False
        cleaned.problems.append(f"leftovers: {error}")
    cleaned.removed = len(seen) - len({str(one) for one in cleaned.left} & seen)
    return cleaned


def remove_dead_runs(
    cluster: Cluster, *, run_id: str, force: bool, within: float, say: Say, clock: Clock = SYSTEM_CLOCK
) -> list[Cleaned]:
    """`op-readiness cleanup`: every run that left something and is not alive (with `force`, alive ones too)."""
    found = leftovers.find(cluster, run_id)
    runs = sorted({one.run_id for one in found})
    with ThreadPoolExecutor(8, "Leases") as threads:
        alive = dict(zip(runs, threads.map(lambda id: not force and _alive(cluster, id, clock), runs), strict=True))
    cleaned = []
    for id in runs:
        if alive[id]:
            say(f"run {id} is alive (its Lease is renewed): left alone; --force removes it all the same")
            continue
        done = remove_run(cluster, id, within=within, clock=clock)
        say(f"run {id}: {done.removed} objects removed" + (f", {len(done.left)} left" if done.left else ""))
        cleaned.append(done)
    if not runs:
        say("nothing is left" + (f" of run {run_id}" if run_id else " of any run"))
    return cleaned


def _must_undo(cluster: Cluster, run_id: str, cleaned: Cleaned) -> bool:
    """Whether the journal holds anything; where it cannot be read, that is a problem and the Namespace stays."""
    try:
        return bool(journal.entries(cluster, run_id))
    except ApiError as error:
        cleaned.problems.append(f"undo journal: {error}")
        return False


def _alive(cluster: Cluster, run_id: str, clock: Clock) -> bool:
    return lease.is_renewed(cluster, lease.NAME, own_namespace(run_id), clock=clock)


def _remove(
    cluster: Cluster, run_id: str, wanted: Callable[[Leftover], bool], deadline: float, cleaned: Cleaned,
    seen: set[str], clock: Clock,
) -> None:  # fmt: skip
    """Ask for the deletion of what is wanted and look until it is gone; what appears meanwhile goes too."""
    asked: set[tuple[str, str, str]] = set()
    while True:
        try:
            namespaces = [one for one in leftovers.find(cluster, run_id, ("Namespace",)) if wanted(one)]
            inside = {one.name for one in namespaces}
            outside = leftovers.find(cluster, run_id, (*leftovers.CLUSTER_KINDS, *leftovers.NAMESPACED_KINDS))
            there = namespaces + [one for one in outside if wanted(one) and one.namespace not in inside]
        except ApiError as error:
            cleaned.problems.append(f"looking for what is left: {error}")
            return
        seen |= {f"{one.kind} {one.namespace}/{one.name}" for one in there}
        new = [one for one in there if (one.kind, one.namespace, one.name) not in asked and not one.deleting]
        with ThreadPoolExecutor(6, "clean-up") as threads:
            cleaned.problems += filter(None, threads.map(lambda one: _delete(cluster, one), new))
        asked |= {(one.kind, one.namespace, one.name) for one in new}
        if not there or clock.now() >= deadline:
            return
        clock.sleep(LOOK)


def _delete(cluster: Cluster, one: Leftover) -> str:
    try:
        cluster.delete(one.kind, one.name, one.namespace, grace=0 if one.kind == "Pod" else None)
    except ApiError as error:
        return f"{one}: {error}"
    return ""
