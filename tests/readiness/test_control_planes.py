"""Either control plane as a user has it: the same verdicts, what is missing or broken, nothing that is left."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from op_readiness.runner import matrix
from op_readiness.runner.matrix import Expected
from op_readiness.simulator.faults.library import library
from tests.product import ROOT, Running, alive, descendants, environment, run, wait_for

pytestmark = pytest.mark.cluster
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
ASSETS = os.environ.get("KUBEBUILDER_ASSETS", "")
real = pytest.mark.skipif(not ASSETS, reason="KUBEBUILDER_ASSETS names no control plane")
REAL = ("--control-plane", "real")
CELLS = 68
"""Declared cells that a submission compares beside the healthy ones: what fits four minutes of two cores. Every fault
has one, and which one changes with the commit."""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files whose path is short enough for a Unix socket within."""
    with tempfile.TemporaryDirectory(prefix="opr-") as folder:
        yield Path(folder)


def programs(folder: Path, broken: str, good: Path | None) -> str:
    """A folder of programs: `broken` ends at once, the others are those of `good` or do as well."""
    folder.mkdir()
    for name in PROGRAMS:
        if good is not None and name != broken:
            (folder / name).symlink_to(good / name)
        else:
            (folder / name).write_text("#!/bin/sh\necho I am broken >&2\nexit 7\n")
            (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("words", [("simulate", "up"), ("--provider", "simulated"), ("prove",)], ids=" ".join)
@pytest.mark.parametrize("given", ["", "/nosuch"])
def test_missing_programs_are_one_line_and_exit_code_3(words, given, tmp_path):
    """Of every command that can use them, before anything is started."""
    ran = run(*words, *REAL, folder=tmp_path, env=environment(KUBEBUILDER_ASSETS=given))
    assert (ran.code, ran.err.count("\n"), ran.out) == (3, 1, ""), ran.said
    assert "KUBEBUILDER_ASSETS" in ran.err and "kube-apiserver" in ran.err


@pytest.mark.parametrize(
    "broken", ["etcd", *(pytest.param(name, marks=[pytest.mark.real_control_plane, real]) for name in PROGRAMS[1:])]
)
def test_a_program_that_ends_is_named_with_its_last_words(broken, tmp_path, temporary):
    """At once, with its exit code; nothing is left."""
    assets = programs(tmp_path / "assets", broken, Path(ASSETS) if ASSETS else None)
    env = environment(KUBEBUILDER_ASSETS=assets, TMPDIR=str(temporary))
    ran = run("simulate", "up", *REAL, folder=tmp_path, env=env)
    assert (ran.code, ran.err.count("\n")) == (3, 1), ran.said
    assert f"{broken} ended with exit code 7: I am broken" in ran.err
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    "plane", ["embedded", pytest.param("real", marks=[pytest.mark.real_control_plane, real])]
)
def test_nothing_outlives_a_killed_parent(plane, tmp_path, temporary):
    """Neither a process nor a folder."""
    env = environment(TMPDIR=str(temporary))
    words = ("simulate", "up", "--control-plane", plane, "--nodes", "windows=1,linux=1")
    with Running(*words, folder=tmp_path, env=env) as running:
        wait_for("simulate up", lambda: "Ctrl-C ends it" in running.out)
        started = descendants(running.process.pid)
        assert len(started) >= {"embedded": 1, "real": 6}[plane], running.out
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        wait_for("processes to end", lambda: not alive(started), patience=20)
        wait_for("folders to go", lambda: not list(temporary.iterdir()), patience=20)


def commit() -> str:
    """What the cells are drawn by; the same for everybody who looks at this submission."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"


def test_a_submission_meets_every_fault():
    """There are cells enough for one of each that turns something red or into an error."""
    folder = ROOT / "categories" / "core_network"
    cases = yaml.safe_load((folder / "spec.yaml").read_text())["testCases"]
    declared = matrix.read(folder / matrix.FILE, [case["id"] for case in cases], library())
    judged = {cell.fault for cell in declared.cells.values() if cell.expected is not Expected.EITHER}
    assert len(judged) <= CELLS


@pytest.mark.real_control_plane
@real
def test_the_same_verdicts_under_both_control_planes(tmp_path):
    """Declared cells of Core.Network show what was declared under either, and so the same."""
    words = ("--control-plane", "both", "--category", "Core.Network", "--cells", str(CELLS), "--seed", commit())
    ran = run("prove", *words, "--workers", "6", folder=tmp_path, patience=1500)
    assert ran.code == 0, ran.said
    assert "0 differ between the control planes" in ran.out
