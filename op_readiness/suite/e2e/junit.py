"""The JUnit file that e2e.test writes: which specs ran, how each ended, and whether the suite itself stands.

ginkgo lists every spec of the binary, thousands; those that focus and skip leave out are `skipped` without a reason,
those that skipped themselves say why. Names begin with the kind of node: `[It]` is a spec, the others belong to the
suite (ginkgo 1, of Kubernetes 1.24 and before, names no kind).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from op_readiness.model.findings import Outcome

_SUITE = re.compile(r"^\[?(Synchronized)?(Before|After)Suite\]?|^\[(ReportBeforeSuite|ReportAfterSuite|DeferCleanup)")
_NOT_SELECTED = ("", "skipped", "pending")
_ABORTED = ("aborted", "interrupted", "panicked")


@dataclass(frozen=True)
class Spec:
    """One spec that matched. `text` is its failure, or why it skipped itself."""

    name: str
    outcome: Outcome
    seconds: float
    text: str = ""

    @property
    def first_line(self) -> str:
        """The failure in one line."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[0][:300] if lines else ""


@dataclass
class Report:
    """What one run reported. `listed` counts the specs of the binary; `suite` are failed nodes of the suite itself."""

    specs: list[Spec] = field(default_factory=list)
    suite: list[Spec] = field(default_factory=list)
    listed: int = 0

    def ended(self, outcome: Outcome) -> list[Spec]:
        """The specs that ended so."""
        return [spec for spec in self.specs if spec.outcome is outcome]


class Unreadable(Exception):
    """The file is not there, or is no JUnit; the message says which."""


def read(folder: Path) -> Report:
    """The report in a folder, of one or several files. Raises Unreadable."""
    files = sorted(folder.glob("junit*.xml"))
    if not files:
        raise Unreadable("it wrote no JUnit file")
    report = Report()
    for file in files:
        try:
            root = ElementTree.parse(file).getroot()
        except (ElementTree.ParseError, OSError) as error:
            raise Unreadable(f"its JUnit file {file.name} cannot be read: {error}") from error
        for case in root.iter("testcase"):
            _add(report, case)
    return report


def _add(report: Report, case: ElementTree.Element) -> None:
    name = case.get("name", "")
    found = _spec(name, case)
    if _SUITE.match(name):
        report.suite += [found] if found and found.outcome in (Outcome.FAILED, Outcome.ERROR) else []
        return
    report.listed += 1
    report.specs += [found] if found else []


def _spec(name: str, case: ElementTree.Element) -> Spec | None:
    """The spec as it ended, or None if it was left out."""
    title = name.removeprefix("[It] ").strip()
    seconds = float(case.get("time") or 0.0)
    for element in case:
        kind = element.get("type", "")
        text = "\n".join(_texts(element))
        if element.tag == "skipped":
            why = text.strip().removeprefix("skipped - ").strip()
            return None if why in _NOT_SELECTED else Spec(title, Outcome.SKIPPED, seconds, why)
        if element.tag == "error" or (element.tag == "failure" and kind in _ABORTED):
            return Spec(title, Outcome.ERROR, seconds, text or kind)
        if element.tag == "failure":
            return Spec(title, Outcome.FAILED, seconds, text or kind)
    return Spec(title, Outcome.PASSED, seconds)


def _texts(element: ElementTree.Element) -> Iterator[str]:
    message, body = element.get("message", ""), (element.text or "").strip()
    if message and message not in body:
        yield message
    if body:
        yield body
