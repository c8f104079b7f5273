"""Rules that keep the packages apart, checked on the syntax trees of every source file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "model": set(),
    "cluster": {"model"},
    "workloads": {"cluster", "model"},
    "observe": {"workloads", "cluster", "model"},
    "suite": {"observe", "workloads", "cluster", "model"},
    "reports": {"model"},
    "runner": {"reports", "suite", "observe", "workloads", "cluster", "model", "simulator"},
    "cli": {"cli_options", "cli_sonobuoy", "runner"},
    "cli_sonobuoy": {"cli_options", "runner"},
    "cli_options": set(),
    "__main__": {"cli"},
    "simulator": set(),
    "categories": {"suite", "observe", "workloads", "model"},
    "plugins": {"suite", "observe", "cluster", "model"},
}
"""Package of op_readiness (or top-level folder) -> packages that it may import besides itself."""

ONE_WAY_WITHIN = ("runner", "suite", "suite/subjects", "workloads", "simulator/controlplane", "simulator/programs")
"""Folders of op_readiness whose own folders import one way too."""

PROCESS_MODULES = {"op_readiness/runner/processes.py", "op_readiness/simulator/processes.py"}
PROCESS_CALLS = {("os", "kill"), ("os", "killpg"), ("os", "fork"), ("os", "forkpty"), ("os", "setsid")}
SLEEPING_MODULES = {"op_readiness/model/clock.py", "op_readiness/simulator/clock.py"}
STANDARD_IMPORTER_OF_KUBERNETES = "cluster"


def sources() -> Iterator[Path]:
    for folder in ("op_readiness", "categories", "plugins"):
        yield from sorted((ROOT / folder).rglob("*.py"))


FILES = list(sources())
IDS = [str(path.relative_to(ROOT)) for path in FILES]


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if parts[0] != "op_readiness" else Path(parts[1]).stem


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def broken_rules(path: Path) -> list[str]:
    name = str(path.relative_to(ROOT))
    tree = ast.parse(path.read_text("utf-8"))
    broken = [*import_rules(path, tree), *call_rules(name, tree)]
    return [f"{name}:{line}: {rule}" for line, rule in dict.fromkeys(broken)]


def import_rules(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    package = package_of(path)
    for line, module in imports(tree):
        top, _, rest = module.partition(".")
        other = rest.partition(".")[0]
        if top in ("categories", "plugins") or (top == "op_readiness" and other in ("categories", "plugins")):
            yield line, f"{module} is discovered, never imported"
        elif top == "op_readiness" and other in MAY_IMPORT and package != "__init__":
            if other not in {package, *MAY_IMPORT[package]}:
                yield line, f"{package} may not import {other} (imports go one way)"
        elif top == "kubernetes" and package != STANDARD_IMPORTER_OF_KUBERNETES:
            yield line, "only op_readiness/cluster imports kubernetes"
        elif top == "tests":
            yield line, "nothing that ships imports the self-tests"


def call_rules(name: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "no bare assert outside the self-tests: with PYTHONOPTIMIZE it vanishes"
        if isinstance(node, ast.Import) and any(alias.name == "fcntl" for alias in node.names):
            yield node.lineno, "fcntl is not everywhere"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called = (node.value.id, node.attr)
            if called in PROCESS_CALLS and name not in PROCESS_MODULES:
                yield node.lineno, f"{'.'.join(called)} belongs into a processes module"
            if called in sleeps(name):
                yield node.lineno, f"{'.'.join(called)}: wait by a clock"


def sleeps(name: str) -> set[tuple[str, str]]:
    """Ways of sleeping that a module may not use; the simulator's event loop has its own."""
    if name in SLEEPING_MODULES:
        return set()
    forbidden = {("time", "sleep")}
    return forbidden if name.startswith("op_readiness/simulator/") else {*forbidden, ("asyncio", "sleep")}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_a_source_file_keeps_the_rules(path):
    """Imports go one way; no bare assert; processes and sleeping stay in their modules."""
    assert broken_rules(path) == []


def test_the_rules_see_what_they_forbid(tmp_path, monkeypatch):
    """A file that breaks every rule is named with file, line and rule."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    bad = tmp_path / "op_readiness" / "model" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text(
        "import os, time, fcntl, kubernetes\nfrom op_readiness.cluster import api\nfrom categories import x\n"
        "assert True\nos.kill(1, 9)\ntime.sleep(1)\n"
    )
    found = broken_rules(bad)
    assert sorted({int(line.split(":")[1]) for line in found}) == [1, 2, 3, 4, 5, 6]
    assert all(line.startswith("op_readiness/model/bad.py:") for line in found)


def ways_within(folder: Path) -> dict[str, set[str]]:
    """Folder in `folder` -> other folders in it that its files import."""
    rooms = {room.name for room in folder.iterdir() if (room / "__init__.py").is_file()}
    within = ".".join(folder.relative_to(ROOT).parts) + "."
    ways: dict[str, set[str]] = {room: set() for room in rooms}
    for room in rooms:
        for path in (folder / room).rglob("*.py"):
            taken = (module for _, module in imports(ast.parse(path.read_text("utf-8"))) if module.startswith(within))
            ways[room] |= {module.removeprefix(within).partition(".")[0] for module in taken} & rooms - {room}
    return ways


@pytest.mark.parametrize("folder", ONE_WAY_WITHIN)
def test_rooms_of_a_folder_import_one_way(folder):
    """No folder in it leads back to itself."""
    ways = ways_within(ROOT / "op_readiness" / folder)
    while over := [room for room, others in ways.items() if not others & ways.keys()]:
        ways = {room: others for room, others in ways.items() if room not in over}
    assert ways == {}
