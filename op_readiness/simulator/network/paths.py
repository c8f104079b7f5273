"""Where a packet goes: computed from the tables of the Nodes on its way and from nothing else.

A client's Node translates Service addresses; the Node that is called by its own address translates node ports; remote
endpoints say which Node an address lives on, and there the Pod's own endpoint has to be attached. Answers go the same
way back and are looked up anew, so a table that is wrong on one side alone loses them.
"""

from __future__ import annotations

import ipaddress
import random
from typing import Protocol

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.flows import Flow, Leg
from op_readiness.simulator.network.interface import Peer
from op_readiness.simulator.network.ipam import gateway
from op_readiness.simulator.network.keys import Backend, LbKey, LbValue
from op_readiness.simulator.network.services import family_of
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.tables import NodeTables, address_in, is_overlay, pod_cidr_in


class Places(Protocol):
    """Who is where: the Network."""

    def host_at(self, ip: str) -> Stack | None:
        """The stack of the Node, or of the control-plane host, that has this address."""

    def pod_stack(self, uid: str) -> Stack | None:
        """The stack of a Pod."""

    def tables_of(self, node: str) -> NodeTables | None:
        """The tables of a Node."""

    def outside(self, ip: str) -> Stack | None:
        """A host of the internet or of the site."""

    def balancer_nodes(self, ip: str, port: int, protocol: str) -> list[NodeTables]:
        """Nodes that a load balancer outside could hand a connection to."""


class Paths:
    """Finds ways. Choices among backends are drawn from `chance`."""

    def __init__(self, places: Places, clock: Clock, chance: random.Random) -> None:
        self._places, self.clock, self._chance = places, clock, chance
        self._affinity: dict[tuple[str, LbKey, str], tuple[Backend, float]] = {}

    def now(self) -> float:
        """Cluster time."""
        return self.clock.now()

    def forget(self) -> None:
        """Lose every client's affinity."""
        self._affinity.clear()

    def find(self, client: Stack, ip: str, port: int, protocol: str, pin: Backend | None = None) -> Flow:
        """The way from a client to ip:port now; `pin` is the backend that the flow has already been given."""
        addresses = client.addresses
        if _is_loopback(ip):
            return self._to_itself(client, ip, port, protocol, ())
        own = [address for address in addresses if family_of(address) == family_of(ip)]
        if not own:
            return Flow("unreachable", client, protocol)
        if client.kind == "pod" and ip in own:
            leg = Leg(client, client, ip, ip, port, protocol, "self")
            return self._to_itself(client, ip, port, protocol, (leg,))
        if not client.attached:
            return Flow("drop", client, protocol)
        if client.tables is not None:
            entry = _balancer(client.tables, ip, port, protocol)
            if entry is not None:
                return self._balanced(client, own[0], client.tables, entry, protocol, pin, ())
        return self._plain(client, own[0], ip, port, protocol, pin)

    def _plain(self, client: Stack, own: str, ip: str, port: int, protocol: str, pin: Backend | None) -> Flow:
        host = self._places.host_at(ip)
        if host is not None:
            return self._to_host(client, own, host, ip, port, protocol, pin)
        if client.tables is None:
            nodes = self._places.balancer_nodes(ip, port, protocol)
            if nodes:
                return self._from_outside(client, own, self._chance.choice(nodes), ip, port, protocol, pin)
        target = self._reach(client.tables, ip)
        if target is None:
            return self._lost(client, ip, protocol)
        probing = client.kind == "host" and target.kind == "pod" and client.machine.name == target.machine.name
        via = "hostprobe" if probing else "podip" if target.kind == "pod" else target.kind
        leg = Leg(client, target, own, ip, port, protocol, via)
        return self._flow(client, own, target, ip, port, protocol, (leg,), _source(client, own, target))

    def _to_itself(self, client: Stack, ip: str, port: int, protocol: str, legs: tuple[Leg, ...]) -> Flow:
        seen = Peer(ip, client.ephemeral_port())
        return Flow("pass", client, protocol, port, client, ip, seen, legs, None, lambda: True, lambda: True, ip)

    def _to_host(
        self, client: Stack, own: str, host: Stack, ip: str, port: int, protocol: str, pin: Backend | None
    ) -> Flow:
        entry = None if host.tables is None else _balancer(host.tables, "", port, protocol, family_of(ip))
        if entry is not None and host.tables is not None:
            if host.machine.os == "windows" and host is client:
                return Flow("drop", client, protocol)  # a Windows Node does not reach its own node ports; its Pods do
            leg = Leg(client, host, own, ip, port, protocol, "nodeport", _service(entry[0]))
            return self._balanced(client, own, host.tables, entry, protocol, pin, (leg,))
        if host is client:
            return self._to_itself(client, ip, port, protocol, ())
        leg = Leg(client, host, own, ip, port, protocol, "nodeip")
        return self._flow(client, own, host, ip, port, protocol, (leg,), _source(client, own, host))

    def _from_outside(
        self, client: Stack, own: str, tables: NodeTables, ip: str, port: int, protocol: str, pin: Backend | None
    ) -> Flow:
        entry, host = _balancer(tables, ip, port, protocol), self._places.host_at(tables.machine.ip)
        if entry is None or host is None:
            return Flow("drop", client, protocol)
        leg = Leg(client, host, own, ip, port, protocol, entry[0].face.lower(), _service(entry[0]))
        return self._balanced(client, own, tables, entry, protocol, pin, (leg,))

    def _balanced(
        self, client: Stack, own: str, tables: NodeTables, entry: tuple[LbKey, LbValue], protocol: str,
        pin: Backend | None, legs: tuple[Leg, ...],
    ) -> Flow:
        key, value = entry
        if value.verdict != "pass":
            return Flow("refuse" if value.verdict == "reset" else value.verdict, client, protocol, legs=legs)
        if not value.backends and pin is None:
            return Flow("refuse" if value.reject else "drop", client, protocol, legs=legs, back=lambda: True)
        backend = pin or self._choose(tables, key, value, own)
        port = value.internal_port or backend.port
        target = self._reach(tables, backend.ip)
        if target is None:
            lost = self._lost(client, backend.ip, protocol)
            lost.backend = backend
            return lost
        start = self._places.host_at(tables.machine.ip) if legs else client
        leg = Leg(
            start or client, target, own, backend.ip, port, protocol, key.face.lower(), _service(key), target is client
        )
        entry_source = _source(client, own, start) if start is not None and legs else own
        source = _translated(client, entry_source, tables, key, value, target)
        flow = self._flow(client, own, target, backend.ip, port, protocol, (*legs, leg), source)
        flow.backend = backend
        if _loses_answers(tables, key, value, target):
            flow.back = bool
        return flow

    def _flow(
        self, client: Stack, own: str, target: Stack, ip: str, port: int, protocol: str, legs: tuple[Leg, ...],
        source: str,
    ) -> Flow:
        tables = legs[-1].source.tables

        def forward() -> bool:
            return client.attached and target.attached and self._reach(tables, ip) is target

        def back() -> bool:
            if client.kind != "pod":
                return True
            translator = target.tables if source == own else legs[-1].source.tables
            return all(self._reach(where, own) is client for where in (translator, client.tables) if where is not None)

        seen = Peer(source, client.ephemeral_port())
        return Flow("pass", client, protocol, port, target, ip, seen, legs, None, forward, back, own)

    def _lost(self, client: Stack, ip: str, protocol: str) -> Flow:
        cidr = pod_cidr_in(client.machine, family_of(ip))
        near = bool(cidr) and ipaddress.ip_address(ip) in ipaddress.ip_network(cidr)
        return Flow("no-neighbour" if near and client.machine.os == "linux" else "drop", client, protocol)

    def _choose(self, tables: NodeTables, key: LbKey, value: LbValue, client: str) -> Backend:
        place, now = (tables.machine.name, key, client), self.clock.now()
        if value.affinity:
            kept, until = self._affinity.get(place, (None, 0.0))
            if kept in value.backends and kept is not None and now < until:
                self._affinity[place] = (kept, now + value.affinity)
                return kept
        backend = self._chance.choice(value.backends)
        if value.affinity:
            self._affinity[place] = (backend, now + value.affinity)
        return backend

    def _reach(self, tables: NodeTables | None, ip: str) -> Stack | None:
        host = self._places.host_at(ip)
        if host is not None:
            return host
        if tables is None:
            return self._places.outside(ip)
        name, windows = tables.machine.name, tables.machine.os == "windows"
        owner = tables.rep.lookup(ip)
        if owner in (None, name) or (not windows and tables.ep.found(ip)):
            return self._local(tables, ip) or self._places.outside(ip)
        there = self._places.tables_of(owner) if owner else None
        if there is None or (there.machine.os == "windows" and there.rep.lookup(ip) not in (None, owner)):
            return None
        return self._local(there, ip)

    def _local(self, tables: NodeTables, ip: str) -> Stack | None:
        for uid in tables.ep.found(ip):
            value = tables.ep.lookup(uid)
            if value is not None and value.state == "attached":
                return self._places.pod_stack(uid)
        return None


def _is_loopback(ip: str) -> bool:
    return ip.startswith("127.") or ip == "::1"


def _service(key: LbKey) -> str:
    return f"{key.namespace}/{key.name}"


def _balancer(
    tables: NodeTables, ip: str, port: int, protocol: str, family: str = ""
) -> tuple[LbKey, LbValue] | None:
    for key in tables.lb.found((protocol, ip, port)):
        if family and key.family != family:
            continue
        value = tables.lb.lookup(key)
        if value is not None:
            return key, value
    return None


def _source(client: Stack, own: str, target: Stack) -> str:
    """Where a packet that no Service translates seems to come from."""
    same, family = client.machine.name == target.machine.name, family_of(own)
    if client.kind == "pod":
        kept = same or (target.kind == "pod" and not client.masked)
        return own if kept else address_in(client.machine, family)
    cidr = pod_cidr_in(client.machine, family)
    if client.kind == "host" and same and client.machine.os == "linux" and cidr:
        return gateway(cidr)
    return own


def _translated(
    client: Stack, own: str, tables: NodeTables, key: LbKey, value: LbValue, target: Stack
) -> str:
    """Where a packet that a load balancer of `tables` sends to `target` seems to come from."""
    outside = key.face != "ClusterIP"
    if outside and value.policy == "Local":
        return own
    machine = tables.machine
    address, cidr = address_in(machine, key.family), pod_cidr_in(machine, key.family)
    if machine.os == "windows":
        return value.source_vip or address
    local = target.machine.name == machine.name
    if outside or target is client:
        return gateway(cidr) if local and cidr else address
    return _source(client, own, target)


def _loses_answers(tables: NodeTables, key: LbKey, value: LbValue, target: Stack) -> bool:
    """Without a source VIP the answers of a backend on another Node find no way back (Windows overlay)."""
    if tables.machine.os != "windows" or value.source_vip or not is_overlay(tables.machine) or target.kind != "pod":
        return False
    return target.machine.name != tables.machine.name and not (key.face != "ClusterIP" and value.policy == "Local")
