"""`--github`: annotations of a GitHub job, and its summary in $GITHUB_STEP_SUMMARY.

What a job prints may hold commands of GitHub's (`::add-mask::` ...), and what we print comes from containers too. So
commands are stopped while the run goes on, and taken up again for our own lines, in which every text is escaped.
"""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result, RunResult
from op_readiness.reports.footer import verdict_of
from op_readiness.reports.text import count, one_line, seconds
from op_readiness.runner.listening import Listener
from op_readiness.runner.record import Event, Record

MOST = 10
"""Annotations of one kind that GitHub shows for a step."""
MOST_SUMMARY = 1_000_000
MOST_ROWS = 200


class GitHub(Listener):
    """Annotates what did not pass once the run is over, and writes the summary."""

    def __init__(self, summary: str) -> None:
        self._summary = Path(summary) if summary else None
        self._stopped = ""
        self._run: RunResult | None = None

    def event(self, event: Event, record: Record) -> None:
        """From the first event on nothing that is printed is a command."""
        if not self._stopped:
            self._stopped = secrets.token_hex(16)
            sys.stdout.write(f"::stop-commands::{self._stopped}\n")
            sys.stdout.flush()

    def reported(self, run: RunResult, folder: Path, files: Sequence[Path]) -> Sequence[Path]:
        """The newest state is what is told in the end."""
        self._run = run
        return ()

    def close(self) -> None:
        """Annotations and the summary."""
        if self._stopped:
            sys.stdout.write(f"::{self._stopped}::\n")
        if self._run is not None:
            sys.stdout.write("".join(f"{line}\n" for line in annotated(self._run)))
            if self._summary is not None:
                with self._summary.open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(summary(self._run))
        sys.stdout.flush()


def annotated(run: RunResult) -> Iterator[str]:
    """Workflow commands: an error for each ability that failed or could not be judged, a warning for each flaky one."""
    bad = [result for result in run.results if result.outcome in (Outcome.FAILED, Outcome.ERROR)]
    for result in bad[:MOST]:
        yield command("error", f"{result.category} {result.ability}: {_word(result)}", _cause(result))
    warnings = [f"{r.ability} passed on attempt {r.attempts} only" for r in run.results if r.flaky] + run.warnings
    for text in warnings[:MOST]:
        yield command("warning", "op-readiness", text)
    if not bad or len(bad) > MOST:
        yield command("notice", "op-readiness", f"{run.verdict.value}: {_counts(run)}")


def command(kind: str, title: str, text: str) -> str:
    """One workflow command, its texts escaped as GitHub's own toolkit does."""
    data = one_line(text, 1000).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = one_line(title, 200).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{data}"


def summary(run: RunResult) -> str:
    """The run in Markdown, what did not pass first."""
    lines = ["## Windows operational readiness", ""]
    lines += ["> SIMULATED CLUSTER: this says nothing about real Windows Nodes", ""] if run.simulated else []
    lines += ["| category | verdict |", "|---|---|"]
    lines += [f"| {shown(c.name)} | {shown(verdict_of(c, run))} |" for c in run.categories]
    lines += ["", f"{shown(run.verdict.value)}: {_counts(run)} in {seconds(run.seconds)}", ""]
    results = sorted(run.results, key=lambda result: list(ORDER).index(result.outcome))
    lines += ["| outcome | ability | cause |", "|---|---|---|"] if results else []
    lines += [f"| {_word(r)} | {shown(r.ability)} | {shown(_cause(r), 300)} |" for r in results[:MOST_ROWS]]
    lines += [f"\nand {len(results) - MOST_ROWS} more"] if len(results) > MOST_ROWS else []
    lines += ["", *(f"* {shown(text, 300)}" for text in run.warnings[:MOST_ROWS]), ""]
    return "\n".join(lines)[:MOST_SUMMARY] + "\n"


ORDER = (Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED, Outcome.PASSED)


def shown(text: object, most: int = 200) -> str:
    """A text as text in Markdown: no links, no mentions, no HTML, no cell that ends early."""
    return re.sub(r"[\\`*_{}\[\]()#+!|<>~&@:$]", lambda found: f"&#{ord(found.group())};", one_line(text, most))


def _word(result: Result) -> str:
    return "flaky" if result.flaky else result.outcome.value


def _cause(result: Result) -> str:
    if result.outcome is Outcome.SKIPPED:
        return f"{result.skip_reason}: {result.skip_why}"
    if not result.findings:
        return ""
    finding = result.findings[0]
    more = f" (and {count(len(result.findings) - 1, 'more finding')})" if len(result.findings) > 1 else ""
    return f"{finding.what} at {finding.where}: expected {finding.expected}, seen {one_line(finding.seen, 300)}{more}"


def _counts(run: RunResult) -> str:
    return ", ".join(f"{sum(r.outcome is outcome for r in run.results)} {outcome.value}" for outcome in Outcome)
