"""The report in text: everything that a terminal shows of a finished run, in the same words and order."""

from __future__ import annotations

from collections.abc import Sequence

from op_readiness.model.results import Result, RunResult
from op_readiness.reports.blocks import block, result_line
from op_readiness.reports.footer import footer
from op_readiness.reports.header import header
from op_readiness.reports.lines import EMPTY, Line, plain


def report(run: RunResult, reports: Sequence[str] = ()) -> list[Line]:
    """Header, a line an ability, a block for each that is not met or could not be judged, footer."""
    results = [line for result in run.results for line in ended(result, run)]
    return [*header(run), EMPTY, *results, *footer(run, reports)]


def ended(result: Result, run: RunResult | None = None) -> list[Line]:
    """What is shown when an ability ends: its line, and its block if it needs one."""
    details = block(result, run)
    return [result_line(result), *details, *([EMPTY] if details else [])]


def render_text(run: RunResult, *, ascii: bool = False, reports: Sequence[str] = ()) -> str:
    """The whole report as plain text, or its ASCII twin."""
    return plain(report(run, reports), ascii=ascii)
