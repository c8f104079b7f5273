"""The testcases of a JUnit file that may come from anywhere: no document type (so no entities), nothing but events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from op_readiness.model.findings import Outcome
from op_readiness.reports.text import one_line


class BrokenXml(ValueError):
    """The document is no JUnit; the message says why."""


@dataclass
class Case:
    """One testcase. As Sonobuoy has it, a skip outweighs all else."""

    name: str
    failure: bool = False
    error: bool = False
    skipped: bool = False
    gating: bool = True
    warning: bool = False
    """Not met, and no `failure` for whoever reads nothing else, since it does not gate."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        if self.skipped:
            return Outcome.SKIPPED
        return Outcome.FAILED if self.failure or self.warning else Outcome.ERROR if self.error else Outcome.PASSED


class _Reader:
    """Collects testcases from a parser's events."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self._open: Case | None = None
        self._depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and tag not in ("testsuites", "testsuite"):
            raise BrokenXml(f"its root is {one_line(tag, 40)}, not testsuites")
        if self._depth > 64:
            raise BrokenXml("its elements are nested without end")
        if tag == "testcase":
            self._open = Case(attributes.get("name", ""))
        elif self._open is not None and tag in ("failure", "error", "skipped"):
            setattr(self._open, tag, True)
        elif self._open is not None and tag == "property" and attributes.get("name") == "gating":
            self._open.gating = attributes.get("value") != "no"
        elif self._open is not None and tag == "property" and attributes.get("name") == "warning":
            self._open.warning = True

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "testcase" and self._open is not None:
            self.cases.append(self._open)
            self._open = None


def cases_in(data: bytes) -> list[Case]:
    """Every testcase, in order. Raises BrokenXml."""
    reader, parser = _Reader(), expat.ParserCreate()

    def refuse(*_: Any) -> None:
        raise BrokenXml("it declares a document type")

    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:
        raise BrokenXml(str(error)) from error
    return reader.cases


def count(cases: list[Case]) -> Counter[Outcome]:
    """How many ended how."""
    return Counter(case.outcome for case in cases)
