"""The event log: what workers write, line by line, merged into `events.jsonl` in the report directory.

It is the only thing that reports and the live view read, so a run that crashed can be reported too. Workers append to
files of their own; a line counts once its newline is there, so a torn last line is never read.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from op_readiness.model.errors import UsageError

Event = dict[str, Any]
LOG = "events.jsonl"
FOLDER = "events"
OLD = (LOG, "report.json", "report.txt", "junit_01.xml")


class EventLog:
    """The log of one run. `take` gives what is new; `say` adds what the runner itself has to say.

    A log that cannot be written any more (`trouble`) does not stop a run: its events are still heard.
    """

    def __init__(self, report_dir: Path) -> None:
        self.report_dir, self.folder = report_dir, report_dir / FOLDER
        self.trouble = ""
        try:
            report_dir.mkdir(parents=True, exist_ok=True)
            for name in OLD:
                (report_dir / name).unlink(missing_ok=True)
            for folder in (self.folder, report_dir / "evidence"):
                shutil.rmtree(folder, ignore_errors=True)
            self.folder.mkdir()
        except OSError as error:
            why = error.strerror or error
            raise UsageError(f"--report-dir {report_dir}: cannot be written to: {why}; choose another") from error
        self._offsets: dict[Path, int] = {}

    def say(self, kind: str, **fields: Any) -> Event:
        """An event of the runner, written and given back."""
        event = {"type": kind, "time": time.time(), **fields}
        self._write([event])
        return event

    def take(self) -> list[Event]:
        """Events that workers wrote since the last call, in the order of their time."""
        found: list[Event] = []
        for path in sorted(self.folder.glob("*.jsonl")):
            events, self._offsets[path] = read_from(path, self._offsets.get(path, 0))
            found += [{"worker": path.stem, **event} for event in events]
        found.sort(key=lambda event: event.get("time", 0.0))
        self._write(found)
        return found

    def close(self) -> None:
        """Everything is merged: the workers' own files go."""
        self.take()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, events: list[Event]) -> None:
        if not events:
            return
        try:
            with (self.report_dir / LOG).open("a", encoding="utf-8") as log:
                log.write("".join(json.dumps(event) + "\n" for event in events))
        except OSError as error:
            self.trouble = f"{self.report_dir / LOG} cannot be written: {error.strerror or error}"


def read_from(path: Path, offset: int) -> tuple[list[Event], int]:
    """The whole lines of a file from `offset` on, and the offset after them. A line that is no JSON is left out."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    whole = data.rfind(b"\n") + 1
    return list(_events(data[:whole])), offset + whole


def read_log(report_dir: Path) -> list[Event]:
    """Every event of a run, also of one that was killed before it had merged what its workers wrote."""
    events = read_from(report_dir / LOG, 0)[0]
    known = {json.dumps({k: v for k, v in event.items() if k != "worker"}, sort_keys=True) for event in events}
    for path in sorted((report_dir / FOLDER).glob("*.jsonl")):
        late = [e for e in read_from(path, 0)[0] if json.dumps(e, sort_keys=True) not in known]
        events += [{"worker": path.stem, **event} for event in late]
    return events


def _events(data: bytes) -> Iterator[Event]:
    for line in data.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "type" in event:
            yield event
