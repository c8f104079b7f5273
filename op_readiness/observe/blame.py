"""Which Nodes a pattern of good and bad legs accuses.

Real faults sit on one Node, and a leg has two ends (three, when a Service's backend runs elsewhere). A Node in a role
(as client, as target, as home of a backend) is accused when it explains more bad legs, with fewer good ones against it,
than any other; what it explains is then set aside, and the rest is explained in the same way.
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
) -> tuple[float, float, bool, str]:
    against = sum(role in s.roles for s in bad)
    in_favour = sum(role in s.roles for s in good)
    return against / (against + in_favour), against, role[1] in windows_nodes, role[0]
