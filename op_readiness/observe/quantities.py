"""Kubernetes' quantities as numbers. The client has this too, behind an import that costs a worker a second."""

from __future__ import annotations

import re
from decimal import Decimal
from math import ceil

FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1), "k": Decimal(1000),
    "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip
MIB, GIB = 2**20, 2**30
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]*)")


def number(quantity: str | int | float) -> Decimal:
    """The number that a quantity stands for; raises ValueError for what is none."""
    found = _FORM.fullmatch(str(quantity).strip())
    if not found or found[2] not in FACTORS:
        raise ValueError(f"not a quantity: {quantity!r}")
    return Decimal(found[1]) * FACTORS[found[2]]


def in_bytes(quantity: str | int | float) -> int:
    """Whole bytes, rounded up."""
    return ceil(number(quantity))


def in_millicores(quantity: str | int | float) -> int:
    """Thousandths of a CPU, rounded up."""
    return ceil(number(quantity) * 1000)


def shown(size: int) -> str:
    """Bytes as a person reads them, `3.5 GiB`."""
    if size >= GIB:
        return f"{size / GIB:.2f} GiB"
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{size} bytes"
