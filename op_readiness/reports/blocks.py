"""One ability: a line as it ends, and a block on the same screen when it is not met or could not be judged."""

from __future__ import annotations

from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import Result, RunResult
from op_readiness.reports.commands import kubectl
from op_readiness.reports.lines import EMPTY, Line
from op_readiness.reports.text import count, cut, one_line, seconds, visible

MOST_SEEN = 4000
"""Characters of one fact of a finding that are shown; report.json has all of it."""
MOST_PARTS = 12
STYLE = {Outcome.PASSED: "good", Outcome.FAILED: "bad", Outcome.ERROR: "warn", Outcome.SKIPPED: "dim"}


def result_line(result: Result) -> Line:
    """`passed  net-pod-to-pod  Core.Network  12 s  Ability to ...`."""
    word = "flaky" if result.flaky else "warning" if result.warns else result.outcome.value
    style = "warn" if result.flaky or result.warns else STYLE[result.outcome]
    tail: list[tuple[str, str]] = [(one_line(result.description, 90), "dim")]
    if result.outcome is Outcome.SKIPPED:
        tail = [(f"{result.skip_reason}: {one_line(result.skip_why)}", "dim")]
    elif result.outcome in (Outcome.FAILED, Outcome.ERROR) and result.findings:
        tail = [(one_line(result.findings[0].what, 110), "")]
    gates = "" if result.gating else " (does not gate)"
    duration = seconds(result.seconds) if result.outcome is not Outcome.SKIPPED else ""
    return Line.of((f"{word:<8}", style), (f"{result.ability:<36} ", "head" if style == "bad" else ""),
                   (f"{duration:>11}  ", "dim"), *tail, (gates, "dim"), fit="cut")  # fmt: skip


def block(result: Result, run: RunResult | None = None) -> list[Line]:
    """The findings of a result in five facts each, how to repeat it, and where the evidence lies; else nothing."""
    if result.outcome not in (Outcome.FAILED, Outcome.ERROR):
        return []
    title = {Outcome.FAILED: "not met", Outcome.ERROR: "could not be judged"}[result.outcome]
    title, style = (f"{title}: a warning, it does not gate", "warn") if result.warns else (title, STYLE[result.outcome])
    lines = [EMPTY, Line.of((f"{result.category} / {result.ability}", "head"), (f"  {title}", style)),
             Line.of((f"  {result.description}", "dim"))]  # fmt: skip
    for finding in result.findings or [Finding("No finding was recorded", result.ability, "", "")]:
        lines += _finding(finding, style, run.command if run else "")
    lines += _parts(result)
    if run and run.command:
        lines.append(Line.of(("  repeat:   ", "dim"), f"{run.command} --ability {result.ability}", fit="paste"))
    folder = f"{run.report_dir.rstrip('/')}/" if run and run.report_dir else ""
    for name, what in sorted(result.evidence.items()):
        lines.append(Line.of(("  evidence: ", "dim"), f"{folder}{name}", (f"  {what}" if what else "", "dim")))
    return lines


def _finding(finding: Finding, style: str, command: str) -> list[Line]:
    lines = [Line.of("  ", (finding.what, style))]
    facts = [("where", finding.where), ("expected", finding.expected), ("seen", finding.seen)]
    facts += [("hint", kubectl(finding.hint, command)), ("command", kubectl(finding.command, command))]
    for label, value in facts:
        if value:
            first, *more = visible(cut(value, MOST_SEEN)).splitlines() or [""]
            fit = "paste" if label == "command" else "wrap"
            lines.append(Line.of((f"    {label + ':':<10}", "dim"), first, fit=fit))
            lines += [Line.of(f"    {'':<10}{line}") for line in more]
    return lines


def _parts(result: Result) -> list[Line]:
    """How many paths did, and of those that did not what no finding says already."""
    bad = [part for part in result.parts if part.outcome in (Outcome.FAILED, Outcome.ERROR)]
    if not bad:
        return []
    good = sum(part.outcome is Outcome.PASSED for part in result.parts)
    lines = [Line.of(("  paths:    ", "dim"), f"{count(len(bad), 'path')} bad, {good} good")]
    said = "\n".join(finding.seen for finding in result.findings)
    more = [part for part in bad if not part.reason or part.reason not in said]
    for part in more[:MOST_PARTS]:
        to = f"{part.target} (Node {part.target_node})" if part.target_node else part.target
        tries = f", {part.lost} of {part.tries} tries lost" if part.tries else ""
        path = f"{' '.join(filter(None, (part.path, part.family, part.protocol)))}: {part.source} -> {to}"
        lines.append(Line.of(f"    {path}: {one_line(part.reason, 200) or part.outcome.value}{tries}"))
    if len(more) > MOST_PARTS:
        lines.append(Line.of((f"    and {len(more) - MOST_PARTS} more; report.json has all", "dim")))
    return lines
