"""`op-readiness prove`: choose the cells, run them as one pytest session, show the matrix and its holes."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from op_readiness.model.abilities import Ability
from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.model.results import Result
from op_readiness.model.timeouts import Timeouts
from op_readiness.runner import child, matrix
from op_readiness.runner.attention import Attention, Interrupted
from op_readiness.runner.events import read_from
from op_readiness.runner.prove.cells import HEALTHY, Cell, cells_of, hole, in_order, picture
from op_readiness.runner.prove.planes import BOTH, EMBEDDED, REAL, differing, known

SCALE = 0.05
NODES = {"windows": 3, "linux": 2}
"""Three Windows Nodes, so that a finding that accuses the drawn one could accuse two healthy ones."""
CLUSTERS = 6
"""Simulated clusters side by side: cells wait more than they compute, until there is one too many."""
SAMPLE = 64
"""Cells that must stay green and are run though not all are asked for: drawn with the seed, other ones each time."""
STEP = 0.2


@dataclass
class Proof:
    """One proof. `say` prints a line."""

    category: str
    folder: Path
    abilities: list[Ability]
    declared: matrix.Matrix
    node_parameter: Mapping[str, str]
    spec: dict[str, Any]
    scale: float
    workers: int
    seed: str
    report_dir: Path
    say: Callable[[str], None]
    verbose: bool = False
    complete: bool = False
    most: int | None = None
    faults: tuple[str, ...] = ()
    results: dict[str, Result] = field(default_factory=dict)
    _offsets: dict[Path, int] = field(default_factory=dict)
    _last: str = ""
    _again: bool = False
    _began: float = 0.0
    _work: Path | None = None
    _running: child.Child | None = None

    def start(self) -> None:
        """Begin to run the cells: pytest as a child, with as many workers as there are clusters."""
        self._began = time.monotonic()
        cells = self.cells
        plane = f"{self.spec['control_plane']} control plane"
        self.say(f"{self.category}: {len(cells)} cells, {self.workers} simulated clusters, {plane}, seed {self.seed}")
        self._work = Path(tempfile.mkdtemp(prefix="opr-prove-"))
        self._running = self._launched(self._work, cells, "prove")

    def _launched(self, work: Path, cells: list[Cell], name: str) -> child.Child:
        path = work / f"{name}.json"
        path.write_text(json.dumps(self._task(work, cells)), "utf-8")
        return child.start(
            [self.folder], work, workers=max(2, self.workers), name=name,
            plugins=["op_readiness.runner.prove.session"], options=[f"--opr-prove={path}", "--maxschedchunk=1"],
        )  # fmt: skip

    def going(self) -> bool:
        """Take the results that have come; whether there are more to come.

        A session of pytest that broke off (a worker of pytest-xdist was lost) says nothing of the cells that it did not
        come to: they are run again, once, and the proof says so.
        """
        if self._work is None or self._running is None:
            return False
        ended = self._running.poll() is not None
        self._take(self._work / "events", self.cells)
        missing = [cell for cell in self.cells if cell.id not in self.results] if ended else []
        if not missing or self._again:
            return not ended
        self._again = True
        self.say(f"pytest broke off, {len(missing)} cells are run again; it said:\n{self._running.last_words()}")
        self._running.stop()
        self._running = self._launched(self._work, missing, "again")
        return True

    def finish(self) -> int:
        """Show the matrix and keep it; exit code: 0 when every cell is as declared, 1 otherwise."""
        cells = self.cells
        holes = self._holes(cells)
        if self._work is not None and self._running is not None:
            self._last = self._running.last_words()
            self._keep_tables(self._work / "tables", holes)
        text = self._text(cells, holes, time.monotonic() - self._began)
        self.say(text)
        self.report_dir.mkdir(parents=True, exist_ok=True)
        (self.report_dir / "matrix.txt").write_text(text + "\n", "utf-8")
        (self.report_dir / "matrix.json").write_text(json.dumps(self._data(cells, holes), indent=1), "utf-8")
        return 1 if holes else 0

    def stop(self) -> None:
        """Nothing of it runs afterwards, and its folder is gone."""
        if self._running is not None:
            self._running.stop()
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells to run: the same ones for the same seed."""
        names = [f"win-{n + 1}" for n in range(int(self.spec["nodes"]["windows"]))]
        draw = random.Random(self.seed)
        ids = [ability.id for ability in self.abilities]
        sample = None if self.complete else SAMPLE if self.most is None else 0
        cells = cells_of(self.declared, ids, self.node_parameter, names, draw, sample=sample, most=self.most)
        chosen = {HEALTHY, *self.columns}
        return in_order([cell for cell in cells if cell.fault in chosen], self.declared)

    @property
    def columns(self) -> tuple[str, ...]:
        """The faults that are put in, in the order of the declarations."""
        return tuple(fault for fault in self.declared.faults if not self.faults or fault in self.faults)

    def _task(self, work: Path, cells: list[Cell]) -> dict[str, Any]:
        return {
            "cells": [{**cell.to_dict(), "id": cell.id} for cell in cells],
            "abilities": {ability.id: ability.to_dict() for ability in self.abilities},
            "spec": self.spec,
            "timeouts": Timeouts(scale=self.scale).to_dict(),
            "run_id": secrets.token_hex(3),
            "events_dir": str(work / "events"),
            "tables": str(work / "tables"),
        }

    def _keep_tables(self, folder: Path, holes: Mapping[str, str]) -> None:
        kept = self.report_dir / "tables"
        shutil.rmtree(kept, ignore_errors=True)
        for id in holes:
            if (file := folder / f"{id}.json").is_file():
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, kept)

    def _take(self, folder: Path, cells: list[Cell]) -> None:
        by_id = {cell.id: cell for cell in cells}
        for path in sorted(folder.glob("*.jsonl")):
            events, self._offsets[path] = read_from(path, self._offsets.get(path, 0))
            for event in events:
                if event["type"] == "result" and event.get("cell") in by_id:
                    self.results[event["cell"]] = result = Result.from_dict(event)
                    if self.verbose:
                        self.say(f"{len(self.results):>4} of {len(cells)}  {event['cell']}: {result.outcome}")

    def _holes(self, cells: list[Cell]) -> dict[str, str]:
        nodes = [f"win-{n + 1}" for n in range(int(self.spec["nodes"]["windows"]))]
        found = {}
        for cell in cells:
            healthy = self.results.get(f"{cell.ability}@{HEALTHY}")
            expected = self.declared.expected(cell.fault, cell.ability)
            if why := hole(cell, expected, self.results.get(cell.id), healthy, nodes):
                found[cell.id] = why
        return found

    def _text(self, cells: list[Cell], holes: Mapping[str, str], seconds: float) -> str:
        ids = [ability.id for ability in self.abilities]
        lines = [picture([HEALTHY, *self.columns], ids, self.results, holes), ""]
        if not self.results:
            lines += ["nothing was run; pytest said:", self._last]
        by_id = {cell.id: cell for cell in cells}
        for id, why in holes.items():
            lines.append(f"hole: {id}{f' (node={by_id[id].node})' if by_id[id].node else ''}: {why}")
        lines += [f"not told apart by any fault: {one} and {other}" for one, other in self._twins()]
        lines.append(f"{len(cells)} cells, {len(holes)} holes, {seconds:.0f} s, seed {self.seed}")
        return "\n".join(lines)

    def _twins(self) -> list[tuple[str, str]]:
        return matrix.equal_rows(self.declared, [ability.id for ability in self.abilities])

    def _data(self, cells: list[Cell], holes: Mapping[str, str]) -> dict[str, Any]:
        rows = []
        for cell in cells:
            result = self.results.get(cell.id)
            rows.append(
                {
                    **cell.to_dict(),
                    "expected": str(self.declared.expected(cell.fault, cell.ability)),
                    "outcome": str(result.outcome) if result else None,
                    "seconds": result.seconds if result else None,
                    "findings": [finding.to_dict() for finding in result.findings] if result else [],
                    "hole": holes.get(cell.id, ""),
                }
            )
        return {"category": self.category, "seed": self.seed, "cells": rows}


def node_parameters(faults: Mapping[str, Any]) -> dict[str, str]:
    """Fault -> its first parameter that takes a Windows Node, for those that have one."""
    found: dict[str, str] = {}
    for name, fault in faults.items():
        for parameter, about in (fault.get("parameters") or {}).items():
            if about.get("kind") == "windows-node":
                found.setdefault(name, parameter)
    return found


def prove(given: Mapping[str, Any], say: Callable[[str], None]) -> int:
    """Exit code of `op-readiness prove`; 1 if any category has a hole."""
    from op_readiness.runner.listing import catalogue_of
    from op_readiness.runner.names import must_be_known
    from op_readiness.runner.selection import select
    from op_readiness.runner.simulated import assets, known_faults
    from op_readiness.suite.catalogue import shipped_folder

    selection = select(catalogue_of(()), given["categories"], given["abilities"], (), ())
    faults = {fault["name"]: fault for fault in known_faults()}
    scale = given.get("timeout_scale") or SCALE
    seed = given.get("seed") or secrets.token_hex(4)
    chosen = tuple(given.get("faults") or ())
    for name in chosen:
        must_be_known("fault", name, faults)
    asked = given.get("control_plane") or EMBEDDED
    planes = (EMBEDDED, REAL) if asked == BOTH else (asked,)
    programs = {plane: assets(plane) for plane in planes}
    clusters = shares(_clusters(given["workers"]), planes)
    codes = []
    with Attention(float("inf"), lambda: None) as attention:
        for category in selection.categories:
            folder = shipped_folder() / _folder(category.name)
            path = folder / matrix.FILE
            abilities = [ability for ability in category.abilities if not ability.planned]
            if not path.is_file() or not abilities:
                continue
            reports = Path(given["report_dir"]) / (category.name if len(selection.categories) > 1 else "")
            every = [a.id for c in catalogue_of(()) for a in c.abilities if c.name == category.name]
            declared = matrix.read(path, every, faults)
            proofs = [
                Proof(
                    category.name, folder, abilities, declared, node_parameters(faults),
                    {"nodes": NODES, "rate": 1 / scale, "latency": given.get("latency") or "quick", "seed": 1,
                     "control_plane": plane, "assets": programs[plane], "dual_stack": declared.dual_stack},
                    scale, clusters[plane], seed, reports / plane if asked == BOTH else reports, say,
                    verbose=bool(given.get("verbose")), complete=bool(given.get("complete")), most=given.get("cells"),
                    faults=chosen,
                )
                for plane in planes
            ]  # fmt: skip
            try:
                codes += run_all(proofs, attention)
            except Interrupted as error:
                return {"SIGINT": 130, "SIGTERM": 143}.get(error.by, 3)
            if asked == BOTH:
                codes.append(_compare(proofs, say))
    if not codes:
        raise UsageError("none of the selected abilities has a test yet: there is nothing to prove")
    return max(codes)


def run_all(proofs: Sequence[Proof], attention: Attention) -> list[int]:
    """The exit codes of proofs that run side by side: a cell waits more than it computes."""
    try:
        for proof in proofs:
            proof.start()
        while sum(proof.going() for proof in proofs):  # all of them are looked at
            attention.pause(STEP)
        return [proof.finish() for proof in proofs]
    finally:
        for proof in proofs:
            proof.stop()


def shares(clusters: int, planes: Sequence[str]) -> dict[str, int]:
    """How many of the clusters each control plane gets; under the real one a cell takes longer."""
    if len(planes) == 1:
        return {planes[0]: clusters}
    embedded = max(2, clusters * 2 // 5)
    return {EMBEDDED: embedded, REAL: max(2, clusters - embedded)}


def _compare(proofs: Sequence[Proof], say: Callable[[str], None]) -> int:
    """Say which cells end differently under the control planes; 1 if any does that must not."""
    results = {proof.spec["control_plane"]: proof.results for proof in proofs}
    count, found = differing(proofs[0].cells, proofs[0].declared, results, known())
    for id, words in found.items():
        say(f"differs: {id}: {words}")
    say(f"{count} cells compared, {len(found)} differ between the control planes")
    return 1 if found else 0


def _clusters(workers: str) -> int:
    if workers == "auto":
        return min(CLUSTERS, 3 * (os.cpu_count() or 1))
    if not workers.isdigit() or int(workers) < 1:
        raise UsageError(f"--workers {workers}: expected a number from 1 on, or auto")
    return int(workers)


def _folder(category: str) -> str:
    kind, _, name = category.partition(".")
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return f"{kind.lower()}{words}"


__all__ = ["OpReadinessError", "prove"]
