"""What people type is checked where it enters: an unknown name is a usage error that offers the nearest one."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from op_readiness.model.errors import UsageError

LISTED = {"fault": "op-readiness simulate faults"}
"""Where the known names of a kind are listed, if not with the abilities."""


def nearest(name: str, known: Collection[str]) -> str:
    """The known name closest to `name`, whatever its case, or empty if none is near."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else ""


def unknown(what: str, name: str, known: Collection[str]) -> UsageError:
    """The usage error for a name that is not known."""
    near = nearest(name, known)
    listed = ", ".join(known)
    where = f"see {LISTED.get(what, 'op-readiness list')}"
    offer = f"did you mean {near}?" if near else f"known: {listed}" if len(listed) < 400 else where
    return UsageError(f"unknown {what} {name!r}: {offer}")


def must_be_known(what: str, name: str, known: Collection[str]) -> str:
    """`name`, if it is known. Raises UsageError naming the nearest."""
    if name not in known:
        raise unknown(what, name, known)
    return name
