"""What the fault files' readers share: the one error they raise, nearest names, durations."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class FaultError(ValueError):
    """A fault that cannot be put in as written; the message says what, where, and the nearest known word."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the known words where none is near, or nothing where none is known."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names)}" if names else ""


def seconds(text: Any) -> float:
    """Cluster seconds of `90`, `1.5`, `"30s"`, `"5m"`, `"2h"`, `"1d"` or `"200ms"`; raises FaultError."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?", str(text).strip())
    if not found:
        raise FaultError(f"{text!r} is not a duration: write seconds, or 200ms, 30s, 5m, 2h, 1d")
    return float(found[1]) * UNITS[found[2] or "s"]
