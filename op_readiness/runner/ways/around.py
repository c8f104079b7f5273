"""Who listens to a run, by the environment in which it was started."""

from __future__ import annotations

from collections.abc import Mapping

from op_readiness.runner.ways.listening import Listener, Listeners


def listeners_of(environ: Mapping[str, str], handover: Listener | None) -> Listeners:
    """The listeners of a run; the handover comes last, since it packs what the others wrote."""
    found: list[Listener] = []
    if (port := environ.get("SONOBUOY_PROGRESS_PORT", "")).isdecimal() and handover is not None:
        from op_readiness.runner.sonobuoy.progress import Progress

        found.append(Progress(port))
    return Listeners([*found, *([handover] if handover else [])])
