"""Amounts of resources as whole numbers: milli-units for cpu, units (bytes, pieces) for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

from op_readiness.simulator.api import Object

Amounts = dict[str, int]
SUFFIXES = {
    "": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10**3),
    "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}


@lru_cache(maxsize=4096)
def amount(resource: str, quantity: str) -> int:
    """A quantity of that resource, rounded up; `1500m` of cpu is 1500, `1Gi` of memory 1073741824."""
    digits = quantity.rstrip("numkMGTPEi")
    value = Decimal(digits) * SUFFIXES[quantity[len(digits):]]
    return int((value * 1000 if resource == "cpu" else value).to_integral_value(ROUND_CEILING))


def amounts(quantities: Mapping[str, object] | None) -> Amounts:
    """All quantities of a resource list."""
    return {name: amount(name, str(value)) for name, value in (quantities or {}).items()}


def plus(one: Amounts, other: Amounts) -> Amounts:
    """The sum, resource by resource."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in one.keys() | other.keys()}


def most(one: Amounts, other: Amounts) -> Amounts:
    """The larger of both, resource by resource."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in one.keys() | other.keys()}


def pod_requests(pod: Object) -> Amounts:
    """What the Pod asks of a Node: its containers together or the hungriest moment of its start, and its overhead."""
    spec = pod["spec"]
    together: Amounts = {}
    for container in spec["containers"]:
        together = plus(together, _requests(container))
    sidecars: Amounts = {}
    start: Amounts = {}
    for container in spec.get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            sidecars = plus(sidecars, _requests(container))
            start = most(start, sidecars)
        else:
            start = most(start, plus(sidecars, _requests(container)))
    total = most(plus(together, sidecars), start)
    total |= amounts((spec.get("resources") or {}).get("requests"))
    return plus(total, amounts(spec.get("overhead")))


def _requests(container: Object) -> Amounts:
    return amounts((container.get("resources") or {}).get("requests"))
