"""What one readiness test saw: parts, witnesses, notes. Observations write here, the suite reads it after the test.

A witness is only where an answer came from (a Pod's name) and what it said; the proof that is made of it takes Node,
UID, image and operating system from the API, so a test cannot write its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from op_readiness.model.findings import Notes, Part


@dataclass(frozen=True)
class Witness:
    """A Pod that answered: by exec, log or http, and the start of what it said."""

    namespace: str
    pod: str
    channel: str
    answer: str


class Recorder:
    """Collects from several threads. `emit` gets every part and waiting line as it comes (for the live view)."""

    def __init__(self, emit: Callable[[str, dict[str, Any]], None] = lambda kind, data: None) -> None:
        self.parts: list[Part] = []
        self.notes = Notes()
        self.node_answers: list[dict[str, str]] = []
        self.api_answer = ""
        self.restarted: set[str] = set()
        """Nodes that this test has restarted itself."""
        self._witnesses: dict[tuple[str, str], Witness] = {}
        self._emit = emit
        self._lock = threading.Lock()

    @property
    def witnesses(self) -> list[Witness]:
        """One witness a Pod, the first that came."""
        return list(self._witnesses.values())

    def part(self, part: Part) -> Part:
        """Keep a part, and give it back."""
        with self._lock:
            self.parts.append(part)
        self._emit("part", part.to_dict())
        return part

    def witness(self, namespace: str, pod: str, channel: str, answer: str) -> None:
        """Keep that a Pod answered."""
        if answer.strip():
            with self._lock:
                self._witnesses.setdefault((namespace, pod), Witness(namespace, pod, channel, answer.strip()[:200]))

    def node_answered(self, answer: dict[str, str]) -> None:
        """Keep that a Node answered, the first time for each question (what stands before the colon of `answer`)."""
        key = (answer["node"], answer["answer"].partition(":")[0])
        with self._lock:
            if key not in {(kept["node"], kept.get("answer", "").partition(":")[0]) for kept in self.node_answers}:
                self.node_answers.append(answer)

    def note(self, text: str) -> None:
        """Keep a sentence that a reader should see, once."""
        with self._lock:
            if text not in self.notes.texts:
                self.notes.texts.append(text)

    def figure(self, name: str, value: float) -> None:
        """Keep a figure; its unit is part of the name."""
        with self._lock:
            self.notes.figures[name] = round(value, 3)

    def waiting(self, what: str, *, since: float, until: float, event: str = "") -> None:
        """Tell the live view what is waited for (epoch seconds) and the newest Event."""
        self._emit("waiting", {"what": what, "since": since, "until": until, "event": event})
