"""pytest as a child that nothing of the user's directory or environment can change.

Without this a foreign conftest.py is loaded, an assertion of a test vanishes with PYTHONOPTIMIZE, and a plugin that
happens to be installed turns a failed test into a passed one. So: a neutral working directory, an environment without
pytest's and Python's variables, no plugin autoload, no conftest.py but those of the folders themselves, our own ini
file, absolute paths.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import op_readiness
from op_readiness.model.errors import UsageError
from op_readiness.runner import processes

INI = """\
[pytest]
python_files = test_*.py
python_functions = test_*
addopts =
filterwarnings = default
"""

KEPT = frozenset({"PYTHONHOME", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONNOUSERSITE", "PYTHONUSERBASE"})
"""Python's variables that decide whether it starts at all, and not what it does."""

GRACE = 0.3
"""Seconds for a child to end by itself once its stdin is closed."""


@dataclass
class Child:
    """A pytest that runs. `log` is what it and its workers print; its workers wait for the file `context`."""

    process: subprocess.Popen[bytes]
    log: Path
    context: Path
    _file: IO[bytes]

    def tell(self, context: Mapping[str, Any]) -> None:
        """Give its workers the run that they take part in; the file is there whole, or not at all."""
        beside = self.context.with_suffix(".new")
        beside.write_text(json.dumps(context), "utf-8")
        os.replace(beside, self.context)

    def poll(self) -> int | None:
        """pytest's exit code, or None while it runs."""
        code = self.process.poll()
        if code is not None and not self._file.closed:
            self._file.close()
            if self.process.stdin is not None:
                self.process.stdin.close()
        return code

    def stop(self) -> None:
        """End it and its workers, now."""
        processes.end(self.process, within=GRACE)
        self._file.close()

    def kill_now(self) -> None:
        """End it without waiting for anything."""
        processes.kill_group(self.process)

    def last_words(self, lines: int = 15) -> str:
        """The last lines that it printed."""
        return "\n".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:])


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The child's environment: ours, without what changes how Python or pytest behave."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("PYTEST_", "OP_READINESS_", "COV_", "COVERAGE_"))
        and (not name.startswith("PYTHON") or name in KEPT)
    }
    kept |= {"PYTHONSAFEPATH": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    if root := checkout():
        kept["PYTHONPATH"] = str(root)
    return kept


def checkout() -> Path | None:
    """The folder from which this package is imported, unless it was installed as a wheel."""
    root = Path(op_readiness.__file__ or "").resolve().parent.parent
    return None if root.name in ("site-packages", "dist-packages") else root


def plugin_names() -> list[str]:
    """The pytest plugins that ship with us, as modules that the child can import."""
    package = Path(op_readiness.__file__ or "").resolve().parent
    for folder, prefix in ((package / "plugins", "op_readiness.plugins"), (package.parent / "plugins", "plugins")):
        if folder.is_dir():
            return [f"{prefix}.{file.stem}" for file in sorted(folder.glob("[a-z]*.py"))]
    return []


def arguments(
    folders: Sequence[Path], work: Path, *, workers: int, options: Sequence[str], plugins: Sequence[str] = ()
) -> list[str]:
    """pytest's arguments: ours, then `options` of `plugins`. `workers` 0 is without pytest-xdist."""
    plugins = ["xdist.plugin"] * bool(workers) + ["op_readiness.suite.plugin", *plugin_names(), *plugins]
    return [
        "-c", str(work / "readiness.ini"),
        f"--rootdir={work}",
        f"--confcutdir={folders[-1]}",
        "--import-mode=importlib",
        *[word for plugin in plugins for word in ("-p", plugin)],
        "-p", "no:cacheprovider",
        "--quiet", "--tb=short", "--color=no",
        *options,
        *(["-n", str(workers), "--dist=load", "--max-worker-restart=64"] if workers else []),
        *[str(folder) for folder in folders],
    ]  # fmt: skip


def must_stand_alone(folders: Sequence[Path]) -> None:
    """Raises UsageError for a test directory under a conftest.py that pytest would load with it.

    pytest keeps out what is above one folder (`--confcutdir`); what is above the others is looked for here.
    """
    above = set(folders[-1].parents)
    for folder in folders[:-1]:
        for parent in folder.parents:
            if parent not in above and (parent / "conftest.py").exists() and parent != checkout():
                raise UsageError(f"{parent / 'conftest.py'} would be loaded with {folder}: move it, or the folder")


def start(
    folders: Iterable[Path], work: Path, *, workers: int, name: str, environ: Mapping[str, str] = os.environ,
    plugins: Sequence[str] = (), options: Sequence[str] = (),
) -> Child:  # fmt: skip
    """Start pytest on the readiness tests of `folders`; `work` is a private directory, empty but for our own files.

    Its workers come up and then wait for `Child.tell`, unless `plugins` are given: these, told by `options` of their
    own, say what run it is.
    """
    (work / "readiness.ini").write_text(INI, "utf-8")
    (work / "here").mkdir(exist_ok=True)
    path = work / f"context-{name}.json"
    log = work / f"pytest-{name}.log"
    resolved = [Path(folder).resolve() for folder in folders]
    handed = [f"--opr-context={path}"] if not plugins else []
    args = arguments(resolved, work, workers=workers, options=[*handed, *options], plugins=plugins)
    command = [sys.executable, "-m", "op_readiness.runner.inside", *args]
    file = log.open("wb")
    process = processes.start(command, env=environment(environ), cwd=work / "here", stdout=file, stderr=file)
    return Child(process, log, path, file)
