"""Runs that do not come to their end: killed, interrupted. What they report, what they leave, and who removes it."""

from __future__ import annotations

import re
import signal
import sys

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.runner import leftovers
from tests.product import REPORTS, SCALE, Running, alive, descendants, junit_in, report_in, results_of, run, wait_for
from tests.readiness.conftest import objects_in

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]
LONG, QUICK = "net-service-recreate", "net-windows-to-linux-pod-ip"


def run_words(kubeconfig: str, *abilities: str) -> list[str]:
    return ["--kubeconfig", kubeconfig, *SCALE, "--workers", "2", "--ability", ",".join(abilities)]


def test_a_killed_run_is_cleaned_up_and_a_living_one_left_alone(up, tmp_path):
    """After kill -9 it can be reported and removed, and the run beside it goes on."""
    kubeconfig = up()
    before = objects_in(kubeconfig)
    (folder := tmp_path / "killed").mkdir()
    (beside := tmp_path / "living").mkdir()
    with Running(*run_words(kubeconfig, LONG, QUICK), folder=folder) as killed:
        run_id = killed.started()
        children = descendants(killed.process.pid)
        assert children
        killed.process.kill()
        killed.ended()
        wait_for("the end of the killed run's processes", lambda: not alive(children))
    reported = run("report", "--dir", str(folder / REPORTS), folder=tmp_path)
    assert (reported.code, "killed" in reported.out) == (3, True), reported.said
    cluster = Cluster.open(kubeconfig)
    assert {"Namespace", "Pod"} <= {one.kind for one in leftovers.find(cluster, run_id)}

    words = ("--kubeconfig", kubeconfig, *SCALE, "--category", "Core.Network", "--workers", "1")  # for a minute
    with Running(*words, folder=beside) as living:
        living_id = living.started()
        cleaned = run("cleanup", "--kubeconfig", kubeconfig, folder=tmp_path)
        assert cleaned.code == 0, cleaned.said
        assert leftovers.find(cluster, run_id) == []
        assert re.search(rf"^run {run_id}: \d+ objects removed$", cleaned.out, re.MULTILINE), cleaned.out
        assert f"run {living_id} is alive" in cleaned.out
        assert {f"opr-{living_id}", f"opr-{living_id}-standing"} <= {n.name for n in leftovers.find(cluster, living_id)}
        ended = len(living.results())
        wait_for("a result after the clean-up", lambda: len(living.results()) > ended)
        assert {event["outcome"] for event in living.results()} == {"passed"}
    assert objects_in(kubeconfig) == before
    again = run("cleanup", "--kubeconfig", kubeconfig, folder=tmp_path)
    assert (again.code, "nothing is left" in again.out) == (0, True), again.said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_reports_first_and_cleans_up_then(kubeconfig, tmp_path, number, code):
    """Reports are there while the cluster still holds its objects; what had begun is an error; then nothing is left."""
    before = objects_in(kubeconfig)
    with Running(*run_words(kubeconfig, LONG, QUICK), folder=tmp_path) as running:
        running.started()
        children = descendants(running.process.pid)
        assert children
        running.process.send_signal(number)
        wait_for("reports", (tmp_path / REPORTS / "junit_01.xml").exists)
        first = running.events()
        assert running.ended() == code, running.out
    kinds = [event["type"] for event in running.events()]
    assert kinds.index("interrupted") < kinds.index("end") < kinds.index("leftovers")
    assert "leftovers" not in [event["type"] for event in first], "the reports came after the clean-up"

    report = report_in(tmp_path / REPORTS)
    assert (report["interrupted"], report["exit_code"], report["leftovers"]) == (number.name, code, [])
    assert results_of(report)[LONG]["outcome"] == "error"
    case = next(case for case in junit_in(tmp_path / REPORTS).iter("testcase") if LONG in case.get("name", ""))
    assert "interrupted" in case.find("error").get("message")
    assert not alive(children)
    assert objects_in(kubeconfig) == before
    assert "nothing was left behind" in running.out


def test_a_second_signal_leaves_at_once(up, tmp_path):
    """Nobody has to wait for a clean-up; `cleanup` can be run later."""
    kubeconfig = up()
    with Running(*run_words(kubeconfig, LONG), folder=tmp_path) as running:
        running.started()
        children = descendants(running.process.pid)
        running.process.send_signal(signal.SIGINT)
        wait_for("the clean-up", lambda: "cleaning up" in running.out or running.process.poll() is not None)
        running.process.send_signal(signal.SIGINT)
        assert running.ended() == 130
        wait_for("the end of its processes", lambda: not alive(children))
