"""e2e.test as a process: the command line that upstream builds, a log, a deadline.

Upstream (sigs.k8s.io/windows-operational-readiness) starts the binary once a test case, with the flags below. What
differs: empty texts of `focus` and `skip` are left out, since ginkgo would join them to a pattern that matches all.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAINTS = "os,node-role.kubernetes.io/master,node-role.kubernetes.io/control-plane"
"""Keys of taints that do not keep e2e.test from starting, as upstream gives them."""
LOOK_SECONDS = 0.2
TELL_SECONDS = 5.0
GRACE_SECONDS = 60.0
"""How long it may take to write its report and clean up after SIGTERM."""
HEAD = 65536
TAIL_LINES = 25
LINE_LENGTH = 300
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_RUN = re.compile(r'Starting e2e run "([^"]+)"')


@dataclass(frozen=True)
class Ended:
    """How the process ended. `code` is None when it had to be killed; `late`: its deadline had passed."""

    code: int | None
    late: bool
    seconds: float
    log: Path

    @property
    def text(self) -> str:
        """What it printed, without colours."""
        return _COLOUR.sub("", self.log.read_text("utf-8", errors="replace"))

    @property
    def tail(self) -> str:
        """The last lines of its log."""
        lines = [line.rstrip()[:LINE_LENGTH] for line in self.text.splitlines() if line.strip()]
        return "\n".join(lines[-TAIL_LINES:]) or "it printed nothing"

    @property
    def run(self) -> str:
        """The id that it gave itself and labels its Namespaces with (`e2e-run`); empty if it did not say."""
        return run_named_in(self.log)


def command(
    e2e: Mapping[str, Any], kubeconfig: str, report_dir: Path, prefix: str, focus: Sequence[str], skip: Sequence[str]
) -> list[str]:
    """The command line of one test case, in upstream's order."""
    words = [
        str(e2e["binary"]),
        "--provider", str(e2e["provider"]),
        "--kubeconfig", kubeconfig,
        "--report-dir", str(report_dir),
        "--report-prefix", prefix,
        "--node-os-distro", "windows",
        "--non-blocking-taints", TAINTS,
        "--ginkgo.flakeAttempts", "1",
    ]  # fmt: skip
    words += ["--ginkgo.v", "--ginkgo.trace"] if e2e.get("verbose") else []
    for flag, texts in (("--ginkgo.focus", focus), ("--ginkgo.skip", skip)):
        words += [flag, "|".join(filter(None, texts))] if any(texts) else []
    return words


def run(words: Sequence[str], log: Path, within: float, tell: Callable[[str], None]) -> Ended:
    """Run it to its end, or until `within` real seconds have passed. `tell` is given its last line now and then."""
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    env = {**os.environ, "PATH": os.pathsep.join((str(Path(words[0]).parent), os.environ.get("PATH", "")))}
    with log.open("wb") as file:  # its own folder comes first in PATH: a kubectl beside it is of its version
        process = subprocess.Popen(
            list(words), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=env, cwd=log.parent
        )
        try:
            code = _wait(process, log, began + within, tell)
            late = code is None
            return Ended(_end(process) if late else code, late, time.monotonic() - began, log)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path, until: float, tell: Callable[[str], None]) -> int | None:
    told = 0.0
    while (left := until - time.monotonic()) > 0:
        try:
            return process.wait(min(LOOK_SECONDS, left))
        except subprocess.TimeoutExpired:
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                tell(last_line(log))
    return None


def _end(process: subprocess.Popen[bytes]) -> int | None:
    """Ask it to end: ginkgo then writes its report and deletes its Namespaces. None: it had to be killed."""
    process.terminate()
    try:
        return process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def run_named_in(log: Path) -> str:
    """The id of the run that a log begins with; empty as long as it does not say."""
    if not log.exists():
        return ""
    with log.open(encoding="utf-8", errors="replace") as file:
        found = _RUN.search(file.read(HEAD))
    return found.group(1) if found else ""


def last_line(log: Path) -> str:
    """The last line that says something."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 4096))
        lines = _COLOUR.sub("", file.read().decode("utf-8", errors="replace")).splitlines()
    said = [line.strip() for line in lines if re.search(r"\w", line)]
    return said[-1][:120] if said else "nothing yet"
