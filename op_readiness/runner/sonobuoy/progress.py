"""Progress for `sonobuoy status`: posted to the worker beside us after each ability.

An update replaces the previous one, so figures are cumulative and one that could not be sent is made good by the next.
They are sent by a thread of their own with a short time-out: a worker that is not there yet, slow or broken costs the
run nothing. What is skipped beforehand is not in `total`; what skips itself counts as completed, so that "Remaining"
reaches 0. An error is a failure to Sonobuoy too, and stands in `errors` beside that, so that the two can be told apart.
"""

from __future__ import annotations

import json
import threading
from typing import Any

from op_readiness.model.findings import Outcome
from op_readiness.model.results import Result
from op_readiness.reports.text import one_line
from op_readiness.runner.listening import Listener
from op_readiness.runner.record import Event, Record

SECONDS = 3.0
"""Real seconds for one post, and for the last one at the end of a run."""
MOST_NAMES = 40_000
"""Characters of all names together: Kubernetes holds 256 KiB of annotations for the aggregator's Pod."""
VERDICT = "verdict: "
"""How the message of the last update begins; `op-readiness sonobuoy status` reads it."""


def update(record: Record, message: str) -> dict[str, Any]:
    """What is posted: the state of a run as Sonobuoy's progress API takes it."""
    certain = record.header.get("skips", {})
    planned = [ability for ability in record.abilities.values() if ability.id not in certain and not ability.planned]
    ended = [ability.id for ability in planned if ability.id in record.results or ability.id in record.lost]
    if record.ended:
        ended = [ability.id for ability in planned]
    results = [record.result_of(id) for id in ended]
    bad = [result for result in results if result.outcome in (Outcome.FAILED, Outcome.ERROR)]
    most = min(120, max(20, MOST_NAMES // max(1, len(bad))))
    return {
        "msg": one_line(message, 500),
        "total": len(planned),
        "completed": len(results) - len(bad),
        "failures": [one_line(name(result), most) for result in bad],
        "errors": [one_line(name(result), most) for result in bad if result.outcome is Outcome.ERROR],
    }


def name(result: Result) -> str:
    """The ability as `sonobuoy status` shows it."""
    return f"[{result.category}] {result.ability}"


class Progress(Listener):
    """Posts the state of a run to the worker's port."""

    def __init__(self, port: str, *, within: float = SECONDS) -> None:
        self._url, self._within = f"http://localhost:{int(port)}/progress", within
        self._next: dict[str, Any] | None = None
        self._changed = threading.Condition()
        self._idle, self._over = True, False
        self._thread: threading.Thread | None = None

    def event(self, event: Event, record: Record) -> None:
        """Post what follows from the event; the newest state alone, where posting takes longer than abilities do."""
        kind, id = event["type"], event.get("ability", "")
        if kind == "end":
            self._post(update(record, VERDICT + record.run_result().verdict.value))
        elif kind == "run":
            self._post(update(record, "started"))
        elif kind in ("result", "lost", "standing") and id in record.abilities:
            result = record.result_of(id)
            self._post(update(record, f"{result.outcome} {name(result)}"))

    def close(self) -> None:
        """Give the last update its time."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle, timeout=self._within)
            self._over = True
            self._changed.notify_all()

    def leave(self) -> None:
        """Nothing more is posted."""
        with self._changed:
            self._over = True

    def _post(self, body: dict[str, Any]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="progress")
            self._thread.start()
        with self._changed:
            self._next, self._idle = body, False
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next is not None or self._over)
                if self._over:
                    return
                body, self._next = self._next, None
            send(self._url, body, self._within)
            with self._changed:
                self._idle = self._next is None
                self._changed.notify_all()


def send(url: str, body: Any, within: float) -> bool:
    """Whether the worker took an update. No answer of any kind is an error."""
    import urllib.request

    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the same Pod: never by a proxy
    try:
        with opener.open(request, timeout=within) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False
    except Exception:  # an answer that is no HTTP
        return False
