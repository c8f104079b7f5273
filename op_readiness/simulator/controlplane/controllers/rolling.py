"""The arithmetic of a rolling update: how many Pods old and new ReplicaSets may have next. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """One ReplicaSet: what it asks for, what it has, what of it is available; `age` sorts the oldest first."""

    name: str
    wanted: int
    have: int = 0
    available: int = 0
    age: str = ""


def share(value: int | str | None, total: int, *, up: bool) -> int:
    """An absolute number, or a percentage of `total` rounded up or down."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    exact = float(value.removesuffix("%")) * total / 100
    return math.ceil(exact) if up else math.floor(exact)


def fenceposts(max_surge: int | str | None, max_unavailable: int | str | None, desired: int) -> tuple[int, int]:
    """(surge, unavailable) as numbers of Pods; when both come to 0, one may be unavailable."""
    surge, unavailable = share(max_surge, desired, up=True), share(max_unavailable, desired, up=False)
    return surge, (1 if surge == 0 and unavailable == 0 else min(unavailable, desired))


def grown(new: Size, olds: list[Size], desired: int, surge: int) -> int:
    """What the new ReplicaSet may ask for now."""
    if new.wanted >= desired:
        return desired
    room = desired + surge - sum(each.wanted for each in [new, *olds])
    return new.wanted + max(0, min(room, desired - new.wanted))


def shrunk(new: Size, olds: list[Size], desired: int, unavailable: int) -> dict[str, int]:
    """What old ReplicaSets must come down to: unhealthy Pods go first, then as many as availability allows."""
    at_least = desired - unavailable
    waiting = new.wanted - new.available
    spare = sum(each.wanted for each in [new, *olds]) - at_least - waiting
    wanted = {each.name: each.wanted for each in olds}
    if spare <= 0:
        return {}
    for old in sorted(olds, key=lambda each: (each.age, each.name)):
        cut = min(spare, wanted[old.name] - old.available, old.wanted)
        if cut > 0:
            wanted[old.name] -= cut
            spare -= cut
    healthy = new.available + sum(each.available for each in olds) - at_least
    for old in sorted(olds, key=lambda each: (each.age, each.name)):
        cut = min(healthy, wanted[old.name])
        if cut > 0:
            wanted[old.name] -= cut
            healthy -= cut
    return {each.name: wanted[each.name] for each in olds if wanted[each.name] != each.wanted}


def resized(sizes: list[Size], newest: str, desired: int, surge: int, was_allowed: int) -> dict[str, int]:
    """New numbers when a Deployment is scaled in the middle of a rollout: in proportion, the rest to the largest.

    `was_allowed` is how many Pods there might be before (desired and surge of then).
    """
    total = sum(each.wanted for each in sizes)
    allowed = desired + surge if desired > 0 else 0
    left = allowed - total
    order = sorted(sizes, key=lambda each: (-each.wanted, each.name != newest, each.age))
    wanted = {}
    for each in order:
        part = round(each.wanted * allowed / was_allowed) - each.wanted if was_allowed > 0 and left else 0
        part = min(part, left) if left > 0 else max(part, left)
        wanted[each.name] = max(0, each.wanted + part)
        left -= part
    if order and left:
        wanted[order[0].name] = max(0, wanted[order[0].name] + left)
    return {each.name: wanted[each.name] for each in sizes if wanted[each.name] != each.wanted}
