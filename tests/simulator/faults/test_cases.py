"""docs/cases.md says of each real case which named fault carries it, as the fault files say it themselves."""

from __future__ import annotations

import re
from pathlib import Path

from op_readiness.simulator.faults.library import library

DOCS = Path(__file__).parents[3] / "docs"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (DOCS / "cases.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| C")
]
"""Case, public reports, what broke, and its faults or the reason why there is none."""


def faults_of(row: list[str]) -> list[str]:
    """The faults that a row names; a reason may name a test or a fault too, and is none."""
    return [] if row[3].startswith("none: ") else re.findall(r"`([a-z0-9-]+)`", row[3])


def test_each_case_stands_once_in_order() -> None:
    """All 111, from C01 to C146, with a report, a clause and a last cell."""
    cases = [row[0] for row in ROWS]
    assert cases == sorted(set(cases), key=lambda case: int(case[1:]))
    assert (len(cases), cases[0], cases[-1]) == (111, "C01", "C146")
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []
    assert [row for row in ROWS if not re.fullmatch(r"[\w.-]+/[\w.-]+#\d+(, [\w.-]+/[\w.-]+#\d+)*", row[1])] == []


def test_the_rows_name_the_faults_that_say_so_themselves() -> None:
    """Exactly the faults whose file has the row's case, each of them existing."""
    said = {row[0]: sorted(faults_of(row)) for row in ROWS}
    carried: dict[str, list[str]] = {case: [] for case in said}
    for name, fault in library().items():
        if fault.case:
            carried.setdefault(fault.case, []).append(name)
    assert said == {case: sorted(names) for case, names in carried.items()}


def test_what_no_fault_carries_has_a_reason() -> None:
    """`none: ` and why, in a few words at least; most cases are carried, as many as the text counts."""
    without = [row for row in ROWS if not faults_of(row)]
    assert [row[0] for row in without if not re.match(r"none: (\S+ ){4}", row[3])] == []
    assert len(ROWS) - len(without) >= 85
    text = (DOCS / "cases.md").read_text(encoding="utf-8")
    assert f"{len(ROWS) - len(without)} of them have a fault of their own" in text


def test_the_reports_of_a_fault_are_those_of_its_case() -> None:
    """A row lists each report that its faults' files name."""
    reports = {row[0]: set(row[1].split(", ")) for row in ROWS}
    missing = {
        name: named - reports[fault.case]
        for name, fault in library().items()
        if fault.case and (named := set(re.findall(r"[\w.-]+/[\w.-]+#\d+", fault.report))) - reports[fault.case]
    }
    assert missing == {}
