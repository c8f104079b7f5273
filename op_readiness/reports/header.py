"""What stands above a run: which cluster, which Nodes, what will be done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from op_readiness.model.facts import NodeFact
from op_readiness.model.results import RunResult
from op_readiness.reports.lines import EMPTY, Line, table
from op_readiness.reports.text import count, one_line, seconds

SIMULATED = "SIMULATED CLUSTER: this says nothing about real Windows Nodes"
MOST_NODES = 40
MOST_SENTENCE = 1000
"""Characters of a note, a warning or a reason; report.json has all of it."""


@dataclass(frozen=True)
class PlanSummary:
    """The plan in figures. `skips`: id -> (reason, why); `seconds` are cluster seconds; `acts` say what is done."""

    abilities: int
    skips: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    planned: int = 0
    workers: int = 1
    seconds: float = 0.0
    acts: Sequence[str] = ()
    notes: Sequence[str] = ()
    seed: str = ""


def header(run: RunResult) -> list[Line]:
    """Cluster, versions, context, user, and a table of the Nodes with their builds."""
    facts = run.facts
    lines = [Line.of((f"op-readiness {run.version}", "head"), ("  run ", "dim"), run.run_id,
                     ("  started ", "dim"), run.started)]  # fmt: skip
    if run.simulated:
        lines.append(Line.of((SIMULATED, "warn")))
    named = (
        ("cluster", f"{facts.get('server') or 'unknown'}  Kubernetes {facts.get('version') or 'unknown'}"),
        ("context", facts.get("context", "")),
        ("user", facts.get("user", "")),
        ("provider", run.provider),
    )
    lines += [Line.of((f"{name:<9}", "dim"), str(value)) for name, value in named if value]
    lines += _nodes(run)
    return lines


def _nodes(run: RunResult) -> list[Line]:
    nodes = sorted(run.facts.get("nodes") or (), key=lambda node: (node.get("os") != "windows", node.get("name", "")))
    if not nodes:
        return []
    rows = [["NODE", "OS", "BUILD", "STATE", "KUBELET", "RUNTIME", "IMAGE"]]  # a narrow terminal cuts the last ones
    for node in nodes[:MOST_NODES]:
        named = {key: str(node.get(key) or "") for key in ("name", "os", "build", "kubelet", "runtime", "os_image")}
        named["state"] = _state(node, run)
        rows.append([named[key] for key in ("name", "os", "build", "state", "kubelet", "runtime", "os_image")])
    lines = [EMPTY, *table(rows, indent="")]
    if more := len(nodes) - MOST_NODES:
        lines += [Line.of((f"and {more} more Nodes", "dim"))] if more > 0 else []
    builds = Counter(str(node.get("build")) for node in nodes if node.get("os") == "windows")
    if len(builds) > 1:
        lines.append(Line.of(("Windows builds: " + ", ".join(f"{b} x {n}" for b, n in sorted(builds.items())), "dim")))
    return lines


def _state(node: Mapping[str, object], run: RunResult) -> str:
    state = NodeFact.from_dict(node).unusable.removeprefix("is ")
    if node.get("os") == "windows" and run.nodes_selected and node.get("name") not in run.nodes_selected:
        return f"{state}, not tested".strip(", ")
    return state or "ready"


def plan(summary: PlanSummary) -> list[Line]:
    """What will run, what is skipped and why, how long it may take, and what is done to the cluster."""
    first = f"{count(summary.abilities, 'ability', 'abilities')} to test, {len(summary.skips)} skipped"
    first += f", {summary.planned} planned (no test yet)" if summary.planned else ""
    first += f"; about {seconds(summary.seconds)} with {count(summary.workers, 'worker')}" if summary.seconds else ""
    lines = [EMPTY, Line.of((f"{'plan':<9}", "dim"), first)]
    lines += [Line.of((f"{'':<9}skipped  ", "dim"), *line.pieces)
              for line in grouped([(id, *why) for id, why in summary.skips.items()])]  # fmt: skip
    lines += [Line.of((f"{'':<9}", ""), (note, "warn")) for note in summary.notes]
    if summary.seed:
        lines.append(Line.of((f"{'seed':<9}", "dim"), summary.seed))
    if summary.acts:
        lines += [EMPTY, Line.of(("What will be done to the cluster:", "head"))]
        lines += [Line.of(f"  - {act}") for act in summary.acts]
    return lines


def grouped(skips: Iterable[tuple[str, str, str]]) -> list[Line]:
    """(id, reason, why) of what is not tested, a line a reason: `too few Nodes: requires ... (net-a, net-b)`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for id, reason, why in skips:
        groups[f"{reason}: {one_line(why, MOST_SENTENCE)}"].append(id)
    return [Line.of(f"{why} ", (f"({', '.join(sorted(ids))})", "dim")) for why, ids in sorted(groups.items())]
