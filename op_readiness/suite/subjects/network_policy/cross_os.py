"""Pods of two operating systems under the same policies, in both directions.

Namespace x has Pods a on Windows and b on Linux, y has a on Linux and b on Windows, so that each policy on x is asked
from the other operating system as well as from its own. The two data planes of one CNI may differ in speed and in what
they take for a Pod's address: both are judged, and the slower one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from op_readiness.model.facts import NodeFact
from op_readiness.observe.truth import Reply
from op_readiness.suite.subjects.network_policy.policed import POLICED, Policed, Stand


@dataclass(frozen=True)
class OsStand(Stand):
    """A Pod that tables name with its operating system."""

    @property
    def short(self) -> str:
        """As `x/a windows win-1`."""
        place = self.client.place
        return f"{self.space}/{self.who} {place.os} {place.node}"


@dataclass
class CrossOs(Policed):
    """`spaces` are the Pods on each Windows Node, `on_linux` those on each of `linux`; none is a mere control."""

    on_linux: dict[str, tuple[str, ...]] = field(kw_only=True)

    def start(self) -> None:
        """Namespaces, Services and Pods made, all Pods Ready."""
        self._make_namespaces()
        places = ((self.spaces, self.nodes), (self.on_linux, self.linux))
        pods = [(space, who, nodes) for spaces, nodes in places for space, all in spaces.items() for who in all]
        self.stands = self._stand([(space, who, node) for space, who, nodes in pods for node in nodes])

    def _stand(self, wanted: Sequence[tuple[str, str, NodeFact]], suffix: str = "") -> list[Stand]:
        return [OsStand(one.space, one.who, one.pod, one.service, one.client) for one in super()._stand(wanted, suffix)]

    def _guilty(self, judged: Sequence[Reply]) -> tuple[str, ...]:
        """Under policies Pods that none selects do not speak for their Node: no rule of it has let them in."""
        policed = [one for one in judged if not one.right or one.question.target.namespace == self._names[POLICED]]
        return super()._guilty(policed if self.policies else judged)

    def _near(self, client: Stand, count: int) -> set[str]:
        """Every Node of the other operating system, and the client's own."""
        others = self.linux if client.client.place.os == "windows" else self.nodes
        return {client.client.place.node, *(node.name for node in others)}
