"""Passes: abilities handed to pytest as a child, watched line by line, tried again where that was asked for.

A worker that is silent past its ability's deadline is killed and the others go on; a child that dies is started again
with what it had not begun. Whatever has no result in the end is an error, never left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from op_readiness.model.abilities import Ability
from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.timeouts import Timeouts
from op_readiness.runner import child, processes
from op_readiness.runner.attention import Attention
from op_readiness.runner.child import Child
from op_readiness.runner.events import Event, EventLog
from op_readiness.runner.record import Record

STEP = 0.1
SILENT_FLOOR = 180.0
"""Real seconds for which a worker may always be silent: a loaded machine."""

Hear = Callable[[Event], None]


@dataclass
class Passes:
    """Runs passes of one run. `context` is what every child is told; `hear` gets every event, once."""

    folders: Sequence[Path]
    work: Path
    context: dict[str, Any]
    log: EventLog
    record: Record
    timeouts: Timeouts
    attention: Attention
    hear: Hear
    tick: Callable[[], None] = lambda: None
    child: Child | None = None
    _next: Child | None = None
    """The child of the pass that follows, started while the last abilities of this one go on."""
    _children: int = 0
    _ended: set[str] = field(default_factory=set)
    _more: bool = False

    def run(self, abilities: Sequence[Ability], *, workers: int, attempts: int = 1, more: bool = False) -> None:
        """One pass; what did not pass is tried again, `attempts` times in all.

        With `more` a pass of one worker follows, whose child comes up meanwhile.
        """
        self._more = more
        left = list(abilities)
        for attempt in range(1, attempts + 1):
            if not left:
                return
            self._attempt(left, min(workers, len(left)), attempt)
            left = [ability for ability in left if self._worth_another(ability.id)]

    def begin(self, workers: int) -> None:
        """Start a child ahead of its pass: its workers come up while the runner is still busy."""
        if workers == 1 and self._next is not None:
            self.child, self._next = self._next, None
        else:
            self.child = self._started(workers)

    def _started(self, workers: int) -> Child:
        self._children += 1
        count = workers if workers > 1 else 0
        return child.start(self.folders, self.work, workers=count, name=str(self._children))

    def stop(self) -> None:
        """End the children, if there are any, and take in what their workers said last."""
        for one in (self.child, self._next):
            if one is not None:
                one.stop()
        self.child = self._next = None
        self.take()

    def kill_now(self) -> None:
        """End the children without waiting."""
        for one in (self.child, self._next):
            if one is not None:
                one.kill_now()

    def take(self) -> list[Event]:
        """Take in what workers wrote meanwhile."""
        events = self.log.take()
        for event in events:
            if event["type"] in ("result", "lost"):
                self._ended.add(event["ability"])
            self.hear(event)
        return events

    def _worth_another(self, id: str) -> bool:
        result = self.record.results.get(id)
        return result is None or result.outcome in (Outcome.FAILED, Outcome.ERROR)

    def _begun(self, id: str) -> bool:
        return id in self._ended or id in self.record.started

    def _attempt(self, abilities: list[Ability], workers: int, attempt: int) -> None:
        left = abilities
        self._ended = set()
        while left:
            code, words = self._child(left, workers, attempt)
            begun = [ability for ability in left if self._begun(ability.id)]
            for ability in left:
                if ability.id in self.record.started:
                    seen = f"pytest ended with code {code}\n{words}"
                    self._lose(ability.id, "The worker ended without a result", seen)
            if not begun:
                for ability in left:
                    self._lose(ability.id, "pytest did not run the test", f"it ended with code {code}\n{words}")
                return
            left = [ability for ability in left if ability.id not in self._ended]

    def _child(self, abilities: list[Ability], workers: int, attempt: int) -> tuple[int, str]:
        """Run one child to its end; gives its exit code and last words."""
        if self.child is None:
            self.begin(workers)
        running = self.child
        if running is None:
            return -1, "it did not start"
        running.tell({**self.context, "selected": [ability.id for ability in abilities], "attempt": attempt})
        while (code := running.poll()) is None:
            self.attention.pause(STEP)
            self.take()
            self._end_silent(abilities)
            if self._more and self._next is None and all(self._begun(ability.id) for ability in abilities):
                self._next = self._started(1)
            self.tick()
        words = running.last_words()
        self.child = None
        self.take()
        return code, words

    def _end_silent(self, abilities: Iterable[Ability]) -> None:
        by_id = {ability.id: ability for ability in abilities}
        for id in [id for id in self.record.started if id in by_id]:
            silent = time.time() - self.record.heard.get(id, time.time())
            limit = max(SILENT_FLOOR, self.timeouts.real("ability"), 3 * by_id[id].seconds * self.timeouts.scale)
            if silent > limit:
                pid = self.record.pids.get(id, 0)
                waiting = self.record.waiting.get(id)
                was = f"; it was waiting for {waiting.what}" if waiting else ""
                self._lose(id, "The worker said nothing for too long and was ended", f"silent for {silent:.0f} s{was}")
                if pid:
                    processes.kill(pid)

    def _lose(self, id: str, what: str, seen: str) -> None:
        finding = Finding(what, id, "a result", seen.strip(), code="worker")
        event = self.log.say("lost", ability=id, finding=finding.to_dict())
        self._ended.add(id)
        self.hear(event)
