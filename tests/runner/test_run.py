"""Whole runs on a simulated cluster: how they end, what they leave, what their exit code is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.runner import leftovers
from op_readiness.runner.simulated import SimulatedCluster, SimulatedSpec

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = "net-pod-ip-windows"


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedCluster]:
    """One cluster for the tests that do not need one of their own."""
    with SimulatedCluster(SimulatedSpec(seed=1)) as cluster:
        yield cluster


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "op_readiness", *words]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OP_READINESS_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", **more}


def start(simulated: SimulatedCluster, report_dir: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("--kubeconfig", simulated.kubeconfig, "--timeout-scale=0.05", f"--report-dir={report_dir}", *words),
        env=environment(), cwd=report_dir.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_dry_run_makes_nothing(simulated, tmp_path):
    """The plan is printed; the cluster and the report directory stay as they were."""
    running = start(simulated, tmp_path / "report", "--category", "Core.Network", "--dry-run")
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, "What will be done to the cluster" in out) == (0, True)
    assert not (tmp_path / "report").exists()
    assert leftovers.find(Cluster.open(simulated.kubeconfig)) == []


def test_simulate_up_gives_a_kubeconfig_and_ends_on_a_signal(tmp_path):
    """The cluster is there until Ctrl-C, and gone afterwards."""
    kubeconfig = tmp_path / "kubeconfig"
    running = subprocess.Popen(
        command("simulate", "up", "--nodes", "windows=1,linux=1", "--kubeconfig-out", str(kubeconfig)),
        env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = [running.stdout.readline() for _ in range(2)]
    assert str(kubeconfig) in said[1]
    assert [node["metadata"]["name"] for node in Cluster.open(str(kubeconfig)).list("Node")] == ["linux-1", "win-1"]
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 0
    running.stdout.close()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--kubeconfig", "no-such-file"], 2, "no-such-file"),
        (["--provider", "simulated", "--nodes", "windows=0,linux=1", "--ability", QUICK], 3, "no Windows Node"),
        (["cleanup", "--kubeconfig", "no-such-file"], 2, "no-such-file"),
    ],
)
def test_what_stops_a_run_is_one_line(tmp_path, words, code, said):
    """No traceback for what is known to happen."""
    done = subprocess.run(command(*words), env=environment(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (code, 1), done.stderr
    assert said in done.stderr


def test_a_report_directory_that_takes_nothing_is_a_usage_error(simulated, tmp_path):
    """Found out before anything is made."""
    (tmp_path / "report").write_text("a file\n")
    running = start(simulated, tmp_path / "report", "--ability", QUICK)
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, "--report-dir" in out, "Traceback" in out) == (2, True, False), out
    assert leftovers.find(Cluster.open(simulated.kubeconfig)) == []
