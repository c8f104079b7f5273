"""When a step acts: its start (`at`, `after`), its end (`for`, `until`), and its occasions (`every`, `count`, `first`).

Nothing here changes a table; a Condition only answers questions, in cluster seconds, so that its rules can be tested
with a clock turned by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.faults.match import all_fit, compared
from op_readiness.simulator.faults.schema import EventFilter, Step

Counts = Callable[[str], float | None]


class Condition:
    """The condition of one step since the moment when it was put in."""

    def __init__(self, step: Step, clock: Clock) -> None:
        self.step, self.clock = step, clock
        self._opened: float | None = None if step.when.after else clock.now() + step.when.at
        self._healed = False
        self._occasions = 0
        self._taken = 0
        self._of_entry: Counter[Hashable] = Counter()

    @property
    def since(self) -> float:
        """Cluster seconds for which the condition has been open (0 before)."""
        return 0.0 if self._opened is None else max(0.0, self.clock.now() - self._opened)

    def holds(self, counts: Counts | None = None) -> bool:
        """Whether the step acts at this moment; `counts` answers the numbers that `while` asks for."""
        now = self.clock.now()
        if self._healed or self._opened is None or now < self._opened:
            return False
        if self.step.for_ is not None and now >= self._opened + self.step.for_:
            return False
        condition = self.step.when.while_
        return not condition or (counts is not None and compared(condition, counts))

    def take(self, entry: Hashable = None) -> bool:
        """Count an occasion (of `entry`) that fits; tells whether it is one of those on which the step acts."""
        self._occasions += 1
        if self.step.when.first is not None:
            self._of_entry[entry] += 1
            if self._of_entry[entry] > self.step.when.first:
                return False
        if self._occasions % self.step.when.every:
            return False
        if self.step.when.count is not None and self._taken >= self.step.when.count:
            return False
        self._taken += 1
        return True

    def take_event(self) -> bool:
        """Count an event that fits; at points with occasions of their own (write, lookup) every event counts."""
        return self.step.point != "set" or self.step.state not in ("NODE", "API") or self.take()

    def event(self, name: str, fields: dict[str, Any]) -> bool:
        """Hear an event of the world; tells whether it is the one that `after` waits for."""
        if is_event(self.step.until, name, fields) and self._opened is not None:
            self._healed = True
        if not is_event(self.step.when.after, name, fields):
            return False
        self._opened, self._healed = self.clock.now() + self.step.when.at, False
        return True


def is_event(wanted: EventFilter | None, name: str, fields: dict[str, Any]) -> bool:
    """Whether an event is the one that a step names."""
    return wanted is not None and wanted.event == name and all_fit(wanted.fields, fields)
