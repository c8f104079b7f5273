"""From events to a RunResult."""

from __future__ import annotations

from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import Result, Verdict
from op_readiness.runner.record import Record

from .samples import ability

IDS = ("a-a", "b-b")


def record(*events, ids=IDS, **header) -> Record:
    abilities = [ability(id) for id in ids]
    run = {
        "type": "run",
        "run_id": "r",
        "categories": [{"name": "Core.Network", "abilities": list(ids), **header}],
        "abilities": {a.id: a.to_dict() for a in abilities},
        "skips": {},
    }
    return Record.of([run, *events])


def result(id: str, outcome: Outcome, attempt: int = 1, what: str = "Broken") -> dict:
    findings = [] if outcome is Outcome.PASSED else [Finding(what, id, "good", "bad")]
    made = Result(id, "Core.Network", "", outcome, findings=findings, attempts=attempt)
    return {"type": "result", "ability": id, "time": 1.0, **made.to_dict()}


def started(id: str, time: float = 1.0) -> dict:
    return {"type": "started", "ability": id, "time": time, "pid": 7}


def outcomes(of: Record) -> dict[str, str]:
    return {r.ability: r.outcome.value for r in of.run_result().results}


def test_started_and_not_ended_is_an_error():
    """A test without a result is never left out."""
    run = record(started("a-a"), {"type": "interrupted", "by": "SIGINT"}).run_result()
    assert [(r.outcome, r.findings[0].code) for r in run.results] == [
        (Outcome.ERROR, "interrupted"),
        (Outcome.ERROR, "not-reached"),
    ]
    assert run.exit_code() == 130


def test_a_later_pass_is_flaky_and_says_what_it_was_before():
    """The first attempt's finding stays as a note."""
    known = record(result("a-a", Outcome.FAILED), result("a-a", Outcome.PASSED, attempt=2))
    (first, _) = known.run_result().results
    assert (first.outcome, first.flaky, first.attempts) == (Outcome.PASSED, True, 2)
    assert first.notes.texts == ["attempt 1 was failed: Broken"]


def test_a_later_error_hides_no_failure():
    """The cluster's no stands."""
    known = record(result("a-a", Outcome.FAILED), result("a-a", Outcome.ERROR, attempt=2))
    assert outcomes(known)["a-a"] == "failed"


def test_a_lost_worker_is_an_error_with_its_finding():
    """What the runner knows of a killed worker is the finding."""
    lost = {"type": "lost", "ability": "a-a", "finding": Finding("Silent", "a-a", "x", "y").to_dict()}
    known = record(started("a-a"), lost, result("b-b", Outcome.PASSED))
    assert outcomes(known) == {"a-a": "error", "b-b": "passed"}
    assert known.started == {}


def test_standing_objects_that_broke_fail_their_ability():
    """A canary that stopped answering turns a passed ability red; reading twice does not double it."""
    finding = Finding("Service no longer answers", "canary", "200", "time-out", nodes=("win-1",)).to_dict()
    known = record(result("a-a", Outcome.PASSED), {"type": "standing", "ability": "a-a", "findings": [finding]})
    known.run_result()
    first = known.run_result().results[0]
    assert (first.outcome, len(first.findings)) == (Outcome.FAILED, 1)


def test_standing_objects_of_an_ability_that_was_not_asked_for_are_a_warning():
    """Nothing that was seen is lost."""
    finding = Finding("Service no longer answers", "canary", "200", "time-out").to_dict()
    known = record({"type": "standing", "ability": "other", "findings": [finding]})
    assert known.run_result().warnings == ["standing objects: Service no longer answers: canary: time-out"]


def test_abilities_that_were_not_asked_for_make_the_verdict_partial():
    """One of sixteen is not a ready category."""
    run = record(result("a-a", Outcome.PASSED), ids=("a-a",), not_selected=15).run_result()
    assert run.verdict is Verdict.READY
    assert run.categories[0].sentence() == "ready (partial: 1 of 16)"


def test_waiting_is_known_until_the_ability_ends():
    """The live view reads it."""
    wait = {"type": "waiting", "ability": "a-a", "time": 2.0, "what": "Pods", "since": 1.0, "until": 9.0, "event": "E"}
    known = record(started("a-a"), wait)
    assert (known.waiting["a-a"].what, known.heard["a-a"]) == ("Pods", 2.0)
    known.add(result("a-a", Outcome.PASSED))
    assert known.waiting == {}


def test_a_killed_run_says_so_and_how_to_clean_up():
    """What is read after kill -9 claims nothing about leftovers."""
    known = record(started("a-a", time=5.0))
    known.header["time"] = 1.0
    known.close()
    run = known.run_result()
    assert (run.interrupted, run.seconds, run.exit_code()) == ("killed", 4.0, 3)
    assert "op-readiness cleanup --run r" in run.warnings[0]
