"""What a comment asks for: `/test JOB [SHA]` and `/test ?`, on lines of their own, outside code blocks and quotes."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

JOBS = {
    f"operational-tests-capz-windows-{version}": f"windows-{version}" for version in ("2019", "2022", "2025")
}
"""Job -> WINDOWS_SERVER_VERSION of its cluster."""

MOST = 64 * 1024
_COMMAND = re.compile(r"/test(?:[ \t]+(.*))?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_JOB = re.compile(r"[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Asked:
    """One command. `job` empty: the list was asked for; `known` false: no such job, `job` is what was typed."""

    job: str = ""
    sha: str = ""
    known: bool = True
    problem: str = ""


def asked_in(body: str) -> Asked | None:
    """The first command of a comment; None where there is none."""
    for line in commands(body):
        match = _COMMAND.fullmatch(line)
        if match:
            return _understood((match[1] or "").split())
    return None


def commands(body: str) -> list[str]:
    """Lines that are meant: not in code blocks, not quoted, not in HTML comments; trailing space cut."""
    kept, fence = [], ""
    for line in _COMMENT.sub("", body[:MOST].replace("\r\n", "\n")).split("\n"):
        match = _FENCE.fullmatch(line)
        if fence:
            closes = match and match[1].startswith(fence) and not match[2].strip()
            fence = "" if closes else fence
        elif match:
            fence = match[1]
        elif not line.startswith((" ", "\t", ">")):
            kept.append(line.rstrip())
    return kept


def _understood(words: list[str]) -> Asked:
    if words in ([], ["?"]):
        return Asked() if words else Asked(known=False, problem="name a job")
    job, rest = words[0].rstrip(","), words[1:]
    if not _JOB.fullmatch(job):
        return Asked(known=False, problem="that is no name of a job")
    if job not in JOBS:
        return Asked(job, known=False, problem=f"there is no job {job}{_nearest(job)}")
    if rest and not _SHA.fullmatch(rest[0]):
        return Asked(job, known=False, problem="after the job only a whole commit SHA of 40 characters may stand")
    if len(rest) > 1:
        return Asked(job, known=False, problem="one job a comment, please")
    return Asked(job, rest[0] if rest else "")


def _nearest(job: str) -> str:
    near = difflib.get_close_matches(job, JOBS, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def help_text(asked: Asked) -> str:
    """What is answered where no job can be started; nothing of it comes from the comment but a checked name."""
    lines = [f"{asked.problem[0].upper()}{asked.problem[1:]}.", ""] if asked.problem else []
    lines += ["The following commands start a job on this pull request:", ""]
    lines += [f"* `/test {job}`" for job in JOBS]
    lines += ["", "A commit may be named after the job (`/test JOB SHA`); `/test ?` shows this list."]
    return "\n".join(lines)
