"""Programs that the simulator starts on this machine, and how they are sure to end.

The one module that knows of processes: they are started in sessions of their own, killed rather than asked (a
throw-away cluster has nothing to save), and a watchdog, itself a tiny process that reads a pipe, kills them when
ours is gone without having said so (kill -9, a crash). No fork, no process groups: it works wherever Python does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WATCHDOG = """
import os, signal, sys
pids = []
for line in sys.stdin:
    if line == "done\\n":
        sys.exit(0)
    pids.append(int(line))
for pid in pids:
    try:
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except OSError:
        pass
"""


class StartFailed(Exception):
    """Something that the simulated cluster is made of could not be started; the text is one line for the user."""


class Processes:
    """The processes of one simulated cluster."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self, name: str, command: list[str]) -> None:
        """Start `command`; its output goes to NAME.log. Raises StartFailed when there is no such program."""
        self._logs.mkdir(parents=True, exist_ok=True)
        if self._watchdog is None:
            self._watchdog = self._started_watchdog()
        try:
            with self.log_of(name).open("wb") as log:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
        except OSError as error:
            raise StartFailed(f"{name} cannot be started: {command[0]}: {error.strerror}") from error
        self._running[name] = process
        self._tell_watchdog(f"{process.pid}\n")

    def log_of(self, name: str) -> Path:
        """Where the output of a process goes."""
        return self._logs / f"{name}.log"

    def must_run(self) -> None:
        """Raise StartFailed when one of them has ended; names it, its exit code and its last line."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise StartFailed(f"{name} ended with exit code {code}: {_last_line(self.log_of(name))}")

    def kill(self, name: str) -> None:
        """End one process at once."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def kill_all(self) -> None:
        """End all of them and the watchdog; afterwards nothing of this cluster runs."""
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()
        self._running.clear()
        if self._watchdog is not None:
            self._tell_watchdog("done\n")
            if self._watchdog.stdin is not None:
                self._watchdog.stdin.close()
            self._watchdog.wait()
            self._watchdog = None

    @staticmethod
    def _started_watchdog() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-c", WATCHDOG]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def _tell_watchdog(self, line: str) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            self._watchdog.stdin.write(line.encode())
            self._watchdog.stdin.flush()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
