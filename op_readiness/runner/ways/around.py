"""Who listens to a run, by the environment in which it was started, and by `--github`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from op_readiness.runner.listening import Listener, Listeners


def listeners_of(environ: Mapping[str, str], handover: Listener | None, *, github: bool = False) -> Listeners:
    """The listeners of a run; the handover comes last, since it packs what the others wrote."""
    found: list[Listener] = []
    if (port := environ.get("SONOBUOY_PROGRESS_PORT", "")).isdecimal() and handover is not None:
        from op_readiness.runner.sonobuoy.progress import Progress

        found.append(Progress(port))
    if artifacts := environ.get("ARTIFACTS"):
        from op_readiness.runner.ways.prow import Artifacts

        found.append(Artifacts(Path(artifacts)))
    if github:
        from op_readiness.runner.ways.github import GitHub

        found.append(GitHub(environ.get("GITHUB_STEP_SUMMARY", "")))
    return Listeners([*found, *([handover] if handover else [])])
