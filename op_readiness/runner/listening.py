"""Listeners follow a run beside its own view: they hear every event, and are told when reports were written.

What goes wrong in a listener is said once and ends nothing: the verdict does not depend on who wants to hear it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from op_readiness.model.results import RunResult
from op_readiness.runner.record import Event, Record

Write = Callable[[RunResult, Path], Sequence[Path]]

T = TypeVar("T")


class Listener:
    """Hears a run; what is not overridden does nothing."""

    def event(self, event: Event, record: Record) -> None:
        """An event that `record` has taken into account."""

    def reported(self, run: RunResult, folder: Path, files: Sequence[Path]) -> Sequence[Path]:
        """Reports were written, `files` in `folder`; gives the files that it wrote itself."""
        return ()

    def leave(self) -> None:
        """The process is about to end at once, without reports being written again."""

    def close(self) -> None:
        """The run is over and its last reports are written."""


class Listeners:
    """All listeners of a run."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = list(listeners)

    def event(self, event: Event, record: Record) -> None:
        """Tell them all."""
        for listener in list(self._listeners):
            self._safely(listener, partial(listener.event, event, record))

    def writing(self, write: Write) -> Write:
        """`write`, and then what each listener writes."""

        def written(run: RunResult, folder: Path) -> Sequence[Path]:
            files = list(write(run, folder))
            for listener in list(self._listeners):
                files += self._safely(listener, partial(listener.reported, run, folder, tuple(files))) or ()
            return files

        return written

    def leaving(self, leave: Callable[[], None]) -> Callable[[], None]:
        """`leave`, and then what each listener does about it."""

        def left() -> None:
            leave()
            for listener in list(self._listeners):
                self._safely(listener, listener.leave)

        return left

    def close(self) -> None:
        """Tell them all that it is over."""
        for listener in list(self._listeners):
            self._safely(listener, listener.close)

    def _safely(self, listener: Listener, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except Exception as error:  # whatever it is: the run goes on without this listener
            self._listeners.remove(listener)
            name = type(listener).__name__.lower()
            sys.stderr.write(f"warning: {name}: {type(error).__name__}: {error}; the run goes on without it\n")
            return None
