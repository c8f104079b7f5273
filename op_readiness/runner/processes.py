"""Processes that the runner starts: the one module of the runner that knows how they are started and ended.

Each gets a session (on Windows: a process group) of its own, so that Ctrl-C in a terminal reaches the runner alone and
what it started is ended by it, whole, workers included. A child whose runner is gone notices by its closed stdin.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

WINDOWS = sys.platform == "win32"


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdout: int | IO[Any],
    stderr: int | IO[Any],
) -> subprocess.Popen[bytes]:
    """A process of a group of its own whose stdin is our pipe: when it closes, the process should end."""
    if sys.platform == "win32":
        return subprocess.Popen(
            list(command), env=dict(env), cwd=cwd, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )  # fmt: skip
    return subprocess.Popen(
        list(command), env=dict(env), cwd=cwd, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr,
        start_new_session=True,
    )  # fmt: skip


def end(process: subprocess.Popen[bytes], *, within: float) -> None:
    """Close the process's stdin, wait that many seconds, then kill its whole group."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # it was gone already
            process.stdin.close()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        kill_group(process)
        process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that `start` gave, and all that it started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()


def kill(pid: int) -> None:
    """Kill one process at once; one that is gone already is fine."""
    try:
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    except (ProcessLookupError, PermissionError, OSError):
        return


def end_own_group() -> None:
    """Kill the group that this process leads: its workers, then itself. For a child whose runner is gone."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
