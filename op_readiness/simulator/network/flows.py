"""One way through the network and what messages meet on it: ends, legs, and the judgement by the ROUTE tables."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from op_readiness.simulator.network.acl import passes
from op_readiness.simulator.network.interface import Peer
from op_readiness.simulator.network.keys import Backend, RouteKey, RouteValue
from op_readiness.simulator.network.services import family_of
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.table import Table
from op_readiness.simulator.network.tables import subnet_of

PASS = RouteValue()
NOBODY = Peer("", 0)


@dataclass(frozen=True)
class Leg:
    """A stretch between two stacks. `port` is the server's on this stretch."""

    source: Stack
    target: Stack
    source_ip: str
    target_ip: str
    port: int
    protocol: str
    via: str
    service: str = ""
    hairpin: bool = False

    def judge(self, direction: str, stage: str, size: int, opened: float) -> RouteValue:
        """What a message meets on this stretch."""
        sender, receiver = (self.source, self.target) if direction == "request" else (self.target, self.source)
        met = PASS
        for at, table in _tables(sender, receiver):
            if not (table.on_lookup or table.programmed):
                continue
            value = table.lookup(self._key(at, direction, stage, size, opened)) or PASS
            if value.verdict != "pass":
                return value
            met = RouteValue("pass", 1 - (1 - met.loss) * (1 - value.loss), met.delay + value.delay)
        return met

    def _key(self, at: str, direction: str, stage: str, size: int, opened: float) -> RouteKey:
        a, b, a_ip, b_ip = self.source, self.target, self.source_ip, self.target_ip
        if direction == "reply":
            a, b, a_ip, b_ip = b, a, b_ip, a_ip
        same = a.machine.name == b.machine.name
        return RouteKey(
            at, a.machine.name, b.machine.name, a.machine.os, b.machine.os, a.machine.build, b.machine.build,
            subnet_of(a.machine), subnet_of(b.machine), a.kind, b.kind, a.pod, b.pod, a_ip, b_ip,
            self.port, self.protocol, family_of(b_ip), self.via, self.service, direction, stage, size, same,
            self.hairpin, opened,
        )


@dataclass
class Flow:
    """A way from a client to a server, as the tables had it when it was asked for.

    `verdict` is pass, drop, refuse, no-reply, unreachable (no network) or no-neighbour (own subnet, nobody there).
    `forward` and `back` look again whether messages still get there and answers still come back.
    """

    verdict: str
    client: Stack
    protocol: str
    port: int = 0
    server: Stack | None = None
    server_ip: str = ""
    seen: Peer = NOBODY
    legs: tuple[Leg, ...] = ()
    backend: Backend | None = None
    forward: Callable[[], bool] = bool
    back: Callable[[], bool] = bool
    client_ip: str = ""

    def server_attached(self) -> bool:
        """Whether the server's stack still has its network; to talk to itself it needs none."""
        return self.server is None or self.server is self.client or self.server.attached

    def judge(self, direction: str, stage: str, size: int, opened: float, chance: random.Random) -> RouteValue:
        """What a message meets on the whole way; a lost one meets `drop`."""
        delay = 0.0
        for leg in self.legs if direction == "request" else reversed(self.legs):
            value = leg.judge(direction, stage, size, opened)
            if value.verdict != "pass":
                return value
            if value.loss and chance.random() < value.loss:
                return RouteValue("drop")
            delay += value.delay
        return RouteValue("pass", 0.0, delay)

    def allowed(self) -> bool:
        """Whether the ACLs of both ends let the client in."""
        if self.server is None or self.client is self.server:
            return True
        served, port = bool(self.legs) and self.legs[-1].service != "", (self.protocol, self.port)
        return passes(self.client, "egress", self.server, self.server_ip, port, served) and passes(
            self.server, "ingress", self.client, self.client_ip, port, served
        )


def _tables(sender: Stack, receiver: Stack) -> list[tuple[str, Table[RouteKey, RouteValue]]]:
    tables = []
    if sender.tables is not None:
        tables.append(("out", sender.tables.route))
    if receiver.tables is not None and receiver.tables is not sender.tables:
        tables.append(("in", receiver.tables.route))
    return tables
