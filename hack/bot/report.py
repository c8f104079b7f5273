"""Tells the pull request how a job ended: a check run and a status on the pinned commit, one comment kept up to date.

    python -m hack.bot.report ARTIFACTS     # JOB, SHA, PULL, CLUSTER and READINESS (results of the jobs before)

ARTIFACTS were made by code of the pull request: nothing in them is trusted. They are read with limits, no XML entity
is expanded, and every text is shown as text. The conclusion is that of the job's exit code, and success only where the
JUnit report agrees.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from hack.bot.comments import JOBS
from hack.bot.github import GitHub, GitHubError

JUNIT, MOST_JUNIT, MOST_SHOWN, MOST_CASES = "junit_01.xml", 16 * 1024**2, 50, 10_000
OUTCOMES = ("failed", "error", "skipped", "passed")


@dataclass
class Case:
    """One testcase."""

    name: str
    outcome: str = "passed"
    message: str = ""


@dataclass
class Seen:
    """What a JUnit report says; `problem` where it cannot be read."""

    cases: list[Case] = field(default_factory=list)
    problem: str = ""

    @property
    def counts(self) -> Counter[str]:
        """How many ended how."""
        return Counter(case.outcome for case in self.cases)


def read(folder: Path) -> Seen:
    """The report in a folder; never through a link."""
    path = folder / JUNIT
    try:
        if path.is_symlink() or not path.is_file():
            return Seen(problem=f"the job left no {JUNIT}")
        if path.stat().st_size > MOST_JUNIT:
            return Seen(problem=f"{JUNIT} is larger than {MOST_JUNIT} bytes")
        return Seen(_cases(path.read_bytes()))
    except (OSError, ValueError, expat.ExpatError, LookupError) as error:
        return Seen(problem=f"{JUNIT} cannot be read: {error}")


def _cases(data: bytes) -> list[Case]:
    found: list[Case] = []
    parser = expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > 32 or len(found) > MOST_CASES:
            raise ValueError("it has no end")
        if tag == "testcase":
            found.append(Case(attributes.get("name", "")))
        elif tag in ("failure", "error", "skipped") and found:
            found[-1].outcome = "failed" if tag == "failure" else tag
            found[-1].message = attributes.get("message", "")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: Any) -> None:
        raise ValueError("it declares a document type")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)
    return found


def shown(text: str, most: int = 200) -> str:
    """A text as text in Markdown, on one line: no links, no mentions, no HTML, nothing that is not printed."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    line = line if len(line) <= most else f"{line[: most - 3]}..."
    return re.sub(r"[\\`*_{}\[\]()#+!|<>~&@:/.\-=$]", lambda found: f"&#{ord(found.group())};", line)


def conclusion(seen: Seen, cluster: str, readiness: str) -> tuple[str, str]:
    """Success, failure, cancelled or neutral, and one sentence."""
    if "cancelled" in (cluster, readiness):
        return "cancelled", "the job was cancelled"
    if cluster != "success":
        return "failure", "the cluster did not come up: nothing was tested"
    if seen.problem:
        return "failure", seen.problem
    counts = ", ".join(f"{seen.counts[outcome]} {outcome}" for outcome in OUTCOMES)
    if readiness != "success" or seen.counts["failed"] or seen.counts["error"] or not seen.counts["passed"]:
        return "failure", f"not ready, or undetermined: {counts}"
    return "success", f"ready: {counts}"


def details(seen: Seen) -> str:
    """A table of what did not pass."""
    bad = [case for case in seen.cases if case.outcome in ("failed", "error")]
    if not bad:
        return ""
    rows = [f"| {case.outcome} | {shown(case.name)} | {shown(case.message, 300)} |" for case in bad[:MOST_SHOWN]]
    more = [f"\nand {len(bad) - MOST_SHOWN} more"] if len(bad) > MOST_SHOWN else []
    return "\n".join(["| outcome | ability | cause |", "|---|---|---|", *rows, *more])


def main(folder: Path, environ: Mapping[str, str] = os.environ) -> int:
    """The last step of the workflow."""
    job, sha, pull = environ["JOB"], environ["SHA"], int(environ["PULL"])
    if job not in JOBS or not re.fullmatch(r"[0-9a-f]{40}", sha):
        raise GitHubError("JOB or SHA did not come from the gate")
    seen = read(folder)
    ended, sentence = conclusion(seen, environ["CLUSTER"], environ["READINESS"])
    github, safe = GitHub.of(environ), shown(sentence, 300)
    github.check_run(sha, job, ended, f"{job}: {ended}", safe, details(seen))
    github.status(sha, job, "success" if ended == "success" else "failure", sentence)
    text = f"**{job}** on `{sha[:12]}`: **{ended}**: {safe} ([run]({github.run_url}))\n\n{details(seen)}"
    again = f"\n\nTo run it again: `/test {job} {sha}`"
    github.comment_in_place(pull, f"<!-- {job} -->", text[:50_000] + again)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
