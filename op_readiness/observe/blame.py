"""Which Nodes a pattern of good and bad legs accuses.

Real faults sit on one Node, and a leg has two ends (three, when a Service's backend runs elsewhere). A Node in a role
(as client, as target, as home of a backend) is accused when it explains more bad legs than there are good ones to speak
for it, the one first that explains most: a Node that fails now and then has good legs too. Where a single path is bad,
its Windows end is accused. What is explained is set aside, and so on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Role = tuple[str, str]
"""client, target or backend; and a Node."""


@dataclass(frozen=True)
class Sighting:
    """One leg as evidence: the Nodes it touched by role, and whether it was good.

    A bad leg may narrow its suspects: a missing backend puts `backend` to the Nodes of the missing ones alone. A path
    that never left a Node speaks neither for it nor against another. `partly`: a bad leg on which everybody answered
    and some tries were lost all the same.
    """

    good: bool
    client: str = ""
    target: str = ""
    backends: frozenset[str] = field(default_factory=frozenset)
    partly: bool = False

    @property
    def roles(self) -> set[Role]:
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
    found: set[str] = set()
    while unexplained:
        best = max(
            {role for s in unexplained for role in s.roles},
            key=lambda r: _weight(r, unexplained, good, windows_nodes, found),
            default=None,
        )
        if best is None:
            break
        found.add(best[1])
        unexplained = [s for s in unexplained if best not in s.roles]
    return tuple(sorted(found))


def _weight(
    role: Role, bad: Sequence[Sighting], good: Sequence[Sighting], windows_nodes: frozenset[str], found: set[str]
) -> tuple[float | str, ...]:
    mine = [s for s in bad if role in s.roles]
    against, in_favour = len(mine), sum(role in s.roles for s in good)
    windows = role[1] in windows_nodes
    known = role[1] in found
    # A Node that is accused already explains what it lost now and then, however many of its legs lost nothing.
    if against > in_favour or (known and (against == in_favour or all(s.partly for s in mine))):
        return 1, known, against - in_favour, windows, role[0]  # one broken Node rather than two; then who explains
    return 0, windows, against / (against + in_favour), known, role[0]  # a single bad path: its Windows end
