"""Cells of several categories as one pytest session, and sessions one after the other.

Starting a simulated cluster costs as much as some cells, so its worker keeps it over the categories that want the same
kind. When a session has no more cells to hand out the next one starts beside it: nobody waits for its last cells.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result
from op_readiness.model.timeouts import Timeouts
from op_readiness.runner import child
from op_readiness.runner.events import read_from
from op_readiness.runner.prove.cells import Cell
from op_readiness.runner.prove.proof import Proof

SLOW = "slow"
"""The code of a finding that says that a simulated cluster's clock all but stood still."""


@dataclass
class Session:
    """Proofs on simulated clusters of one kind. `turnstile` is the folder that all sessions' workers share."""

    proofs: Sequence[Proof]
    scale: float
    workers: int
    turnstile: Path | None
    say: Callable[[str], None]
    _offsets: dict[Path, int] = field(default_factory=dict)
    _again: bool = False
    _work: Path | None = None
    _running: child.Child | None = None

    def start(self) -> None:
        """Begin to run the cells: pytest as a child, with as many workers as there are clusters."""
        plane = f"{self.proofs[0].spec['control_plane']} control plane"
        for proof in self.proofs:
            self.say(
                f"{proof.category}: {len(proof.cells)} cells, up to {self.workers} simulated clusters, {plane}, "
                f"seed {proof.seed}"
            )
        self._work = Path(tempfile.mkdtemp(prefix="opr-prove-"))
        self._running = self._launched(self._work, [cell for proof in self.proofs for cell in proof.cells], "prove")

    @property
    def started(self) -> bool:
        """Whether it was begun."""
        return self._work is not None

    @property
    def last_cells(self) -> bool:
        """Whether every cell is done or handed out."""
        return self.started and sum(len(proof.missing) for proof in self.proofs) <= self.workers

    def going(self) -> bool:
        """Take the results that have come, show the proofs that are whole; whether there are more to come.

        A session of pytest that broke off (a worker of pytest-xdist was lost) says nothing of the cells that it did not
        come to, and a cell whose cluster all but stood still says nothing either: they are run again, once, and the
        proof says so.
        """
        if self._work is None or self._running is None:
            return False
        ended = self._running.poll() is not None
        self._take(self._work / "events")
        for proof in self.proofs:
            if proof.code is None and not proof.missing and not self._slow(proof):
                proof.finish(self._work / "tables", "")
        if not ended:
            return True
        again = [] if self._again else self._to_be_run_again(self._running.last_words())
        self._again = True
        if again:
            self._running.stop()
            self._running = self._launched(self._work, again, "again")
        return bool(again)

    def finish(self) -> list[int]:
        """The exit codes of the proofs; those that are not whole are shown now."""
        tables = None if self._work is None else self._work / "tables"
        words = "" if self._running is None else self._running.last_words()
        return [proof.finish(tables, words) if proof.code is None else proof.code for proof in self.proofs]

    def stop(self) -> None:
        """Nothing of it runs afterwards, and its folder is gone."""
        if self._running is not None:
            self._running.stop()
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)

    def _to_be_run_again(self, last_words: str) -> list[Cell]:
        missing = [cell for proof in self.proofs for cell in proof.missing]
        slow = [cell for proof in self.proofs for cell in self._slow(proof)]
        if missing:
            self.say(f"pytest broke off, {len(missing)} cells are run again; it said:\n{last_words}")
        if slow:
            self.say(f"the clocks of simulated clusters went too slowly, {len(slow)} cells are run again")
        return [*missing, *slow]

    def _slow(self, proof: Proof) -> list[Cell]:
        """Cells of which nothing could be said, as long as there is another chance."""
        if self._again:
            return []
        return [cell for cell in proof.cells if cell.id in proof.results and was_slow(proof.results[cell.id])]

    def _launched(self, work: Path, cells: list[Cell], name: str) -> child.Child:
        path = work / f"{name}.json"
        path.write_text(json.dumps(self._task(work, cells)), "utf-8")
        return child.start(
            [proof.folder for proof in self.proofs], work, workers=max(2, min(self.workers, len(cells))), name=name,
            plugins=["op_readiness.runner.prove.session"], options=[f"--opr-prove={path}", "--maxschedchunk=1"],
        )  # fmt: skip

    def _task(self, work: Path, cells: list[Cell]) -> dict[str, Any]:
        return {
            "cells": [{**cell.to_dict(), "id": cell.id} for cell in cells],
            "abilities": {ability.id: ability.to_dict() for proof in self.proofs for ability in proof.abilities},
            "spec": self.proofs[0].spec,
            "timeouts": Timeouts(scale=self.scale).to_dict(),
            "run_id": secrets.token_hex(3),
            "events_dir": str(work / "events"),
            "tables": str(work / "tables"),
            "turnstile": str(self.turnstile) if self.turnstile else "",
        }

    def _take(self, folder: Path) -> None:
        by_cell = {cell.id: proof for proof in self.proofs for cell in proof.cells}
        for path in sorted(folder.glob("*.jsonl")):
            events, self._offsets[path] = read_from(path, self._offsets.get(path, 0))
            for event in events:
                if event["type"] in ("started", "result") and (proof := by_cell.get(str(event.get("cell")))):
                    proof.take(event)


def sessions_of(proofs: Iterable[Proof], **how: Any) -> list[Session]:
    """One session for all proofs that want the same kind of cluster, in the order of their first proof."""
    by_kind: dict[str, list[Proof]] = {}
    for proof in proofs:
        by_kind.setdefault(json.dumps(proof.spec, sort_keys=True), []).append(proof)
    return [Session(same, **how) for same in by_kind.values()]


def was_slow(result: Result) -> bool:
    """Whether nothing could be found out because a simulated cluster's clock all but stood still."""
    return result.outcome is Outcome.ERROR and any(finding.code == SLOW for finding in result.findings)


def all_going(sessions: Sequence[Session]) -> bool:
    """Look at sessions that follow each other; whether any has more to come."""
    going = [session.going() for session in sessions]
    for n, session in enumerate(sessions):
        if not session.started:
            if n == 0 or sessions[n - 1].last_cells or not going[n - 1]:
                session.start()
            return True
    return any(going)
