"""What a run says while it goes on, as plain lines: a line an ability as it ends, and what needs saying between."""

from __future__ import annotations

from collections.abc import Callable

from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result
from op_readiness.runner.plan import Plan
from op_readiness.runner.record import Event, Record

Print = Callable[[str], None]
CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)}


class View:
    """Prints by `print`. `verbose` also says what starts and what is waited for."""

    def __init__(self, print: Print, record: Record, *, verbose: bool = False) -> None:
        self._print, self._record, self._verbose = print, record, verbose
        self._planned = 0
        self._ended: set[str] = set()

    def plan(self, plan: Plan) -> None:
        """How many abilities will be counted down."""
        self._planned = len(plan.abilities)

    def event(self, event: Event) -> None:
        """Say what an event means to somebody who watches."""
        kind, id = event["type"], event.get("ability", "")
        if kind == "result":
            self._ended.add(id)
            self._print(self._line(Result.from_dict(event)))
        elif kind == "lost":
            self._ended.add(id)
            self._print(f"{self._count()} error    {id}  {event['finding']['what']}")
        elif kind == "warning":
            self._print(f"warning: {safe(event['text'])}")
        elif self._verbose and kind == "started":
            self._print(f"         started  {id}")
        elif self._verbose and kind == "waiting":
            newest = f" ({event['event']})" if event.get("event") else ""
            self._print(f"         waiting  {id}  {safe(str(event.get('what', '')) + newest)}")

    def say(self, text: str) -> None:
        """A line between abilities."""
        self._print(safe(text))

    def _count(self) -> str:
        width = len(str(self._planned))
        return f"[{len(self._ended):>{width}}/{self._planned}]"

    def _line(self, result: Result) -> str:
        tail = f"  ({safe(result.skip_why)})" if result.outcome is Outcome.SKIPPED else f"  {result.seconds:.1f} s"
        return f"{self._count()} {result.outcome.value:<8} {result.ability}{tail}" + ("  flaky" if result.flaky else "")


def safe(text: str) -> str:
    """Text of a cluster with control characters made visible: a terminal should not obey it."""
    return text.translate(CONTROL)
