"""What a run shows while it goes on: a line or a block an ability as it ends, a live foot on a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result
from op_readiness.reports.footer import footer
from op_readiness.reports.header import PlanSummary, header, plan
from op_readiness.reports.lines import EMPTY, Line
from op_readiness.reports.screen import Screen, WaitingLine, waiting_line
from op_readiness.reports.terminal import ended
from op_readiness.runner.record import Event, Record

REFRESH = 0.5
"""Seconds between two refreshes of the live foot."""


class View:
    """Shows a run on a screen. `verbose` also says, as plain lines, what starts and what is waited for."""

    def __init__(self, screen: Screen, record: Record, *, verbose: bool = False) -> None:
        self.screen, self.record, self.verbose = screen, record, verbose
        self.stage = ""
        self._total = 0
        self._refreshed = 0.0
        self._shown: dict[str, Outcome] = {}

    def opening(self, summary: PlanSummary) -> None:
        """Cluster, Nodes and plan."""
        self._total = summary.abilities
        self.screen.show([*header(self.record.run_result()), *plan(summary), EMPTY])

    def closing(self, reports: Sequence[str]) -> None:
        """Verdict, what was not tested, what is left, what to do next."""
        self.screen.show(footer(self.record.run_result(), reports))

    def event(self, event: Event) -> None:
        """Show what an event means to somebody who watches."""
        kind, id = event["type"], event.get("ability", "")
        if kind in ("result", "lost"):
            self._ended(self.record.result_of(id))
        elif kind == "standing":
            self._after_standing(id)
        elif kind == "warning":
            self.say(f"warning: {event['text']}", "warn")
        elif self.verbose and kind == "started":
            self.say(f"started  {id}", "dim")
        elif self.verbose and kind == "waiting" and id in self.record.waiting:
            self.screen.show([waiting_line(self._waiting(id), time.time())])

    def tick(self) -> None:
        """Refresh the live foot, now and then."""
        now = time.time()
        if now - self._refreshed < REFRESH:
            return
        self._refreshed = now
        waits = [self._waiting(id) for id in self.record.started]
        self.screen.waiting(waits, now=now, done=len(self._shown), total=self._total, stage=self.stage)

    def say(self, text: str, style: str = "") -> None:
        """A line between abilities."""
        self.screen.show([Line.of((text, style))])

    def _ended(self, result: Result) -> None:
        self._shown[result.ability] = result.outcome
        self.screen.show(ended(result, self.record.run_result()))

    def _after_standing(self, id: str) -> None:
        """Looking at the standing objects again may have changed a result that was shown already."""
        if id not in self.record.abilities or not self.record.standing:
            return
        if self._shown.get(id) is Outcome.FAILED:
            self.say(f"the standing objects, looked at again, show the same: {self.record.standing[0].what}", "warn")
            return
        self.say("the standing objects, looked at again:", "warn")
        self._ended(self.record.result_of(id))

    def _waiting(self, id: str) -> WaitingLine:
        waiting, scale = self.record.waiting.get(id), float(self.record.header.get("timeout_scale") or 1.0)
        if waiting is None:
            since = self.record.started.get(id, time.time())
            return WaitingLine(id, "its first objects", since, scale=scale)
        return WaitingLine(id, waiting.what, waiting.since, waiting.until, waiting.event, scale)
