"""A faulted cluster stays not ready, whatever lies in the directory and the environment in which the command starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.product import ROOT, Ran, environment, run

pytestmark = pytest.mark.cluster
ABILITY = "net-windows-to-linux-pod-ip"
FAULT = "windows-to-linux-pod-ip-lost:node=win-1"

CONFTEST = """
import pytest
@pytest.fixture
def cluster(): return None
@pytest.fixture
def linux_servers(): return []
@pytest.fixture
def windows_clients(): return []
@pytest.fixture
def observe(): return lambda *_, **__: None
@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        yield
    except BaseException:
        pass
    return True
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    call.excinfo = None
    report = yield
    report.outcome = "passed"
    return report
def pytest_sessionfinish(session):
    session.exitstatus = 0
"""
PLUGIN = "raise RuntimeError('this plugin fails on import')\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working directory that would change every outcome if pytest or Python looked at it."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = ['--collect-only']\n")
    for name in ("random", "yaml", "click", "pytest", "sitecustomize"):
        (folder / f"{name}.py").write_text("raise SystemExit(0)\n")
    return folder


@pytest.fixture
def site(hostile: Path) -> Path:
    """The python of a virtual environment below the hostile directory, with us and a plugin that fails on import."""
    folder = hostile / ".venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / Path(sys.executable).name
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for name, place in (("op_readiness", ""), ("categories", "op_readiness"), ("plugins", "op_readiness")):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, packages / place / name, ignore=ignored)
    (packages / "broken_plugin.py").write_text(PLUGIN)
    info = packages / "broken_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pytest11]\nbroken = broken_plugin\n")
    script = python.parent / "op-readiness"
    script.write_text(f"#!{python}\nimport sys\nfrom op_readiness.__main__ import main\nsys.exit(main())\n")
    script.chmod(0o755)
    return python


def test_the_environment_is_hostile_indeed(hostile, site):
    """What lies there breaks pytest: otherwise these tests would show nothing."""
    asked = [site, "-m", "pytest", "--version", "--version"]
    said = subprocess.run(asked, cwd=hostile.parent, capture_output=True, text=True, check=False)
    assert "this plugin fails on import" in said.stderr + said.stdout
    said = subprocess.run([site, "-c", "import click; print('click')"], cwd=hostile, capture_output=True, check=False)
    assert (said.returncode, said.stdout) == (0, b"")


@pytest.mark.parametrize("way", ["console script", "module"])
def test_a_faulted_cluster_stays_not_ready(hostile, site, way):
    """conftest.py, ini files, modules of the same name, variables and a broken plugin: red stays red."""
    command = [str(site.parent / "op-readiness")] if way == "console script" else [str(site), "-m", "op_readiness"]
    kept = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    env = {**kept, "PYTEST_ADDOPTS": "--collect-only", "PYTEST_PLUGINS": "no_such_plugin", "PYTHONOPTIMIZE": "1"}
    # an empty entry of PYTHONPATH, as `PYTHONPATH=$PYTHONPATH:more` leaves one, is the working directory
    if way == "console script":
        env["PYTHONPATH"] = f"{os.pathsep}{hostile.parent}"
        (hostile / "sitecustomize.py").unlink()  # Python itself runs that one
    ran = run("--provider", "simulated", "--seed", "1", "--ability", ABILITY, "--fault", FAULT,
              folder=hostile, command=command, env=env)  # fmt: skip
    judge(ran)


def judge(ran: Ran) -> None:
    assert ran.code == 1, ran.said
    result = ran.results[ABILITY]
    assert (result["outcome"], result["findings"][0]["nodes"]) == ("failed", ["win-1"])
    assert ran.report["verdict"] == "not ready"
    assert ran.junit.find(".//failure") is not None
