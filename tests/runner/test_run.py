"""Whole runs on a simulated cluster: how they end, what they leave, what their exit code is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.model.clock import SYSTEM_CLOCK
from op_readiness.runner import leftovers
from op_readiness.runner.simulated import SimulatedCluster, SimulatedSpec

pytestmark = pytest.mark.cluster
ROOT = Path(__file__).resolve().parent.parent.parent
LONG = "net-service-recreate"
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


def wait_until_started(report_dir: Path, within: float = 30.0) -> str:
    """The run's id, once an ability has started."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        path = report_dir / "events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        if any('"started"' in line and '"worker"' in line for line in lines):
            return str(json.loads(lines[0])["run_id"])
        SYSTEM_CLOCK.sleep(0.05)
    raise AssertionError("no ability started")


def report_of(report_dir: Path) -> dict:
    return json.loads((report_dir / "report.json").read_text())


def test_a_healthy_ability_passes_from_a_hostile_directory(tmp_path):
    """One line starts a cluster, tests it, and leaves reports; what lies in the directory changes nothing."""
    (tmp_path / "conftest.py").write_text("raise SystemExit(1)\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    for name in ("random", "yaml", "click"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)\n")
    done = subprocess.run(
        command("--provider", "simulated", "--ability", QUICK, "--nodes", "windows=1,linux=1"),
        env=environment(PYTEST_ADDOPTS="--no-such-option"), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SIMULATED" in done.stdout and "nothing was left behind" in done.stdout
    files = sorted(path.name for path in (tmp_path / "op-readiness-report").iterdir())
    assert files == ["events.jsonl", "junit_01.xml", "report.json", "report.txt"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_reports_at_once_and_cleans_up(simulated, tmp_path, number, code):
    """Reports come within five seconds; then everything is deleted; what had begun is an error."""
    running = start(simulated, tmp_path / "report", "--ability", LONG)
    wait_until_started(tmp_path / "report")
    running.send_signal(number)
    deadline = time.monotonic() + 5
    while not (tmp_path / "report" / "report.json").exists() and time.monotonic() < deadline:
        SYSTEM_CLOCK.sleep(0.05)
    assert (tmp_path / "report" / "report.json").exists()
    out, _ = running.communicate(timeout=60)
    assert running.returncode == code, out
    assert report_of(tmp_path / "report")["verdict"] == "undetermined"
    assert leftovers.find(Cluster.open(simulated.kubeconfig)) == []


def test_what_a_killed_run_left_is_found_and_removed(simulated, tmp_path):
    """After kill -9: its workers are gone, its report can be written, a living run is spared, cleanup removes all."""
    running = start(simulated, tmp_path / "report", "--ability", LONG)
    run_id = wait_until_started(tmp_path / "report")
    alive = run_words("cleanup", "--kubeconfig", simulated.kubeconfig)
    assert (alive.returncode, f"run {run_id} is alive" in alive.stdout) == (0, True)

    running.kill()
    running.communicate()
    reported = run_words("report", "--dir", str(tmp_path / "report"))
    assert (reported.returncode, "killed" in reported.stdout) == (3, True)

    cluster = Cluster.open(simulated.kubeconfig)
    assert leftovers.find(cluster, run_id) != []
    cleaned = run_words("cleanup", "--kubeconfig", simulated.kubeconfig)
    assert cleaned.returncode == 0, cleaned.stdout + cleaned.stderr
    assert leftovers.find(cluster) == []


def run_words(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), env=environment(), capture_output=True, text=True, check=False)


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
