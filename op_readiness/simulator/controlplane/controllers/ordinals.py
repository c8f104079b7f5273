"""The order in which a StatefulSet's Pods are made, replaced and taken away. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One Pod of a StatefulSet; `available` is ready for long enough, `going` is being deleted."""

    ordinal: int
    name: str
    revision: str = ""
    available: bool = False
    finished: bool = False
    going: bool = False

    @property
    def healthy(self) -> bool:
        """Whether the next Pod need not wait for this one."""
        return self.available and not self.going


@dataclass(frozen=True)
class Step:
    """Create or delete the Pod of that ordinal."""

    ordinal: int
    create: bool


def ordinal_of(name: str) -> int:
    """The number at the end of a Pod's name, or -1."""
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def next_steps(
    members: Sequence[Member], ordinals: range, *, parallel: bool, update: str, partition: int, unavailable: int = 1
) -> list[Step]:
    """What to do now. `update` is the revision that Pods are to have, empty where only their deletion brings it."""
    have = {member.ordinal: member for member in members}
    steps: list[Step] = []
    for ordinal in ordinals:
        member = have.get(ordinal)
        if member is None:
            steps.append(Step(ordinal, create=True))
        elif member.finished and not member.going:
            steps.append(Step(ordinal, create=False))
        if not parallel and (steps or not (member and member.healthy)):
            return steps
    beyond = sorted((member for member in members if member.ordinal not in ordinals), key=lambda each: -each.ordinal)
    if beyond:
        first = beyond[:1] if not parallel else beyond
        return steps + [Step(member.ordinal, create=False) for member in first if not member.going]
    return steps or _updates([have[ordinal] for ordinal in ordinals], update, ordinals.start + partition, unavailable)


def _updates(members: Sequence[Member], update: str, first: int, unavailable: int) -> list[Step]:
    """Replace from the highest ordinal downwards, never more at once than may be unavailable."""
    if not update:
        return []
    steps: list[Step] = []
    waiting = sum(1 for member in members if not member.healthy)
    for member in sorted(members, key=lambda each: -each.ordinal):
        if member.ordinal < first:
            break
        if member.revision != update and not member.going:
            if member.healthy:
                if waiting >= unavailable:
                    break
                waiting += 1
            steps.append(Step(member.ordinal, create=False))
            if unavailable == 1:
                break
        elif not member.healthy and unavailable == 1:
            break
    return steps
