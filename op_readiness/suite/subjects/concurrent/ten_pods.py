"""Ten Windows Pods behind one Service: all of them met, none else, also after three have gone and come elsewhere.

The names that answer must be exactly the Ready Pods, for a client on each Node: one dead backend of ten hides behind
nine that answer, and on one Node alone (kubernetes/kubernetes#138602, kubernetes/kubernetes#96517).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.model.facts import NodeFact
from op_readiness.observe import paths, slices
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed
from op_readiness.observe.traffic import Target
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HTTP_PORT, UDP_PORT, Manifest

Object = dict[str, Any]
COUNT, MOVED, APP = 10, 3, "ten"
TRIES = 60
"""Tries of one round to meet ten Pods; with the hold one is missed in 1 of 160 rounds, and another round follows.
e2e's bound for ten endpoints is MaxTries = 10 * 10 + 30 (test/e2e/framework/network/utils.go).
"""
HOLD_SECONDS, A_SECOND = 60, 2


@dataclass
class TenPods:
    """Ten echo Pods over the Windows Nodes behind one Service of type `kind`."""

    workshop: Workshop
    reach: Reach
    nodes: Sequence[NodeFact]
    kind: str = "ClusterIP"
    service: Object = field(default_factory=dict)
    pods: list[Object] = field(default_factory=list)
    moved: int = 0
    changed: bool = False

    def start(self) -> None:
        """Service and Pods made at once, the Pods Ready."""
        self.service = self.workshop.create(self.workshop.service(APP, app=APP, kind=self.kind))
        self.pods = self.workshop.pods([self._pod(n, self._node(n)) for n in range(COUNT)])

    @property
    def exposed(self) -> Exposed:
        """The Service and the Pods that are behind it now."""
        return self.workshop.exposed(self.service, self.pods)

    def must_answer(self, clients: Sequence[Client]) -> None:
        """Every client meets exactly the Pods by ClusterIP, over TCP and UDP: each has backends of its own."""
        self._must_offer()
        ways = [self.exposed.by_cluster_ip(), self.exposed.by_cluster_ip_udp()]
        self.reach.every(clients, [_every_name(way) for way in ways], after_change=self.changed)

    def must_hold(self, clients: Sequence[Client]) -> None:
        """The same, over UDP too, and two requests a second are answered for a minute."""
        self._must_offer()
        held = replace(
            self.exposed.by_cluster_ip(),
            name_tries=COUNT,
            hold_tries=HOLD_SECONDS * A_SECOND,
            hold_pause=1 / A_SECOND,
        )
        self.reach.every(clients, [held, _every_name(self.exposed.by_cluster_ip_udp())])

    def must_answer_through(self, pairs_of: Sequence[tuple[Sequence[Client], Sequence[NodeFact]]]) -> None:
        """Each group of clients meets exactly the Pods by the port of each of its Nodes, but its own Node's."""
        self._must_offer()
        pairs = [pair for clients, nodes in pairs_of for pair in paths.to_other_nodes(clients, self.exposed, nodes)]
        self.reach.pairs([(client, _every_name(target)) for client, target in pairs], after_change=self.changed)

    def remove_three(self) -> None:
        """Three Pods of different Nodes gone, one after the other."""
        for pod in self.pods[:MOVED]:
            self.workshop.pods_away([pod])
        self.pods, self.changed = self.pods[MOVED:], True

    def add_three_elsewhere(self) -> None:
        """Three new Pods, each on the Node after the one that lost a Pod: their addresses may be those of the old."""
        self.moved += 1
        for n in range(MOVED):
            self.pods += self.workshop.pods([self._pod(COUNT * self.moved + n, self._node(n + 1))])

    def _must_offer(self) -> None:
        expected = frozenset((pod["status"]["podIP"], port) for pod in self.pods for port in (HTTP_PORT, UDP_PORT))
        timeouts = self.workshop.context.timeouts
        slices.must_offer(self.workshop.cluster, self.workshop.namespace, APP, expected, timeouts=timeouts)

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        return self.workshop.echo_pod(f"{APP}-{number}", "windows", node, app=APP)

    def _node(self, number: int) -> NodeFact:
        return self.nodes[number % len(self.nodes)]


def _every_name(target: Target) -> Target:
    return replace(target, name_tries=TRIES)
