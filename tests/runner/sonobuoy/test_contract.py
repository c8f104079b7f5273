"""The plugin's contract from end to end: a run as Sonobuoy starts it, and its results as Sonobuoy reads them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.product import Running, run, wait_for
from tests.runner.sonobuoy.worker import (
    leaves,
    plugin_environment,
    post_processed,
    progress_endpoint,
    retrieved,
    sent_by_worker,
    unpacked,
)

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(sys.platform == "win32", reason="Sonobuoy runs it on Linux")]
QUICK, LONG = "net-windows-to-linux-pod-ip", "net-service-recreate"
WORDS = ("--provider", "simulated", "--nodes", "windows=1,linux=1")
FAULT = ("--fault", "windows-to-linux-pod-ip-lost:node=win-1")
SONOBUOY = shutil.which("sonobuoy")


def processed(results: Path, folder: Path) -> tuple[dict, Path]:
    """The results tree and the tarball that come of a results directory."""
    whole = unpacked(sent_by_worker(results), folder / "aggregator")
    assert [path.name for path in whole.rglob("*.xml")] == ["junit_01.xml"]
    return post_processed(whole), retrieved(whole, folder / "202601010000_sonobuoy_1.tar.gz")


@pytest.mark.parametrize(("fault", "code", "status"), [((), 0, "passed"), (FAULT, 1, "failed")], ids=["green", "red"])
def test_a_run_is_read_by_sonobuoy(tmp_path, fault, code, status):
    """Done names one archive with one JUnit file; status and verdict follow the run; progress reaches the end."""
    results = tmp_path / "results"
    with progress_endpoint() as endpoint:
        env = plugin_environment(results, endpoint.port, OP_READINESS_ABILITY=QUICK)
        ran = run(*WORDS, *fault, folder=tmp_path, env=env)
    assert ran.code == code, ran.said
    tree, tarball = processed(results, tmp_path)
    assert (tree["status"], [leaf["status"] for leaf in leaves(tree)]) == (status, [status])
    (leaf,) = leaves(tree)
    assert QUICK in leaf["name"] and leaf["name"].startswith("[Core.Network] ")
    if code:
        assert "win-1" in leaf["details"]["failure"]
        assert any("evidence" in path.as_posix() for path in (tmp_path / "aggregator").rglob("events.txt"))

    assert endpoint.problems == []
    first, last = endpoint.bodies[0], endpoint.bodies[-1]
    assert (first["total"], first["completed"], first["failures"]) == (1, 0, [])
    assert (last["completed"], len(last["failures"]), last["errors"]) == (1 - code, code, [])
    assert last["msg"] == ("verdict: not ready" if code else "verdict: ready")

    judged = run("sonobuoy", "verdict", str(tarball), folder=tmp_path)
    assert (judged.code, QUICK in judged.out) == (code, True), judged.said
    if SONOBUOY:
        read_by_sonobuoy(tarball, leaf["name"], status)


def read_by_sonobuoy(tarball: Path, name: str, status: str) -> None:
    """The real program finds our test in the tarball."""
    words = [str(SONOBUOY), "results", str(tarball), "-p", "op-readiness", "-m", "detailed"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {item["name"]: item["status"] for item in map(json.loads, done.stdout.splitlines())}
    assert found[name] == status


def test_a_terminated_run_hands_over_at_once(tmp_path):
    """On SIGTERM `done` is there before the clean-up, since nobody knows when SIGKILL follows."""
    results = tmp_path / "results"
    words = (*WORDS, "--ability", f"{LONG},{QUICK}", "--workers", "2")
    with Running(*words, folder=tmp_path, env=plugin_environment(results)) as running:
        log = results / "events.jsonl"
        wait_for("an ability to start", lambda: log.exists() and '"type": "started"' in log.read_text())
        running.process.send_signal(signal.SIGTERM)
        wait_for("done", (results / "done").exists)
        sent = sent_by_worker(results)
        assert running.ended() == 143, running.out
    whole = unpacked(sent, tmp_path / "aggregator")
    events = [json.loads(line) for line in next(whole.rglob("events.jsonl")).read_text().splitlines()]
    assert "leftovers" not in {event["type"] for event in events}, "handed over only after the clean-up"
    tree, tarball = processed(results, tmp_path / "again")
    assert tree["status"] == "failed"
    assert "interrupted" in next(leaf for leaf in leaves(tree) if LONG in leaf["name"])["details"]["error"]
    assert run("sonobuoy", "verdict", str(tarball), folder=tmp_path).code == 3


def test_a_run_past_its_deadline_hands_over(tmp_path):
    """Its own deadline ends it like anything else, with what it had."""
    results = tmp_path / "results"
    words = (*WORDS, "--ability", f"{LONG},{QUICK}", "--run-timeout", "2")
    ran = run(*words, folder=tmp_path, env=plugin_environment(results))
    assert ran.code == 3, ran.said
    tree, _ = processed(results, tmp_path)
    assert tree["status"] == "failed"
    assert any("run deadline" in leaf["details"].get("error", "") for leaf in leaves(tree))
