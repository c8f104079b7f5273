"""What a run will do, in words, before it does it: the cluster, its Nodes, the plan, what will be made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from op_readiness.model.facts import Facts
from op_readiness.runner.lease import own_namespace
from op_readiness.runner.plan import PODS_AN_ABILITY, Plan
from op_readiness.workloads.images import Images


def header(facts: Facts, plan: Plan, images: Images, run_id: str, *, scale: float) -> str:
    """The text that opens a run, and all of a `--dry-run`."""
    return "\n".join([*_cluster(facts), *_nodes(facts, plan), *_plan(plan, scale), *_made(plan, images, run_id)])


def _cluster(facts: Facts) -> Iterator[str]:
    simulated = "  SIMULATED" if facts.simulated else ""
    yield f"Cluster  {facts.server}  {facts.version}{simulated}"
    yield f"         context {facts.context or '-'}, user {facts.user or '-'}"


def _nodes(facts: Facts, plan: Plan) -> Iterator[str]:
    rows: Counter[tuple[str, str]] = Counter((node.os, node.build) for node in facts.nodes if node.usable)
    yield "Nodes    " + "; ".join(f"{count} {os} {build}" for (os, build), count in sorted(rows.items(), reverse=True))
    names = ", ".join(node.name for node in plan.nodes.nodes)
    yield f"         tested: {names} ({plan.nodes})"
    for node in facts.nodes:
        if not node.usable:
            yield f"         left out: {node.name} ({'cordoned' if node.ready else 'not Ready'})"


def _plan(plan: Plan, scale: float) -> Iterator[str]:
    passes = [("side by side", plan.concurrent), ("alone", plan.serial), ("disruptive", plan.disruptive)]
    counts = ", ".join(f"{len(abilities)} {how}" for how, abilities in passes if abilities) or "nothing to run"
    planned = f", {plan.planned} planned (no test yet)" if plan.planned else ""
    minutes, seconds = divmod(round(plan.seconds * scale), 60)
    estimate = f"about {minutes} min {seconds:02} s" if minutes else f"about {seconds} s"
    yield f"Plan     {counts}, {len(plan.skips)} skipped{planned}; {plan.workers} workers, {estimate}"
    for id, skip in sorted(plan.skips.items()):
        yield f"         skipped: {id}: {skip.reason}: {skip.why}"
    for note in plan.notes:
        yield f"         {note}"


def _made(plan: Plan, images: Images, run_id: str) -> Iterator[str]:
    pods = PODS_AN_ABILITY * plan.workers
    yield f"Makes    Namespaces {own_namespace(run_id)}*, up to about {pods} Pods a Node at once; deletes all of it"
    privileged = [a.id for a in plan.abilities if a.requires.get("privileged")]
    if privileged:
        yield f"         privileged Namespaces for {', '.join(privileged)}"
    yield f"         pulls {images.agnhost}"
    if plan.disruptive:
        yield f"         DISRUPTIVE: {', '.join(a.id for a in plan.disruptive)}"
