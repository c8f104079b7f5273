"""`op-readiness sonobuoy verdict`: the exit code that sonobuoy's own commands do not give.

What counts is report.json, from which the verdict is computed again; junit_01.xml, which Sonobuoy has read, must say
the same. A plugin without report.json is judged by its JUnit file alone, and one without either is undetermined.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from op_readiness.model.errors import UsageError
from op_readiness.model.findings import Outcome
from op_readiness.model.results import RunResult
from op_readiness.reports.lines import Line
from op_readiness.reports.text import one_line
from op_readiness.runner.sonobuoy.cases import BrokenXml, Case, cases_in, count
from op_readiness.runner.sonobuoy.tarball import Files, Refused, read

PLUGIN = "op-readiness"
SHOWN = 20


def verdict_command(*, tarball: str, plugin: str, strict: bool, no_color: bool) -> int:
    """`op-readiness sonobuoy verdict TARBALL|-`."""
    from op_readiness.reports.screen import Screen

    files = _read(tarball)
    name = chosen(files, plugin, tarball)
    lines, code = judged(files.plugins.get(name, {}), f"{tarball}: plugin {name}" if name else tarball, strict=strict)
    with Screen(color=not no_color) as screen:
        screen.show(lines)
    return code


def _read(tarball: str) -> Files:
    if tarball == "-":
        return read(sys.stdin.buffer, "what came on stdin")
    try:
        with Path(tarball).open("rb") as file:
            return read(file, tarball)
    except OSError as error:
        raise UsageError(f"{tarball}: {error.strerror or error}; name what `sonobuoy retrieve` wrote, or -") from error


def chosen(files: Files, plugin: str, tarball: str) -> str:
    """The plugin asked for, or the only one that can be meant. Raises UsageError naming those that are there."""
    from op_readiness.runner.names import unknown

    if plugin and plugin in files.names:
        return plugin
    if plugin:
        raise unknown("plugin", plugin, sorted(files.names)) if files.names else Refused(f"{tarball}: no plugin in it")
    if PLUGIN in files.names:
        return PLUGIN
    if "" in files.plugins:
        return ""
    ours = sorted(name for name, found in files.plugins.items() if "report.json" in found)
    if len(ours) == 1:
        return ours[0]
    there = f"; --plugin names one of {', '.join(one_line(n, 60) for n in sorted(files.names)[:SHOWN])}"
    raise UsageError(f"{tarball}: no results of plugin {PLUGIN}{there if files.names else ''}")


def judged(files: dict[str, bytes], where: str, *, strict: bool) -> tuple[list[Line], int]:
    """What there is to say, and the exit code."""
    cases = _cases(files, where)
    if "report.json" in files:
        run = _run(files["report.json"], where)
        if cases is not None:
            must_agree(run, cases, where)
        return _of_run(run, strict)
    if cases:
        return _of_cases(cases, where)
    return [Line.of(f"undetermined: {where}: {_why_nothing(files)}")], 3


def _cases(files: dict[str, bytes], where: str) -> list[Case] | None:
    if "junit_01.xml" not in files:
        return None
    try:
        return cases_in(files["junit_01.xml"])
    except BrokenXml as error:
        raise Refused(f"{where} is refused: junit_01.xml: {one_line(error, 200)}") from error


def _run(data: bytes, where: str) -> RunResult:
    from op_readiness.reports.json import read as read_report

    try:
        run = read_report(data.decode("utf-8"))
        run.exit_code()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = one_line(f"{type(error).__name__}: {error}", 200)
        raise Refused(f"{where} is refused: report.json is none of ours: {why}") from error
    return run


def must_agree(run: RunResult, cases: list[Case], where: str) -> None:
    """The two reports of a run say the same. Raises Refused."""
    told = Counter(result.outcome for result in run.results)
    if run.results and told != count(cases):
        shown = [", ".join(f"{seen[o]} {o.value}" for o in Outcome) for seen in (told, count(cases))]
        raise Refused(f"{where} is refused: report.json says {shown[0]}, junit_01.xml says {shown[1]}")


def _of_run(run: RunResult, strict: bool) -> tuple[list[Line], int]:
    from op_readiness.reports.terminal import report

    try:
        lines = report(run)
        code = run.exit_code(strict=strict)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(f"report.json is refused: {type(error).__name__}: {one_line(error, 200)}") from error
    return lines, code if code in (0, 1, 3) else 3  # the codes of a signal are for the run itself


def _of_cases(cases: list[Case], where: str) -> tuple[list[Line], int]:
    gating = [case for case in cases if case.gating]
    bad = [case for case in cases if case.outcome in (Outcome.FAILED, Outcome.ERROR)]
    if any(case.outcome is Outcome.FAILED for case in gating):
        word, code = "not ready", 1
    elif not gating and any(case.outcome in (Outcome.PASSED, Outcome.FAILED) for case in cases):
        word, code = "ready", 0  # nothing gates: it is enough that anything was found out
    elif any(c.outcome is Outcome.ERROR for c in gating) or not any(c.outcome is Outcome.PASSED for c in gating):
        word, code = "undetermined", 3
    else:
        word, code = "ready", 0
    seen = ", ".join(f"{count(cases)[outcome]} {outcome.value}" for outcome in Outcome)
    lines = [Line.of(f"{word}: {where}: {seen} (by junit_01.xml alone: there is no report.json)")]
    return [*lines, *(Line.of(f"  {case.outcome.value:<8}{one_line(case.name, 200)}") for case in bad[:SHOWN])], code


def _why_nothing(files: dict[str, bytes]) -> str:
    import json

    if "error.json" not in files:
        return "it handed over neither report.json nor junit_01.xml"
    try:
        found: Any = json.loads(files["error.json"])
        return f"the plugin failed: {one_line(found['error'], 500)}"
    except (ValueError, TypeError, KeyError, RecursionError):
        return "the plugin failed, and its error.json cannot be read"
