"""Processes that the simulator starts end with it, also when it is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from op_readiness.simulator.processes import Processes, StartFailed

PARENT = """
import sys, time
from pathlib import Path
from op_readiness.simulator.processes import Processes
processes = Processes(Path(sys.argv[1]))
processes.start("sleeper", [sys.executable, "-S", "-c", "import time; time.sleep(60)"])
print(processes._running["sleeper"].pid, flush=True)
time.sleep(60)
"""


def test_a_missing_program_is_one_line(tmp_path: Path) -> None:
    """It names what could not be started."""
    processes = Processes(tmp_path)
    with pytest.raises(StartFailed, match=r"^etcd cannot be started: /nosuch/etcd: No such file"):
        processes.start("etcd", ["/nosuch/etcd"])
    processes.kill_all()


def test_a_program_that_ends_is_told_with_its_last_line(tmp_path: Path) -> None:
    """Exit code and last words."""
    processes = Processes(tmp_path)
    processes.start("broken", [sys.executable, "-S", "-c", "print('no port'); raise SystemExit(4)"])
    processes._running["broken"].wait()
    with pytest.raises(StartFailed, match="broken ended with exit code 4: no port"):
        processes.must_run()
    processes.kill_all()


def test_nothing_is_left_after_a_kill(tmp_path: Path) -> None:
    """kill -9 of the parent ends its children."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    if parent.stdout is None:
        raise RuntimeError("no pipe")
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and ") Z " in stat.read_text())
