"""What a run will do, said before it does it: the plan in figures, and every act on the cluster by name."""

from __future__ import annotations

from collections.abc import Iterator

from op_readiness.reports.header import PlanSummary
from op_readiness.reports.text import count
from op_readiness.runner.lease import EXCLUSIVE, EXCLUSIVE_NAMESPACE
from op_readiness.runner.plan import PODS_AN_ABILITY, Plan
from op_readiness.workloads.images import Images
from op_readiness.workloads.labels import own_namespace


def plan_summary(plan: Plan, images: Images, run_id: str, seed: str = "") -> PlanSummary:
    """The plan as reports show it."""
    left_out = [f"tested on {plan.nodes}"] if len(plan.nodes.nodes) < plan.nodes.of else []
    return PlanSummary(
        abilities=len(plan.abilities),
        skips={id: (str(skip.reason), skip.why) for id, skip in plan.skips.items()},
        planned=plan.planned,
        workers=plan.workers,
        seconds=plan.seconds,
        acts=tuple(acts(plan, images, run_id)) if plan.abilities else (),
        notes=(*left_out, *plan.notes),
        seed=seed,
    )


def acts(plan: Plan, images: Images, run_id: str) -> Iterator[str]:
    """What is done to the cluster, one act a line."""
    together = sorted((int(a.requires.get("freePods", PODS_AN_ABILITY)) for a in plan.concurrent), reverse=True)
    pods = sum(together[: plan.workers]) or PODS_AN_ABILITY
    yield f"make Namespaces {own_namespace(run_id)} and {own_namespace(run_id)}-*, and delete them again"
    yield f"run up to about {pods} Pods a Node at once, on {', '.join(node.name for node in plan.nodes.nodes[:12])}"
    yield f"pull {images.agnhost}"
    if any("nonroot" in ability.requires.get("images", ()) for ability in plan.abilities):
        yield f"pull {images.nonroot}"
    if privileged := [a.id for a in plan.abilities if a.requires.get("privileged")]:
        yield f"make privileged Namespaces for {', '.join(privileged)}"
    for ability in plan.abilities:
        if ability.changes:
            yield f"{ability.changes.replace('RUN', run_id)} ({ability.id})"
    if e2e := sum(bool(ability.focus) for ability in plan.abilities):
        yield f"run e2e.test {count(e2e, 'time')}: it makes Namespaces and Pods of its own, and deletes them again"
    if plan.serial or plan.disruptive:
        yield f"hold Lease {EXCLUSIVE_NAMESPACE}/{EXCLUSIVE} while {len(plan.serial + plan.disruptive)} run alone"
    if plan.disruptive:
        yield f"DISRUPT Nodes (reboot, restart, fill) for {', '.join(a.id for a in plan.disruptive)}"
