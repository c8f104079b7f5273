"""Handing results over to Sonobuoy's worker: one archive, then a file `done` that names it.

Without `done` a container that ends with anything but 0 loses all its results, and Sonobuoy notices after five minutes.
So it is written however the process ends: after the last reports, after a mistake of ours, after an option that was
misspelt, and on a signal at once, before the clean-up: whoever sent it kills us at a time that we do not know. A run
that never came to its reports gets reports that say so.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from op_readiness.model.results import RunResult
from op_readiness.runner.listening import Listener
from op_readiness.runner.record import Event, Record

VARIABLE, DONE, ARCHIVE = "SONOBUOY_RESULTS_DIR", "done", "op-readiness.tar.gz"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(BaseException):
    """SIGTERM came while no run paid attention to it."""

    exit_code = 143


class Handover(Listener):
    """What has to be handed over in `folder`. `problem` says why a run has no reports, where it is known.

    Enter it around the whole command; on leaving, whatever the reason, everything is handed over.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))  # not resolved: the worker knows the path under which it is mounted
        self.problem = ""
        self.report_dir = self.folder
        self.files: list[Path] = []
        self.handed_over = self._recorded = False
        self._before: Any = None

    def __enter__(self) -> Self:
        for name in (DONE, ARCHIVE):
            with contextlib.suppress(OSError):  # what cannot be used is said when it is used
                (self.folder / name).unlink(missing_ok=True)
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._terminate)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is not None and not self.problem:
            self.problem = f"{type(error).__name__}: {error}".rstrip(": ")
        if self._before is not None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the process ends anyway
        self.hand_over()
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        raise Terminated(signal.Signals(number).name)

    def words(self, words: Sequence[str]) -> list[str]:
        """The command's words, as they are to be understood."""
        return list(words)

    # -- as a listener ---------------------------------------------------------------------------------------------

    def event(self, event: Event, record: Record) -> None:
        """Once a run has begun, its event log is what reports can be made of."""
        if event["type"] == "run":
            self.report_dir, self._recorded = Path(record.header.get("report_dir") or self.folder), True

    def reported(self, run: RunResult, folder: Path, files: Sequence[Path]) -> Sequence[Path]:
        """Remember what there is to hand over; a signal is answered at once."""
        from op_readiness.runner.events import LOG

        self.report_dir = folder
        self.files = [*files, folder / LOG]
        if run.interrupted.startswith("SIG"):
            self.hand_over()
        return ()

    def leave(self) -> None:
        """The process ends now."""
        self.hand_over()

    # -- handing over ----------------------------------------------------------------------------------------------

    def hand_over(self) -> None:
        """Write the archive, then `done`; once. What goes wrong is said, and nothing more can be done about it."""
        if self.handed_over:
            return
        with Held():
            try:
                self._hand_over()
            except Exception as error:
                sys.stderr.write(f"op-readiness: nothing could be handed over to Sonobuoy in {self.folder}: {error}\n")

    def _hand_over(self) -> None:
        from op_readiness.reports.writing import JUNIT, write_whole
        from op_readiness.runner.sonobuoy.archive import write_archive

        self.folder.mkdir(parents=True, exist_ok=True)
        if not any(file.name == JUNIT and file.is_file() for file in self.files):
            self.files = self._reports_in_place_of()
        archive = write_archive(self.folder / ARCHIVE, self.files, self.report_dir)
        write_whole(self.folder / DONE, f"{archive}\n")
        self.handed_over = True

    def _reports_in_place_of(self) -> list[Path]:
        """Reports of what was recorded, or of why nothing was."""
        from op_readiness.reports.writing import write_reports
        from op_readiness.runner.events import LOG, read_log

        log = self.report_dir / LOG
        record = Record.of(read_log(self.report_dir)) if self._recorded and log.is_file() else Record()
        if record.header:
            record.close()
            record.warnings += [self.problem] if self.problem else []
            return [*write_reports(record.run_result(), self.folder), log]
        started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        why = self.problem or "the command ended before a run began"
        return write_reports(RunResult("", started, "", [], warnings=[why], report_dir=str(self.folder)), self.folder)


class Held:
    """Signals wait while something must not be cut in two; they are delivered afterwards."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._came: list[tuple[int, FrameType | None]] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for came, frame in self._came[:1]:
            handler = self._before[signal.Signals(came)]
            if callable(handler):
                handler(came, frame)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came.append((number, frame))


def handover_of(words: Sequence[str], environ: Mapping[str, str], commands: Sequence[str]) -> Handover | None:
    """The handover that a command owes: one that runs, or that was meant to, where Sonobuoy's variable is set."""
    folder = environ.get(VARIABLE, "")
    first = words[0] if words else "run"
    looks = first in commands and first != "run"
    if not folder or looks or {"--help", "-h", "--version"} & set(words):
        return None
    return Handover(Path(folder))


