"""One category's proof: which cells it has, what they showed, and the matrix with its holes."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from op_readiness.model.abilities import Ability
from op_readiness.model.results import Result
from op_readiness.runner import matrix
from op_readiness.runner.prove.cells import HEALTHY, Cell, cells_of, hole, in_order, picture

SAMPLE = 64
"""Cells that must stay green and are run though not all are asked for: drawn with the seed, other ones each time."""


@dataclass
class Proof:
    """One proof, under one control plane. `say` prints a line."""

    category: str
    folder: Path
    abilities: list[Ability]
    declared: matrix.Matrix
    node_parameter: Mapping[str, str]
    spec: dict[str, Any]
    seed: str
    report_dir: Path
    say: Callable[[str], None]
    verbose: bool = False
    complete: bool = False
    most: int | None = None
    faults: tuple[str, ...] = ()
    results: dict[str, Result] = field(default_factory=dict)
    code: int | None = None
    """0 when every cell was as declared, 1 otherwise, None before `finish`."""
    _times: list[float] = field(default_factory=list)

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells to run: the same ones for the same seed."""
        draw = random.Random(self.seed)
        ids = [ability.id for ability in self.abilities]
        sample = None if self.complete else SAMPLE if self.most is None else 0
        cells = cells_of(self.declared, ids, self.node_parameter, self._nodes, draw, sample=sample, most=self.most)
        chosen = {HEALTHY, *self.columns}
        return in_order([cell for cell in cells if cell.fault in chosen], self.declared)

    @property
    def columns(self) -> tuple[str, ...]:
        """The faults that are put in, in the order of the declarations."""
        return tuple(fault for fault in self.declared.faults if not self.faults or fault in self.faults)

    @property
    def missing(self) -> list[Cell]:
        """The cells without a result."""
        return [cell for cell in self.cells if cell.id not in self.results]

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in an event of one of its cells: when it was begun, and what it showed."""
        self._times.append(float(event["time"]))
        if event["type"] == "result":
            self.results[event["cell"]] = result = Result.from_dict(event)
            if self.verbose:
                self.say(f"{len(self.results):>4} of {len(self.cells)}  {event['cell']}: {result.outcome}")

    def finish(self, tables: Path | None, last_words: str) -> int:
        """Show the matrix and keep it; the exit code. `tables` are what simulated Nodes held, `last_words` pytest's."""
        cells, holes = self.cells, self._holes()
        if tables is not None:
            self._keep_tables(tables, holes)
        text = self._text(holes, last_words)
        self.say(text)
        self.report_dir.mkdir(parents=True, exist_ok=True)
        (self.report_dir / "matrix.txt").write_text(text + "\n", "utf-8")
        data = {"category": self.category, "seed": self.seed, "cells": [self._row(cell, holes) for cell in cells]}
        (self.report_dir / "matrix.json").write_text(json.dumps(data, indent=1), "utf-8")
        self.code = 1 if holes else 0
        return self.code

    @property
    def _nodes(self) -> list[str]:
        return [f"win-{n + 1}" for n in range(int(self.spec["nodes"]["windows"]))]

    def _keep_tables(self, folder: Path, holes: Mapping[str, str]) -> None:
        kept = self.report_dir / "tables"
        shutil.rmtree(kept, ignore_errors=True)
        for id in holes:
            if (file := folder / f"{id}.json").is_file():
                kept.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, kept)

    def _holes(self) -> dict[str, str]:
        found = {}
        for cell in self.cells:
            healthy = self.results.get(f"{cell.ability}@{HEALTHY}")
            expected = self.declared.expected(cell.fault, cell.ability)
            if why := hole(cell, expected, self.results.get(cell.id), healthy, self._nodes):
                found[cell.id] = why
        return found

    def _text(self, holes: Mapping[str, str], last_words: str) -> str:
        ids = [ability.id for ability in self.abilities]
        lines = [picture([HEALTHY, *self.columns], ids, self.results, holes), ""]
        if not self.results:
            lines += ["nothing was run; pytest said:", last_words]
        by_id = {cell.id: cell for cell in self.cells}
        for id, why in holes.items():
            lines.append(f"hole: {id}{f' (node={by_id[id].node})' if by_id[id].node else ''}: {why}")
        lines += [f"not told apart by any fault: {one} and {other}" for one, other in self._twins()]
        seconds = max(self._times) - min(self._times) if self._times else 0.0
        lines.append(f"{self.category}: {len(self.cells)} cells, {len(holes)} holes, {seconds:.0f} s, seed {self.seed}")
        return "\n".join(lines)

    def _twins(self) -> list[tuple[str, str]]:
        return matrix.equal_rows(self.declared, [ability.id for ability in self.abilities])

    def _row(self, cell: Cell, holes: Mapping[str, str]) -> dict[str, Any]:
        result = self.results.get(cell.id)
        return {
            **cell.to_dict(),
            "expected": str(self.declared.expected(cell.fault, cell.ability)),
            "outcome": str(result.outcome) if result else None,
            "seconds": result.seconds if result else None,
            "findings": [finding.to_dict() for finding in result.findings] if result else [],
            "hole": holes.get(cell.id, ""),
        }
