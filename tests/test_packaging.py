"""The wheel: it holds everything that the tree holds, brings one top-level name, and works where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.product import ROOT, environment, run

PACKAGES = {"op_readiness": "op_readiness", "categories": "op_readiness/categories", "plugins": "op_readiness/plugins"}
UNWANTED = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Installed:
    """An environment into which the wheel was installed; the rest comes from this one."""

    scripts: Path
    packages: Path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is written into the tree."""
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=UNWANTED)
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, source / name)
    words = ["--wheel", "--no-isolation", "--outdir", str(source / "dist"), str(source)]
    command = [sys.executable, "-m", "build", *words]
    built = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), cwd=source.parent)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = (source / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment with the wheel; what it depends on is taken from this environment, without the network."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / Path(sys.executable).name)
    pip = [sys.executable, "-m", "pip", "--python", python]
    command = [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=bare())
    assert done.returncode == 0, done.stderr
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, capture_output=True, text=True, check=True, env=bare()).stdout.strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(scripts, packages)


def bare() -> dict[str, str]:
    return {name: value for name, value in environment().items() if name != "PYTHONPATH"}


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def test_the_wheel_holds_what_the_tree_holds(wheel):
    """No data file is forgotten, and nothing else is packed."""
    expected = {f"{place}/{name}" for folder, place in PACKAGES.items() for name in files_below(ROOT / folder)}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_wheel_brings_one_name(installed):
    """No bare `categories` or `plugins` or `tests` lands beside everybody's packages."""
    names = {path.name for path in installed.packages.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"op_readiness", "dependencies.pth"}


def test_an_installed_wheel_lists_its_abilities(installed, tmp_path):
    """The catalogue is found where the wheel put it."""
    command = [str(installed.scripts / "op-readiness")]
    ran = run("list", "--format", "json", "--category", "Core.Network", folder=tmp_path, command=command, env=bare())
    assert ran.code == 0, ran.said
    assert "net-pod-ip-windows" in json.dumps(json.loads(ran.out))
    version = run("--version", folder=tmp_path, command=command, env=bare())
    assert (version.code, "op-readiness" in version.out) == (0, True), version.said


@pytest.mark.cluster
def test_an_installed_wheel_runs(installed, tmp_path):
    """Two abilities side by side, on a simulated cluster, from the wheel alone."""
    words = ("--provider", "simulated", "--nodes", "windows=1,linux=1", "--workers", "2")
    abilities = ("net-windows-to-linux-pod-ip", "net-linux-to-windows-pod-ip")
    command = [str(installed.scripts / "op-readiness")]
    ran = run(*words, "--ability", ",".join(abilities), folder=tmp_path, command=command, env=bare())
    assert ran.code == 0, ran.said
    assert {ability: result["outcome"] for ability, result in ran.results.items()} == dict.fromkeys(abilities, "passed")
    asked = [str(installed.scripts / "python"), "-c", "import op_readiness; print(op_readiness.__file__)"]
    place = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=tmp_path, env=bare()).stdout
    assert place.startswith(str(installed.packages))
