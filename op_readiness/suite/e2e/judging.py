"""From a report of e2e.test to an outcome, by what happened.

A spec that failed: the ability is not met. A suite that could not begin, a binary that crashed or did not end, and no
spec at all: we could not find out; upstream takes the last for a pass.
"""

from __future__ import annotations

from op_readiness.model.abilities import Ability
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotTested, SkipReason
from op_readiness.model.findings import Finding, Outcome, Part, Place
from op_readiness.suite.e2e.junit import Report, Spec
from op_readiness.suite.e2e.running import Ended

MOST_LINES = 30
MOST_FINDINGS = 10


def parts_of(report: Report, nodes: list[str]) -> list[Part]:
    """One part a spec. ginkgo does not say which Nodes a spec used: `nodes` are those of the whole entry."""
    source = Place(", ".join(nodes) or "unknown", "windows" if nodes else "")
    return [
        Part("e2e.test", source, spec.name, spec.outcome, family="", protocol="", reason=spec.first_line,
             tries=1, seconds=round(spec.seconds, 1))
        for spec in report.specs
    ]  # fmt: skip


def judge(ability: Ability, report: Report | None, ended: Ended, within: float, trouble: str) -> None:
    """Raises unless every spec that ran passed, and one did. `trouble` is why there is no report."""
    failed = report.ended(Outcome.FAILED) if report else []
    if failed and not ended.late:
        raise AbilityNotMet(*_findings("The spec failed", failed))
    if ended.late:
        seen = f"ended after {ended.seconds:.0f} s; its log ends:\n{ended.tail}"
        hint = "give it longer with --e2e-timeout"
        raise CouldNotTell(Finding("e2e.test did not end", ability.id, f"an end within {within:g} s", seen, hint=hint))
    if report is None:
        what = f"e2e.test ended with exit code {ended.code}; {trouble}"
        raise CouldNotTell(Finding(what, ability.id, "a JUnit report", f"its log ends:\n{ended.tail}"))
    if broken := [*report.suite, *report.ended(Outcome.ERROR)]:
        raise CouldNotTell(*_findings("The spec could not run to its end", broken))
    _must_have_run(ability, report, ended)


def _must_have_run(ability: Ability, report: Report, ended: Ended) -> None:
    if not report.specs and ended.code:
        seen = f"its log ends:\n{ended.tail}"
        raise CouldNotTell(Finding(f"e2e.test ended with exit code {ended.code}", ability.id, "specs that run", seen))
    if not report.specs:
        seen = f"0 of {report.listed} specs" if report.listed else "a report without specs"
        hint = "titles change between versions of Kubernetes: e2e.test --list-tests shows those of this one"
        focus = " | ".join(ability.focus) + (f", and not {' | '.join(ability.skip)}" if ability.skip else "")
        raise CouldNotTell(Finding("No spec of e2e.test matches", ability.id, focus, seen, hint=hint, code="no-spec"))
    if not report.ended(Outcome.PASSED):
        why = "; ".join(dict.fromkeys(spec.first_line for spec in report.specs))
        raise NotTested(f"every spec that matches skipped itself: {why}", reason=SkipReason.BY_SPEC)
    if ended.code:
        seen = f"its log ends:\n{ended.tail}"
        what = f"e2e.test ended with exit code {ended.code} though no spec failed"
        raise CouldNotTell(Finding(what, ability.id, "exit code 0", seen))


def _findings(what: str, specs: list[Spec]) -> list[Finding]:
    findings = [
        Finding(what, f"e2e.test, {spec.name}", "the spec passes", _shortened(spec.text), code="e2e-spec")
        for spec in specs[:MOST_FINDINGS]
    ]
    if more := [spec.name for spec in specs[MOST_FINDINGS:]]:
        findings.append(Finding(f"{len(more)} more specs", "e2e.test", "they pass", "\n".join(more), code="e2e-spec"))
    return findings


def _shortened(text: str) -> str:
    lines = [line.rstrip()[:300] for line in text.strip().splitlines()]
    more = [f"... ({len(lines) - MOST_LINES} more lines, see the log)"] if len(lines) > MOST_LINES else []
    return "\n".join(lines[:MOST_LINES] + more) or "no text"
