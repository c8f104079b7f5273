"""Time stamps as API objects carry them: the wall's, also in a cluster whose clock runs faster."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> str:
    """To the second, as most fields have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def now_micro() -> str:
    """With microseconds, as Leases have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
