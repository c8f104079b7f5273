"""Proofs of several categories as sessions: who shares one, when the next begins, and what is run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from op_readiness.model.abilities import Ability
from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import Result
from op_readiness.runner import child
from op_readiness.runner.matrix import matrix
from op_readiness.runner.prove.proof import Proof
from op_readiness.runner.prove.sessions import SLOW, Session, all_going, sessions_of, was_slow

SLOW_RESULT = Result("a", "C", "", Outcome.ERROR, findings=[Finding("w", "h", "e", "s", code=SLOW)])
PASSED = Result("a", "C", "", Outcome.PASSED)


class Pytest:
    """In place of a child: told its cells, and made to write what they showed."""

    def __init__(self, work: Path, name: str, workers: int) -> None:
        self.task: dict[str, Any] = json.loads((work / f"{name}.json").read_text())
        self.file, self.workers, self.ended, self.stopped = work / "events" / "gw0.jsonl", workers, False, False
        self.file.parent.mkdir(exist_ok=True)

    @property
    def cells(self) -> list[str]:
        return [cell["id"] for cell in self.task["cells"]]

    def show(self, cell: str, result: Result = PASSED) -> None:
        with self.file.open("a") as out:
            for event in ({"type": "started", "time": 1.0}, {**result.to_dict(), "type": "result", "time": 3.0}):
                out.write(json.dumps({**event, "cell": cell}) + "\n")

    def poll(self) -> int | None:
        return 0 if self.ended else None

    def stop(self) -> None:
        self.stopped = True

    def last_words(self) -> str:
        return "INTERNALERROR"


@pytest.fixture
def launched(monkeypatch) -> list[Pytest]:
    """The children in the order of their start."""
    children: list[Pytest] = []

    def start(folders, work, *, workers, name, plugins, options):
        children.append(Pytest(work, name, workers))
        return children[-1]

    monkeypatch.setattr(child, "start", start)
    return children


@pytest.fixture
def proof_of(tmp_path, said):
    """A proof of one ability, on healthy clusters and under one fault."""

    def made(category: str, ability: str, **spec: Any) -> Proof:
        declared = matrix(
            {"category": category, "faults": {"stale": {"red": [{"abilities": [ability], "why": "w"}]}}},
            "faults.yaml", (ability,), ("stale",),
        )  # fmt: skip
        one = Ability(id=ability, category=category, description="d", kep=())
        return Proof(
            category, tmp_path, [one], declared, {}, {"nodes": {"windows": 1}, "control_plane": "embedded", **spec},
            "s", tmp_path / category, said.append,
        )  # fmt: skip

    return made


@pytest.fixture
def said() -> list[str]:
    return []


def sessions(proofs: list[Proof], said: list[str]) -> list[Session]:
    return sessions_of(proofs, scale=0.05, workers=2, turnstile=None, say=said.append)


def test_categories_on_clusters_of_one_kind_share_a_session(proof_of, said):
    """A category of its own kind has one of its own."""
    proofs = [proof_of("A", "a"), proof_of("B", "b", dual_stack=True), proof_of("C", "c")]
    found = [[proof.category for proof in session.proofs] for session in sessions(proofs, said)]
    assert found == [["A", "C"], ["B"]]


def test_a_session_begins_when_the_one_before_it_has_no_more_cells_to_hand_out(proof_of, said, launched):
    """And not before: two workers have the last two cells in hand."""
    lane = sessions([proof_of("A", "a"), proof_of("A2", "a2"), proof_of("B", "b", dual_stack=True)], said)
    assert all_going(lane) and len(launched) == 1
    assert launched[0].cells == ["a@healthy", "a@stale", "a2@healthy", "a2@stale"]
    launched[0].show("a@healthy")
    assert all_going(lane) and len(launched) == 1
    launched[0].show("a2@healthy")
    assert all_going(lane) and all_going(lane)
    assert [one.cells for one in launched[1:]] == [["b@healthy", "b@stale"]]


def test_each_matrix_is_shown_when_it_is_whole(proof_of, said, launched):
    """The others go on; its seconds are those from its first cell to its last."""
    [session] = sessions([proof_of("A", "a"), proof_of("B", "b")], said)
    assert all_going([session])
    launched[0].show("a@healthy")
    launched[0].show("a@stale", Result("a", "A", "", Outcome.FAILED, findings=[Finding("w", "h", "e", "s")]))
    assert session.going()
    assert "A: 2 cells, 0 holes, 2 s, seed s" in said[-1] and "B: 2 cells, 0 holes" not in "".join(said)


def test_what_pytest_did_not_come_to_and_what_stood_still_is_run_again_once(proof_of, said, launched):
    """Then a missing cell is a hole."""
    [session] = sessions([proof_of("A", "a")], said)
    assert all_going([session])
    launched[0].show("a@stale", SLOW_RESULT)
    launched[0].ended = True
    assert session.going()
    assert launched[1].cells == ["a@healthy", "a@stale"] and launched[0].stopped
    assert "pytest broke off, 1 cells are run again; it said:\nINTERNALERROR" in said
    assert "the clocks of simulated clusters went too slowly, 1 cells are run again" in said
    launched[1].ended = True
    assert not session.going() and session.finish() == [1]
    assert "2 holes" in said[-1]
    session.stop()


@pytest.mark.parametrize(
    ("result", "slow"),
    [
        (SLOW_RESULT, True),
        (PASSED, False),
        (Result("a", "C", "", Outcome.FAILED, findings=[Finding("w", "h", "e", "s", code=SLOW)]), False),
        (Result("a", "C", "", Outcome.ERROR, findings=[Finding("w", "h", "e", "s", code="exec")]), False),
    ],
)
def test_only_a_clock_that_stood_still_is_a_reason_to_run_a_cell_again(result, slow):
    """Never a failure, and no other error: what a cluster answered once stands."""
    assert was_slow(result) is slow
