"""How abilities and categories ended, and the verdict that follows from it.

The verdict is computed here and nowhere else: *not ready* if a gating ability failed; otherwise *undetermined* if a
gating ability ended in error or none passed; otherwise *ready*, partial where a gating ability was not tested. What
does not gate only warns; a category in which nothing gates is ready as soon as anything was found out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from op_readiness.model.findings import Finding, Notes, Outcome, Part, Proof, Record


class Verdict(StrEnum):
    """Of a category, or of the whole run."""

    READY = "ready"
    NOT_READY = "not ready"
    UNDETERMINED = "undetermined"


@dataclass
class Result(Record):
    """How one ability ended. `seconds` are cluster seconds; `skip_reason` is one of `SkipReason`'s words."""

    ability: str
    category: str
    description: str
    outcome: Outcome
    gating: bool = True
    findings: list[Finding] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    proof: Proof | None = None
    notes: Notes = field(default_factory=Notes)
    skip_reason: str = ""
    skip_why: str = ""
    seconds: float = 0.0
    attempts: int = 1
    flaky: bool = False
    nodes_tested: list[str] = field(default_factory=list)
    nodes_not_tested: list[str] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)
    """Name of the file under the report directory -> one line on what it holds."""

    @property
    def warns(self) -> bool:
        """Whether the ability is not met and does not gate: every report shows it, and no verdict follows from it."""
        return self.outcome is Outcome.FAILED and not self.gating

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Result:
        """The result that `to_dict` gave."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        known["outcome"] = Outcome(known["outcome"])
        known["findings"] = [Finding.from_dict(finding) for finding in known.get("findings", ())]
        known["parts"] = [Part.from_dict(part) for part in known.get("parts", ())]
        known["proof"] = Proof.from_dict(known["proof"]) if known.get("proof") else None
        known["notes"] = Notes.from_dict(known.get("notes", {}))
        return cls(**known)


@dataclass
class CategoryResult(Record):
    """A category and the results of its selected abilities; `planned` counts those that have no test yet.

    `not_selected` counts the gating abilities of the category that have a test and were not asked for.
    """

    name: str
    results: list[Result]
    planned: int = 0
    not_selected: int = 0

    def count(self, outcome: Outcome, *, gating_only: bool = False) -> int:
        """How many results ended so."""
        return sum(r.outcome is outcome and (r.gating or not gating_only) for r in self.results)

    @property
    def verdict(self) -> Verdict:
        """Design: a failed gating ability decides; an error, or nothing passed, leaves it open."""
        if not self.gating_total:
            told = self.count(Outcome.PASSED) + self.count(Outcome.FAILED)
            return Verdict.READY if told else Verdict.UNDETERMINED
        if self.count(Outcome.FAILED, gating_only=True):
            return Verdict.NOT_READY
        if self.count(Outcome.ERROR, gating_only=True) or not self.count(Outcome.PASSED, gating_only=True):
            return Verdict.UNDETERMINED
        return Verdict.READY

    @property
    def gating_total(self) -> int:
        """Gating abilities of the category, those without a test and those not asked for included."""
        return sum(r.gating for r in self.results) + self.planned + self.not_selected

    @property
    def partial(self) -> bool:
        """Whether a gating ability was not tested."""
        return self.planned > 0 or self.not_selected > 0 or self.count(Outcome.SKIPPED, gating_only=True) > 0

    @property
    def warnings(self) -> list[Result]:
        """What is not met and does not gate."""
        return [r for r in self.results if r.warns]

    @property
    def flaky(self) -> list[str]:
        """Ids that passed on a later attempt only."""
        return [r.ability for r in self.results if r.flaky]

    def sentence(self) -> str:
        """The verdict as reports print it, such as `ready (partial: 9 of 16)`."""
        if self.verdict is not Verdict.READY:
            return str(self.verdict.value)
        facts = [] if self.gating_total else ["nothing gates"]
        if self.partial:
            facts.append(f"partial: {self.count(Outcome.PASSED, gating_only=True)} of {self.gating_total}")
        if number := len(self.warnings):
            facts.append(f"{number} warning{'s' if number > 1 else ''}")
        return f"ready ({'; '.join(facts)})" if facts else "ready"


@dataclass
class RunResult(Record):
    """A whole run, finished or interrupted: the only thing that report writers read.

    `facts` is runner.facts.Facts as data: server version, Nodes with builds, context, server, user, simulated.
    """

    run_id: str
    started: str
    version: str
    categories: list[CategoryResult]
    facts: dict[str, Any] = field(default_factory=dict)
    provider: str = ""
    seconds: float = 0.0
    timeout_scale: float = 1.0
    simulated: bool = False
    interrupted: str = ""
    leftovers: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    command: str = ""
    report_dir: str = ""
    nodes_selected: list[str] = field(default_factory=list)
    windows_nodes: list[str] = field(default_factory=list)
    seed: str = ""
    leftovers_known: bool = True
    """Whether the cluster was looked at after the clean-up; if not, empty `leftovers` mean nothing."""

    @property
    def results(self) -> list[Result]:
        """Every result, in catalogue order."""
        return [result for category in self.categories for result in category.results]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the selected categories."""
        verdicts = [category.verdict for category in self.categories]
        for worst in (Verdict.NOT_READY, Verdict.UNDETERMINED):
            if worst in verdicts or not verdicts:
                return worst if verdicts else Verdict.UNDETERMINED
        return Verdict.READY

    def exit_code(self, *, strict: bool = False) -> int:
        """1 not ready, 3 undetermined (with `strict` also partial or flaky), else 0; a signal's own code wins."""
        if self.interrupted:
            return {"SIGINT": 130, "SIGTERM": 143}.get(self.interrupted, 3)
        if self.verdict is Verdict.NOT_READY:
            return 1
        weak = strict and any(category.partial or category.flaky for category in self.categories)
        return 3 if self.verdict is Verdict.UNDETERMINED or weak else 0

    def to_dict(self) -> dict[str, Any]:
        """The run as JSON-ready data, the computed verdicts beside what they follow from."""
        data = super().to_dict()
        data["verdict"] = self.verdict.value
        for entry, category in zip(data["categories"], self.categories, strict=True):
            entry.update(verdict=category.verdict.value, sentence=category.sentence(), partial=category.partial)
            entry["warnings"] = len(category.warnings)
            for shown, result in zip(entry["results"], category.results, strict=True):
                shown["warning"] = result.warns
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunResult:
        """The run that `to_dict` gave."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        known["categories"] = [
            CategoryResult(
                c["name"], [Result.from_dict(r) for r in c["results"]], c.get("planned", 0), c.get("not_selected", 0)
            )
            for c in data["categories"]
        ]
        return cls(**known)
