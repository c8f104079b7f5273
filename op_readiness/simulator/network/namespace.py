"""The network namespace that programs and kubelets hold: a stack, its transport, and a resolver of its own.

Pods on the host network share the Node's stack but have their own DNS settings and hosts file, hence two things.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.connection import TcpConnection, Transport
from op_readiness.simulator.network.interface import Server
from op_readiness.simulator.network.keys import DnsKey, DnsValue
from op_readiness.simulator.network.paths import Paths
from op_readiness.simulator.network.resolver import Resolution, Resolver
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.table import Table
from op_readiness.simulator.network.tables import dns_config
from op_readiness.simulator.network.waits import Deadline


@dataclass
class Ways:
    """What all namespaces share."""

    paths: Paths
    clock: Clock
    chance: random.Random
    cluster_domain: str
    healed: int = 0


class Namespace:
    """See `interface.NetworkNamespace`; in addition `resolve`, `dns` and `hosts`."""

    def __init__(self, stack: Stack, ways: Ways, dns_key: DnsKey, hosts: str = "") -> None:
        self.stack, self.dns_key, self._ways = stack, dns_key, ways
        self.node, self.os = stack.machine.name, stack.machine.os
        self.clock, self.chance, self.cluster_domain = ways.clock, ways.chance, ways.cluster_domain
        self._transport = Transport(stack, ways.paths, ways.chance)
        self.resolver = Resolver(self)
        self.hosts = hosts

    @property
    def healed(self) -> int:
        """How often the network has been made healthy: what a server learnt before may be a fault's doing."""
        return self._ways.healed

    @property
    def addresses(self) -> list[str]:
        """The addresses that its adapters really have."""
        return self.stack.addresses

    @property
    def hosts(self) -> str:
        """The hosts file that its resolver reads."""
        return self._hosts

    @hosts.setter
    def hosts(self, text: str) -> None:
        self._hosts = text
        self.hosts_entries = _entries(text)

    @property
    def dns_table(self) -> Table[object, object] | None:
        """The DNS table of its Node."""
        return None if self.stack.tables is None else self.stack.tables.dns

    @property
    def dns(self) -> DnsValue:
        """Servers and search list as its adapter has them now (what `ipconfig /all` and resolv.conf show)."""
        return DnsValue(()) if self.dns_table is None else dns_config(self.dns_table.lookup(self.dns_key))

    def listen(self, protocol: str, port: int, server: Server, address: str = "") -> None:
        """Open a port; raises AddressInUse."""
        self.stack.listen(protocol, port, server, address)

    def close(self, protocol: str, port: int, address: str = "") -> None:
        """Close a port."""
        self.stack.close(protocol, port, address)

    async def connect(self, ip: str, port: int, timeout: float | None, *, size: int = 0) -> TcpConnection:
        """Open a TCP connection; raises Refused, TimedOut, NoRoute."""
        return await self._transport.connect(ip, port, Deadline(self.clock, timeout), size)

    async def datagram(self, ip: str, port: int, data: bytes, timeout: float | None) -> bytes:
        """Send a datagram and wait for one back; raises Refused, TimedOut, NoRoute."""
        return await self._transport.datagram(ip, port, data, Deadline(self.clock, timeout))

    async def ping(self, ip: str, timeout: float | None, *, size: int = 32) -> None:
        """One ICMP echo and its answer; raises TimedOut, NoRoute."""
        await self._transport.ping(ip, size, Deadline(self.clock, timeout))

    async def lookup(self, name: str, family: str = "IPv4", timeout: float | None = None) -> list[str]:
        """Addresses of a name as the OS's resolver finds them; raises NameFailure."""
        return await self.resolver.lookup(name, family, timeout)

    async def resolve(
        self, name: str, kind: str = "A", *, server: str = "", tcp: bool = False, search: bool = False,
        timeout: float | None = None, tries: int | None = None, edns: int = 0,
    ) -> Resolution:
        """A DNS answer whatever its rcode, from `server` or the configured ones; raises NameFailure when none came.

        `timeout` is for one try, `tries` counts rounds through the servers; both are the system's if not given.
        """
        return await self.resolver.resolve(
            name, kind, server=server, tcp=tcp, search=search, timeout=timeout, tries=tries, edns=edns
        )


@dataclass
class PodNetwork:
    """What a Pod's sandbox got: its namespace, the addresses that its status shows, and its DNS settings."""

    namespace: Namespace
    ips: list[str]
    dns: DnsValue = field(default_factory=lambda: DnsValue(()))


def _entries(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        ip, *names = line.partition("#")[0].split() or [""]
        for name in names:
            found.setdefault(name.lower(), []).append(ip)
    return found
