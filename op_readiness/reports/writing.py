"""Reports on disk: each appears whole or not at all, whatever ends the process."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from op_readiness.model.errors import OpReadinessError
from op_readiness.model.results import RunResult
from op_readiness.reports.json import render_json
from op_readiness.reports.junit import render_junit
from op_readiness.reports.terminal import render_text

JUNIT, JSON, TEXT = "junit_01.xml", "report.json", "report.txt"


def write_reports(run: RunResult, folder: Path) -> list[Path]:
    """Write every format; the files, in a stable order. Raises OpReadinessError where the folder takes none."""
    names = [str(folder / name) for name in (JUNIT, JSON, TEXT)]
    contents = (render_junit(run), render_json(run), render_text(run, reports=names))
    return [write_whole(Path(name), content) for name, content in zip(names, contents, strict=True)]


def write_whole(path: Path, content: str) -> Path:
    """Write a temporary file beside the target, then rename it. World-readable: Sonobuoy's worker is another user."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(content)
            Path(temporary).chmod(0o644)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        why = error.strerror or error
        raise OpReadinessError(f"cannot write {path}: {why}; choose another --report-dir") from error
    return path
