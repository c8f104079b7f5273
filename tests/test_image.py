"""The container image: what the Containerfile says, and the root that it makes, tried without a container engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.product import ROOT, junit_in
from tests.test_packaging import PACKAGES, wheel

__all__ = ["wheel"]  # a fixture

CONTAINERFILE = (ROOT / "sonobuoy" / "Containerfile").read_text("utf-8")
NOBODY = 65534
as_root = pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root may become uid 65534")


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions, continued lines joined."""
    lines = [line for line in CONTAINERFILE.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def test_its_base_is_pinned_by_whoever_builds():
    """No tag that may move stands in it: the base is an argument without a default, named by digest."""
    assert ("ARG", "BASE") in instructions()
    assert [rest for word, rest in instructions() if word == "FROM"] == ["${BASE} AS build", "${BASE}"]
    assert re.search(r"--build-arg BASE=\S+@sha256:DIGEST", CONTAINERFILE)


def test_the_last_stage_has_no_build_tools_and_no_root():
    """pip goes, nothing is installed after it, and the user is a number that Kubernetes can check."""
    last = instructions()[[number for number, (word, _) in enumerate(instructions()) if word == "FROM"][-1] :]
    runs = [rest for word, rest in last if word == "RUN"]
    assert len(runs) == 1 and "pip uninstall" in runs[0] and {"pip", "setuptools", "wheel"} <= set(runs[0].split())
    assert [rest for word, rest in last if word == "USER"] == [f"{NOBODY}:{NOBODY}"]
    assert last[-1] == ("ENTRYPOINT", '["op-readiness"]')
    assert not [rest for word, rest in last if word in ("ADD", "CMD")]


def test_what_it_copies_is_what_the_wheel_needs():
    """Every folder of the wheel, its build files, and nothing that .containerignore keeps back."""
    words = [rest.split() for word, rest in instructions() if word == "COPY" and "--from" not in rest]
    copied = {name for *names, _ in words for name in names}
    assert copied == {*PACKAGES, "pyproject.toml", "setup.py", "README.md"}
    kept = (ROOT / ".containerignore").read_text().split()
    assert copied == {name.removeprefix("!") for name in kept if name.startswith("!")}


# -- the root ----------------------------------------------------------------------------------------------------------


def closure(name: str, seen: set[str]) -> set[str]:
    """A distribution and all that it depends on, by name."""
    if name.lower() in seen:
        return seen
    try:
        requires = distribution(name).requires or ()
    except PackageNotFoundError:
        return seen
    seen.add(name.lower())
    for text in requires:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            closure(requirement.name, seen)
    return seen


def copy_dependencies(root: Path) -> None:
    """What `pip install --target` would fetch, from this environment: without the network."""
    for name in sorted(closure("op-readiness", set()) - {"op-readiness"}):
        for file in distribution(name).files or ():
            source = Path(str(file.locate()))
            if ".." in file.parts or "__pycache__" in file.parts or not source.is_file():
                continue
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / file)


def python_for_everybody() -> str:
    """A Python of this version that uid 65534 may start."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, *(f"{folder}/{version}" for folder in ("/usr/local/bin", "/usr/bin"))):
        if not Path(candidate).exists():
            continue
        try:
            done = subprocess.run([candidate, "-c", "import ssl"], **nobody(), env={}, cwd="/", check=False)
        except PermissionError:
            continue
        if done.returncode == 0:
            return candidate
    pytest.skip(f"uid {NOBODY} may start no {version} here")


def nobody() -> dict:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "capture_output": True, "text": True}


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to others, and closed again by every session."""
    with tempfile.TemporaryDirectory(prefix="opr-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def image(wheel: Path, open_folder: Path) -> Path:
    """/opt/op-readiness of the image, readable by everybody."""
    root = open_folder / "opt" / "op-readiness"
    words = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(root), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True, cwd=open_folder)
    copy_dependencies(root)
    return root


@pytest.fixture
def here(open_folder: Path) -> Iterator[Path]:
    """A working directory that takes nothing."""
    (folder := open_folder / "here").mkdir(mode=0o555)
    yield folder
    assert not list(folder.iterdir())
    folder.rmdir()


def start(image: Path, here: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The entry point as the image starts it: no HOME, a working directory that takes nothing, uid 65534."""
    given = {"HOME": "", "PATH": f"{image}/bin:/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(image), **env}
    return subprocess.run(
        [python_for_everybody(), str(image / "bin" / "op-readiness"), *words], **nobody(), env=given, cwd=here,
        check=False, timeout=120,
    )  # fmt: skip


@as_root
def test_the_entry_point_finds_itself(image, here):
    """Version and catalogue come from the image."""
    shown = start(image, here, "--version")
    assert (shown.returncode, "op-readiness" in shown.stdout) == (0, True), shown.stderr
    listed = start(image, here, "list", "--category", "Core.Network")
    assert (listed.returncode, "net-pod-ip-windows" in listed.stdout) == (0, True), listed.stderr


@as_root
def test_a_folder_that_takes_nothing_is_said(image, here):
    """Reports have to go somewhere: one line, before anything is made."""
    words = ("--provider", "simulated", "--nodes", "windows=1,linux=1", "--ability", "net-windows-to-linux-pod-ip")
    ran = start(image, here, *words)
    assert (ran.returncode, "--report-dir" in ran.stderr) == (2, True), ran.stdout + ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


@as_root
@pytest.mark.cluster
def test_a_run_in_the_image(image, here, open_folder):
    """Started as Hydrophone starts it: a verdict, a report and a log, written by nobody."""
    (results := open_folder / "results").mkdir()
    os.chown(results, NOBODY, NOBODY)
    ran = start(image, here, E2E_FOCUS=r"\(net-windows-to-linux-pod-ip\)", RESULTS_DIR=str(results),
                OP_READINESS_PROVIDER="simulated", OP_READINESS_NODES="windows=1,linux=1")  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [case.find("failure") for case in junit_in(results).iter("testcase")] == [None]
    assert "Will run 1 of" in (results / "e2e.log").read_text()
    assert (results / "junit_01.xml").stat().st_uid == NOBODY
