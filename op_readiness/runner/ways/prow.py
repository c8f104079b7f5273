"""`$ARTIFACTS/metadata.json`: Prow merges it into finished.json, where Spyglass shows it and TestGrid finds its column.

Flat, with string values, as only these are shown. What somebody else wrote there before us stays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from op_readiness.model.results import RunResult
from op_readiness.reports.footer import verdict_of
from op_readiness.reports.text import one_line
from op_readiness.reports.writing import write_whole
from op_readiness.runner.listening import Listener

FILE = "metadata.json"


class Artifacts(Listener):
    """Writes metadata.json into a folder of artifacts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reported(self, run: RunResult, folder: Path, files: Sequence[Path]) -> Sequence[Path]:
        """Beside the other reports."""
        values = {**_already(self.folder / FILE), **metadata(run)}
        return [write_whole(self.folder / FILE, json.dumps(values, indent=2) + "\n")]


def metadata(run: RunResult) -> dict[str, str]:
    """What is said of a run; `revision` is Kubernetes' version."""
    nodes = run.facts.get("nodes") or ()
    builds = {str(node.get("build")) for node in nodes if node.get("os") == "windows" and node.get("build")}
    values = {
        "revision": str(run.facts.get("version") or ""),
        "op-readiness-version": run.version,
        "op-readiness-run": run.run_id,
        "op-readiness-verdict": run.verdict.value,
        "windows-builds": ", ".join(sorted(builds)),
        "simulated": "true" if run.simulated else "",
        **{f"verdict {category.name}": verdict_of(category, run) for category in run.categories},
    }
    return {one_line(name, 100): one_line(value, 500) for name, value in values.items() if value}


def _already(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(found) if isinstance(found, dict) else {}
