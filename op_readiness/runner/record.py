"""From events to a RunResult: one fold, used while a run goes on, at its end, and by `op-readiness report`.

A test that started and has no result is an *error*, whatever the reason: crashed, killed, interrupted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.model.abilities import Ability
from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import CategoryResult, Result, RunResult
from op_readiness.reports import commands

Event = dict[str, Any]


@dataclass
class Waiting:
    """What an ability waits for now. Times are epoch seconds."""

    what: str
    since: float
    until: float = 0.0
    event: str = ""


@dataclass
class Record:
    """What is known of a run so far. `started` holds abilities that have not ended; times are epoch seconds."""

    header: dict[str, Any] = field(default_factory=dict)
    abilities: dict[str, Ability] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    lost: dict[str, Finding] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)
    standing: list[Finding] = field(default_factory=list)
    standing_owner: str = ""
    interrupted: str = ""
    seconds: float = 0.0
    ended: bool = False
    cleaned: bool = False
    last: float = 0.0

    @classmethod
    def of(cls, events: Iterable[Event]) -> Record:
        """The record of all these events."""
        record = cls()
        for event in events:
            record.add(event)
        return record

    def add(self, event: Event) -> None:
        """Take one event into account; kinds that are not known change nothing."""
        handler = getattr(self, f"_on_{event['type']}", None)
        if handler is not None:
            handler(event)
        self.last = max(self.last, event.get("time", 0.0))
        if id := event.get("ability"):
            self.heard[id] = event.get("time", 0.0)

    def close(self) -> None:
        """Nothing more will come: a run that did not say its end was killed, and has not cleaned up."""
        head = self.header
        if not self.ended:
            self.seconds = round((self.last - head.get("time", self.last)) / head.get("timeout_scale", 1.0), 1)
            self.interrupted = self.interrupted or "killed"
        if not self.cleaned:
            command = commands.cleanup(head.get("run_id", ""), head.get("command", ""))
            self.warnings.append(f"the run ended before its clean-up did: {command} removes what it left")

    def run_result(self) -> RunResult:
        """The run as reports show it."""
        head = self.header
        return RunResult(
            run_id=head.get("run_id", ""),
            started=head.get("started", ""),
            version=head.get("version", ""),
            categories=[self._category(entry) for entry in head.get("categories", ())],
            facts=head.get("facts", {}),
            provider=head.get("provider", ""),
            seconds=self.seconds,
            timeout_scale=head.get("timeout_scale", 1.0),
            simulated=head.get("simulated", False),
            interrupted=self.interrupted,
            leftovers=list(self.leftovers),
            warnings=list(self.warnings),
            command=head.get("command", ""),
            report_dir=head.get("report_dir", ""),
            nodes_selected=head.get("nodes_selected", []),
            windows_nodes=head.get("windows_nodes", []),
            seed=head.get("seed", ""),
            leftovers_known=self.cleaned,
        )

    def _category(self, entry: dict[str, Any]) -> CategoryResult:
        results = [self.result_of(id) for id in entry["abilities"] if not self.abilities[id].planned]
        return CategoryResult(entry["name"], results, entry.get("planned", 0), entry.get("not_selected", 0))

    def result_of(self, id: str) -> Result:
        """The result of an ability as it stands now."""
        result = self.results.get(id) or self._without_result(id)
        if id == self.standing_owner and self.standing and result.outcome is not Outcome.SKIPPED:
            found = [*result.findings, *self.standing]
            return replace(result, outcome=Outcome.FAILED, flaky=False, findings=found)
        return result

    def _without_result(self, id: str) -> Result:
        ability = self.abilities[id]
        result = Result(id, ability.category, ability.description, Outcome.ERROR, gating=ability.gating)
        if skip := self.header.get("skips", {}).get(id):
            result.outcome, result.skip_reason, result.skip_why = Outcome.SKIPPED, skip["reason"], skip["why"]
        elif id in self.lost:
            result.findings = [self.lost[id]]
        elif id in self.started:
            by = f"the run was interrupted ({self.interrupted})" if self.interrupted else "its worker said no more"
            result.findings = [Finding("Interrupted", id, "a result", f"started, not ended: {by}", code="interrupted")]
        else:
            by = f"the run was interrupted ({self.interrupted})" if self.interrupted else "the run ended before it"
            result.findings = [Finding("Not reached", id, "a result", f"not started: {by}", code="not-reached")]
        return result

    # -- events ----------------------------------------------------------------------------------------------------

    def _on_run(self, event: Event) -> None:
        self.header = event
        self.abilities = {id: _ability(data) for id, data in event["abilities"].items()}

    def _on_started(self, event: Event) -> None:
        id = event["ability"]
        self.started[id] = event.get("time", 0.0)
        self.pids[id] = event.get("pid", 0)
        self.lost.pop(id, None)

    def _on_waiting(self, event: Event) -> None:
        self.waiting[event["ability"]] = Waiting(
            what=str(event.get("what", "")),
            since=float(event.get("since") or event.get("time") or 0.0),
            until=float(event.get("until") or 0.0),
            event=str(event.get("event") or ""),
        )

    def _on_result(self, event: Event) -> None:
        result = Result.from_dict(event)
        self._over(result.ability)
        self.results[result.ability] = better(self.results.get(result.ability), result)

    def _on_lost(self, event: Event) -> None:
        self._over(event["ability"])
        if event["ability"] not in self.results:
            self.lost[event["ability"]] = Finding.from_dict(event["finding"])

    def _on_warning(self, event: Event) -> None:
        self.warnings.append(event["text"])

    def _on_leftovers(self, event: Event) -> None:
        self.leftovers, self.cleaned = list(event["names"]), True

    def _on_standing(self, event: Event) -> None:
        self.standing = [Finding.from_dict(finding) for finding in event["findings"]]
        self.standing_owner = event["ability"]
        if self.standing_owner not in self.abilities:
            self.warnings += [f"standing objects: {f.what}: {f.where}: {f.seen}" for f in self.standing]

    def _on_interrupted(self, event: Event) -> None:
        self.interrupted = event["by"]

    def _on_end(self, event: Event) -> None:
        self.seconds, self.ended = event["seconds"], True

    def _over(self, id: str) -> None:
        for known in (self.started, self.waiting, self.pids):
            known.pop(id, None)


def better(earlier: Result | None, later: Result) -> Result:
    """The result that stands after another attempt: a later pass is flaky, a later error hides no failure."""
    if earlier is None:
        return later
    if later.outcome is Outcome.PASSED and earlier.outcome is not Outcome.PASSED:
        later.flaky = True
        first = earlier.findings[0].what if earlier.findings else "no finding"
        later.notes.texts.append(f"attempt {earlier.attempts} was {earlier.outcome}: {first}")
        later.findings = []
    elif earlier.outcome is Outcome.FAILED and later.outcome is Outcome.ERROR:
        earlier.attempts = later.attempts
        return earlier
    return later


def _ability(data: dict[str, Any]) -> Ability:
    known = {**data, "kep": tuple(data.get("kep", ())), "tags": tuple(data.get("tags", ()))}
    return Ability.from_dict(known)
