"""Who started this command, and what is owed to them when it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from op_readiness.runner.sonobuoy.handover import VARIABLE, Handover, handover_of


def owed(words: Sequence[str], environ: Mapping[str, str], commands: Sequence[str]) -> Handover | None:
    """The handover to Sonobuoy, or to who runs a conformance image (no arguments, E2E_FOCUS set); None for people."""
    if not environ.get(VARIABLE) and not words and "E2E_FOCUS" in environ:
        from op_readiness.runner.ways.conformance import Conformance

        return Conformance(environ)
    return handover_of(words, environ, commands)
