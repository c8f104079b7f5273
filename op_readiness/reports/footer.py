"""What closes a run: the verdict, of which Nodes it speaks, what was not tested and why, what is left, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.model.results import CategoryResult, Result, RunResult, Verdict
from op_readiness.reports import commands
from op_readiness.reports.header import MOST_SENTENCE, SIMULATED, grouped
from op_readiness.reports.lines import EMPTY, Line
from op_readiness.reports.text import count, one_line, seconds

VERDICT_STYLE = {Verdict.READY: "good", Verdict.NOT_READY: "bad", Verdict.UNDETERMINED: "warn"}
SLOWEST = 5
LEFTOVERS_SHOWN = 20


def footer(run: RunResult, reports: Sequence[str] = ()) -> list[Line]:
    """The closing lines; `reports` are the files that were written."""
    lines = [EMPTY, Line.of(("Verdict", "head"))]
    if run.interrupted:
        words = f"  The run was interrupted ({run.interrupted}); what had not ended is an error."
        lines.append(Line.of((words, "warn")))
    lines += [_category(category, run) for category in run.categories]
    for section in (_nodes, _skips, _parts, _weak, _slowest, _notes, _warnings, _left):
        lines += section(run)
    lines.append(EMPTY)
    lines += [Line.of((f"{'reports':<9}", "dim"), path) for path in reports]
    lines.append(_closing(run))
    if next_step := _next(run):
        lines.append(Line.of((f"{'next':<9}", "dim"), next_step, fit="paste"))
    if run.simulated:
        lines.append(Line.of((SIMULATED, "warn")))
    return lines


def verdict_of(category: CategoryResult, run: RunResult) -> str:
    """The verdict of a category, with the Nodes that it speaks of when these are not all."""
    sentence = category.sentence()
    tested, there = len(run.nodes_selected), len(run.windows_nodes)
    if category.verdict is Verdict.READY and 0 < tested < there:
        scope = f"{tested} of {there} Windows Nodes"
        sentence = f"{sentence[:-1]}; {scope})" if sentence.endswith(")") else f"{sentence} ({scope})"
    return sentence


def _category(category: CategoryResult, run: RunResult) -> Line:
    counts = _counts(category.results, all_of_them=False)
    counts += [f"{len(category.flaky)} flaky"] if category.flaky else []
    counts += [f"{category.planned} planned"] if category.planned else []
    style = VERDICT_STYLE[category.verdict]
    sentence = f"{verdict_of(category, run):<28}"
    return Line.of(f"  {category.name:<24} ", (sentence, style), (f"  {', '.join(counts)}", "dim"))


def _counts(results: Sequence[Result], *, all_of_them: bool) -> list[str]:
    """How many ended how; what is not met and does not gate is a warning, and not counted as failed."""
    numbers = {o.value: sum(r.outcome is o and not r.warns for r in results) for o in Outcome}
    counts = [f"{number} {word}" for word, number in numbers.items() if number or all_of_them]
    warnings = sum(r.warns for r in results)
    return [*counts, *([count(warnings, "warning")] if warnings else [])]


def _nodes(run: RunResult) -> list[Line]:
    if not run.windows_nodes:
        return []
    tested = [name for name in run.windows_nodes if name in run.nodes_selected]
    left = [name for name in run.windows_nodes if name not in run.nodes_selected]
    lines = [EMPTY, Line.of((f"{'Nodes':<9}", "dim"), f"tested: {_names(tested)}")]
    if left:
        drawn = f" (drawn with --seed {run.seed})" if run.seed else ""
        why = {str(node.get("name")): NodeFact.from_dict(node).unusable for node in run.facts.get("nodes") or ()}
        left = [f"{name} ({why[name].removeprefix('is ')})" if why.get(name) else name for name in left]
        lines.append(Line.of(f"{'':<9}", (f"not tested: {_names(left)}{drawn}", "warn")))
    return lines


def _names(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) + more) or "none"


def _skips(run: RunResult) -> list[Line]:
    results = [r for r in run.results if r.outcome is Outcome.SKIPPED]
    skipped = [(r.ability, r.skip_reason or "no reason", r.skip_why) for r in results]
    lines = [EMPTY, Line.of((f"Skipped ({len(skipped)})", "head"))] if skipped else []
    return [*lines, *(Line.of("  ", *line.pieces) for line in grouped(skipped))]


def _parts(run: RunResult) -> list[Line]:
    """What abilities that ran could not test of theirs."""
    parts = {
        (result.ability, part.path, part.reason): None
        for result in run.results for part in result.parts if part.outcome is Outcome.SKIPPED
    }  # fmt: skip
    lines = [EMPTY, Line.of(("Parts not tested", "head"))] if parts else []
    return [*lines, *(Line.of("  ", *line.pieces) for line in grouped(parts))]


def _weak(run: RunResult) -> list[Line]:
    flaky = [f"{r.ability} (attempt {r.attempts})" for r in run.results if r.flaky]
    return [EMPTY, Line.of((f"{'flaky':<9}", "warn"), ", ".join(flaky))] if flaky else []


def _slowest(run: RunResult) -> list[Line]:
    ran = [r for r in run.results if r.outcome is not Outcome.SKIPPED and r.seconds]
    slowest = sorted(ran, key=lambda r: (-r.seconds, r.ability))[:SLOWEST]
    shown = ", ".join(f"{r.ability} {seconds(r.seconds)}" for r in slowest)
    return [EMPTY, Line.of((f"{'slowest':<9}", "dim"), shown)] if slowest else []


def _notes(run: RunResult) -> list[Line]:
    notes = [(r.ability, text) for r in run.results for text in r.notes.texts]
    lines = [EMPTY, Line.of(("Notes", "head"))] if notes else []
    return lines + [Line.of(f"  {id}: ", (one_line(text, MOST_SENTENCE), "dim")) for id, text in notes]


def _warnings(run: RunResult) -> list[Line]:
    warnings = [*(warning_of(result) for result in run.results if result.warns), *run.warnings]
    lines = [EMPTY, Line.of(("Warnings", "head"))] if warnings else []
    return lines + [Line.of("  ", (one_line(text, MOST_SENTENCE), "warn")) for text in warnings]


def warning_of(result: Result) -> str:
    """One line on an ability that is not met and does not gate."""
    finding = result.findings[0] if result.findings else None
    what = f"{finding.what}: {finding.where}: {finding.seen}" if finding else "not met"
    return f"{result.ability} does not gate, and is not met: {what} (--gate {result.ability} makes it count)"


def _left(run: RunResult) -> list[Line]:
    gone = run.provider == "simulated"  # the cluster ended with the run: there is nothing to remove it from
    remove = [] if gone else [Line.of(("  remove:   ", "dim"), commands.cleanup(run.run_id, run.command), fit="paste")]
    if not run.leftovers and not run.leftovers_known:
        words = "not known: the cluster was not looked at after the clean-up"
        return [EMPTY, Line.of((f"{'left':<9}", "dim"), (words, "warn")), *remove]
    if not run.leftovers:
        return [EMPTY, Line.of((f"{'left':<9}", "dim"), "nothing was left behind in the cluster")]
    lines = [EMPTY, Line.of((f"{count(len(run.leftovers), 'object')} left in the cluster", "bad"))]
    lines += [Line.of(f"  {commands.kubectl(name, run.command)}") for name in run.leftovers[:LEFTOVERS_SHOWN]]
    more = len(run.leftovers) - LEFTOVERS_SHOWN
    lines += [Line.of((f"  and {more} more", "dim"))] if more > 0 else []
    return [*lines, *remove]


def _closing(run: RunResult) -> Line:
    counts = ", ".join(_counts(run.results, all_of_them=True))
    flaky = sum(r.flaky for r in run.results)
    counts += f", {flaky} flaky" if flaky else ""
    words = f"{run.verdict.value}: {count(len(run.categories), 'category', 'categories')}; {counts}; "
    return Line.of((words, VERDICT_STYLE[run.verdict]), (f"{seconds(run.seconds)}, run {run.run_id}", "dim"))


def _next(run: RunResult) -> str:
    """The next command that helps: repeat what did not do, or what else could be tested."""
    base = run.command or "op-readiness"
    for outcome in (Outcome.FAILED, Outcome.ERROR):
        if ids := [r.ability for r in run.results if r.outcome is outcome]:
            return f"{base} --ability {','.join(ids)}"
    if run.provider != "simulated" and (run.leftovers or not run.leftovers_known):
        return commands.cleanup(run.run_id, run.command)
    not_opted = [r for r in run.results if r.skip_reason == "not opted in"]
    return f"{base} --disruptive  ({count(len(not_opted), 'ability', 'abilities')} more)" if not_opted else ""
