"""The product as a user has it: commands in processes of their own, judged by exit code, what they print and reports.

Nothing here imports the product but to look into clusters: what a command does must show in what it leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
MODULE = (sys.executable, "-m", "op_readiness")
REPORTS = "op-readiness-report"
SCALE = ("--timeout-scale", "0.05")
PATIENCE = 120.0
"""Real seconds for what takes a few on a quiet machine: bounds hangs, not speed."""


def environment(**more: str) -> dict[str, str]:
    """This environment, without what would choose a cluster or an option, or change Python or pytest."""
    dropped = ("OP_READINESS_", "PYTEST_", "PYTHON", "KUBECONFIG", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str
    folder: Path
    """Its working directory."""

    @property
    def said(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"

    @property
    def report(self) -> dict[str, Any]:
        return report_in(self.folder / REPORTS)

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        return results_of(self.report)

    @property
    def junit(self) -> ElementTree.Element:
        return junit_in(self.folder / REPORTS)


def junit_in(folder: Path) -> ElementTree.Element:
    return ElementTree.parse(folder / "junit_01.xml").getroot()


def report_in(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text("utf-8"))


def results_of(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Ability -> its result."""
    return {result["ability"]: result for category in report["categories"] for result in category["results"]}


def run(
    *words: str, folder: Path, command: Sequence[str] = MODULE, env: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> Ran:  # fmt: skip
    """Run a command to its end in `folder`."""
    done = subprocess.run(
        [*command, *words], cwd=folder, env=env or environment(), capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=patience,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr, folder)


def wait_for(what: str, look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first thing that `look` gives which is not empty."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {patience:g} s")


class Running:
    """A command that goes on; ended, whatever happens, when the block ends."""

    def __init__(self, *words: str, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._out = (folder / f"output-{time.monotonic_ns()}.txt").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [*MODULE, *words], cwd=folder, env=env or environment(), stdin=subprocess.DEVNULL,
            stdout=self._out, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._out.close()

    @property
    def out(self) -> str:
        return Path(self._out.name).read_text("utf-8", errors="replace")

    def events(self) -> list[dict[str, Any]]:
        """The events that it has recorded so far."""
        path = self.folder / REPORTS / "events.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def results(self) -> list[dict[str, Any]]:
        """The results that it has recorded so far."""
        return [event for event in self.events() if event["type"] == "result"]

    def started(self) -> str:
        """The run's id, once an ability has started."""

        def look() -> str:
            assert self.process.poll() is None, self.out
            events = self.events()
            started = any(event["type"] == "started" for event in events)
            return str(events[0]["run_id"]) if started else ""

        return str(wait_for("an ability to start", look))

    def ended(self) -> int:
        """Its exit code, once it ended."""
        return self.process.wait(PATIENCE)


def descendants(pid: int) -> set[int]:
    """The processes that a process started, and theirs (of Linux)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state_and_parent = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(state_and_parent[1]), []).append(int(stat.parent.name))
    found, near = set(), [pid]
    while near:
        near = [child for parent in near for child in children.get(parent, ())]
        found |= set(near)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run; one that ended and was not waited for does not."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(pid)
    return found
