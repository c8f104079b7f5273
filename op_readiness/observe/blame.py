"""Which Nodes a pattern of good and bad legs accuses.

Real faults sit on one Node, and a leg has two ends (three, when a Service's backend runs elsewhere). A Node in a role
(as client, as target, as home of a backend) in which nothing is well is accused before any other, the one first that
explains most; where a single path is bad, its Windows end is. What is explained is set aside, and so on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sighting:
    """One leg as evidence: the Nodes it touched by role, and whether it was good.

    A bad leg may narrow its suspects: a missing backend puts `backend` to the Nodes of the missing ones alone.
    """

    good: bool
    client: str = ""
    target: str = ""
    backends: frozenset[str] = field(default_factory=frozenset)

    @property
    def roles(self) -> set[tuple[str, str]]:
        """(role, Node) pairs that take part."""
        roles = {("backend", node) for node in self.backends}
        if self.client:
            roles.add(("client", self.client))
        if self.target:
            roles.add(("target", self.target))
        return roles


def accused(sightings: Sequence[Sighting], windows_nodes: frozenset[str]) -> tuple[str, ...]:
    """Nodes that the bad legs accuse, Windows Nodes before others where both explain as much; sorted."""
    unexplained = [s for s in sightings if not s.good]
    good = [s for s in sightings if s.good]
    found: list[str] = []
    while unexplained:
        best = max(
            {role for s in unexplained for role in s.roles},
            key=lambda r: _weight(r, unexplained, good, windows_nodes),
            default=None,
        )
        if best is None:
            break
        found.append(best[1])
        unexplained = [s for s in unexplained if best not in s.roles]
    return tuple(sorted(set(found)))


def _weight(
    role: tuple[str, str], bad: Sequence[Sighting], good: Sequence[Sighting], windows_nodes: frozenset[str]
) -> tuple[float | str, ...]:
    against = sum(role in s.roles for s in bad)
    share = against / (against + sum(role in s.roles for s in good))
    windows = role[1] in windows_nodes
    if share == 1:  # nothing speaks for it: the more it explains the better
        return 1, against, windows, share, role[0]
    return 0, windows, share, against, role[0]  # some paths are well: the Windows end of the bad one is to be looked at
