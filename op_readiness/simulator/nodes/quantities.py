"""Quantities as Kubernetes writes them, to numbers."""

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


def value_of(quantity: str | int | float) -> Decimal:
    """The number that a quantity stands for; raises ValueError for what is none."""
    found = re.fullmatch(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)", str(quantity))
    if not found or found[2] not in FACTORS:
        raise ValueError(f"not a quantity: {quantity}")
    return Decimal(found[1]) * FACTORS[found[2]]


def bytes_of(quantity: str | int | float) -> int:
    """Whole bytes, rounded up."""
    return ceil(value_of(quantity))


def millicores_of(quantity: str | int | float) -> int:
    """Thousandths of a CPU, rounded up."""
    return ceil(value_of(quantity) * 1000)
