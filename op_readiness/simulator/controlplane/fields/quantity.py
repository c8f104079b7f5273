"""Resource quantities: `500m`, `1Gi`, `1e3`; parsed exactly and written as the API server writes them."""

from __future__ import annotations

import functools
import re
from decimal import ROUND_UP, Decimal

PATTERN = re.compile(r"([+-]?[0-9]+\.?[0-9]*|[+-]?\.[0-9]+)([eE][-+]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")
BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BY_POWER = {power: suffix for suffix, power in DECIMAL.items()}
REFUSED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def _split(text: str) -> tuple[Decimal, str]:
    match = PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(REFUSED)
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix.endswith("i"):
        return number * (Decimal(1024) ** BINARY.index(suffix)), suffix
    if suffix[:1] in ("e", "E") and len(suffix) > 1:
        return number.scaleb(int(suffix[1:])), "e"
    return number.scaleb(DECIMAL[suffix]), suffix


def amount(value: str | float) -> Decimal:
    """The number that a quantity stands for; ValueError with the server's text for anything else."""
    return _split(str(value))[0]


@functools.lru_cache(4096)
def canonical(text: str) -> str:
    """The quantity as the server stores it: largest suffix without a fraction, nothing below a nano."""
    number, suffix = _split(text)
    number = number.quantize(Decimal("1e-9"), rounding=ROUND_UP)
    if number == 0:
        return "0"
    if suffix.endswith("i") and number == number.to_integral_value() and abs(number) >= 1024:
        return _binary(int(number))
    return _decimal(number, exponent=suffix == "e")


def _binary(number: int) -> str:
    power = 0
    while number % 1024 == 0 and power < len(BINARY) - 1:
        number, power = number // 1024, power + 1
    return f"{number}{BINARY[power]}"


def _decimal(number: Decimal, *, exponent: bool) -> str:
    nanos, power = int(number.scaleb(9)), -9
    while nanos % 1000 == 0 and power < 18:
        nanos, power = nanos // 1000, power + 3
    if exponent:
        return f"{nanos}e{power}" if power else str(nanos)
    return f"{nanos}{BY_POWER[power]}"
