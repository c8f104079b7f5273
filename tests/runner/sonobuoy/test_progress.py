"""Progress posts: what they say, and that no endpoint, however it behaves, fails or slows a run."""

from __future__ import annotations

import time
from typing import Any

import pytest

from op_readiness.runner.listening import Listener, Listeners
from op_readiness.runner.record import Record
from op_readiness.runner.sonobuoy.progress import Progress, send, update
from op_readiness.runner.ways.around import listeners_of
from tests.product import wait_for
from tests.runner.sonobuoy.worker import progress_endpoint, refusing_port, wrong_in

IDS = ("net-a", "net-b", "net-c", "net-d", "net-e")


def result(id: str, outcome: str) -> dict[str, Any]:
    about = {"ability": id, "category": "Core.Network", "description": f"Ability to {id}"}
    return {"type": "result", "time": 1.0, **about, "outcome": outcome}


def events() -> list[dict[str, Any]]:
    """A run of five abilities: one left out beforehand, one planned."""
    abilities = {id: {"id": id, "category": "Core.Network", "description": f"Ability to {id}"} for id in IDS}
    abilities["net-e"]["planned"] = True
    head = {"type": "run", "time": 0.0, "abilities": abilities, "skips": {"net-d": {"reason": "r", "why": "w"}},
            "categories": [{"name": "Core.Network", "abilities": list(IDS)}]}  # fmt: skip
    return [head, result("net-a", "skipped"), result("net-b", "failed"), result("net-c", "error")]


def test_figures_are_cumulative_and_remaining_reaches_zero():
    """What is left out beforehand is in no figure; a skip while running counts as completed, an error as failed."""
    record, seen = Record(), []
    for event in events():
        record.add(event)
        body = update(record, "m")
        assert wrong_in(body) == []
        seen.append((body["total"], body["completed"], len(body["failures"]), len(body["errors"])))
    assert seen == [(3, 0, 0, 0), (3, 1, 0, 0), (3, 1, 1, 0), (3, 1, 2, 1)]
    assert update(record, "m")["failures"] == ["[Core.Network] net-b", "[Core.Network] net-c"]


def test_a_run_that_was_interrupted_leaves_nothing_remaining():
    """What was not reached is an error, in the reports and here."""
    record = Record.of([*events()[:2], {"type": "interrupted", "by": "SIGTERM"}, {"type": "end", "seconds": 1.0}])
    body = update(record, "m")
    assert (body["total"], body["completed"]) == (3, 1)
    assert body["errors"] == ["[Core.Network] net-b", "[Core.Network] net-c"]


def test_many_long_names_fit_an_annotation():
    """256 KiB is what an object's annotations may hold."""
    head = events()[0]
    ids = [f"net-{n}-{'x' * 200}" for n in range(2000)]
    head["abilities"] = {id: {"id": id, "category": "C", "description": "d"} for id in ids}
    record = Record.of([head, *(result(id, "error") for id in ids)])
    assert len(str(update(record, "x" * 9999))) < 128 * 1024


def posted(progress: Progress) -> Record:
    record = Record()
    for event in [*events(), {"type": "end", "seconds": 1.0, "time": 2.0}]:
        record.add(event)
        progress.event(event, record)
    progress.close()
    return record


def test_each_ability_is_posted():
    """The last update names the verdict."""
    with progress_endpoint() as endpoint:
        progress, record = Progress(str(endpoint.port)), Record()
        for number, event in enumerate(events(), 1):
            record.add(event)
            progress.event(event, record)
            wait_for("a post", lambda number=number: len(endpoint.bodies) >= number)
        posted(Progress(str(endpoint.port)))
        assert [body["msg"] for body in endpoint.bodies[:3]] == [
            "started", "skipped [Core.Network] net-a", "failed [Core.Network] net-b",
        ]  # fmt: skip
        assert endpoint.bodies[-1]["msg"] == "verdict: not ready"
        assert endpoint.problems == []


@pytest.mark.parametrize("answer", [500, 403, 0], ids=["500", "403", "silent"])
def test_an_endpoint_that_does_not_take_it(answer):
    """The run goes on, and the end waits for a moment only."""
    with progress_endpoint(answer) as endpoint:
        began = time.monotonic()
        posted(Progress(str(endpoint.port), within=0.2))
        assert time.monotonic() - began < 5
        assert endpoint.bodies
        assert not send(f"http://localhost:{endpoint.port}/progress", {"failures": [], "errors": [], "completed": 0,
                                                                        "total": 0}, 0.1)  # fmt: skip


def test_an_endpoint_that_refuses():
    """The worker is not up yet."""
    with refusing_port() as port:
        posted(Progress(str(port), within=0.5))
        assert not send(f"http://localhost:{port}/progress", {}, 0.5)


def test_no_port_no_progress():
    """A variable that is no number is as good as none; progress goes with a handover alone."""
    for port in ("", "http", "-1", "80 99"):
        assert listeners_of({"SONOBUOY_PROGRESS_PORT": port}, Listener())._listeners[:-1] == []
    assert listeners_of({"SONOBUOY_PROGRESS_PORT": "8099"}, None)._listeners == []


def test_a_listener_that_fails_is_left_out(capsys):
    """It is said once; the others hear on."""

    class Broken(Listener):
        def event(self, event: Any, record: Any) -> None:
            raise OSError("no more")

    heard: list[str] = []

    class Well(Listener):
        def event(self, event: Any, record: Any) -> None:
            heard.append(event["type"])

    both = Listeners([Broken(), Well()])
    for kind in ("a", "b"):
        both.event({"type": kind}, Record())
    assert heard == ["a", "b"]
    assert capsys.readouterr().err.count("no more") == 1
