"""How a container's operating system finds a name: hosts file, search list, servers in order, patience.

Linux tries the search list first for names with fewer dots than `ndots` and asks each server twice for 5 s. Windows
takes a name with a dot as complete, gives suffixes to single labels only, and asks with growing patience (1, 2, 4 s).
Both go to TCP when an answer was cut. What a server's silence costs is cluster time.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from op_readiness.simulator.network.dnsmessage import BadMessage, DnsAnswer, DnsQuery, DnsRecord, absolute
from op_readiness.simulator.network.dnsserver import ask
from op_readiness.simulator.network.interface import NameFailure, NetworkFailure, NoRoute, Refused, TimedOut
from op_readiness.simulator.network.keys import DnsPath, DnsQueryKey, DnsValue
from op_readiness.simulator.network.services import family_of
from op_readiness.simulator.network.waits import Deadline

if TYPE_CHECKING:
    from op_readiness.simulator.network.namespace import Namespace

PATIENCE = {"linux": (5.0, 5.0), "windows": (1.0, 2.0, 4.0)}  # cluster seconds of each round through the servers
EDNS = {"linux": 1232, "windows": 0}
TYPE_OF_FAMILY = {"IPv4": "A", "IPv6": "AAAA"}
LOCALHOST = {"IPv4": "127.0.0.1", "IPv6": "::1"}


@dataclass(frozen=True)
class Resolution:
    """An answer, the server that gave it and the full name that was asked for."""

    server: str
    name: str
    answer: DnsAnswer


class Resolver:
    """The resolver of one namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self._of = namespace

    def candidates(self, name: str) -> list[str]:
        """The full names that are tried for `name`, in order."""
        config: DnsValue = self._of.dns
        full = absolute(name)
        if name.endswith("."):
            return [full]
        searched = [absolute(f"{name}.{suffix}") for suffix in config.search]
        if self._of.os == "windows":
            return [full] if "." in name or not searched else searched
        return [full, *searched] if name.count(".") >= config.ndots else [*searched, full]

    async def lookup(self, name: str, family: str, timeout: float | None) -> list[str]:
        """Addresses of a name; raises NameFailure."""
        literal = _literal(name)
        if literal:
            if family_of(literal) == family:
                return [literal]
            raise NameFailure(name, "nxdomain", "")
        known = self._of.hosts_entries.get(name.lower().rstrip("."), [])
        found = [ip for ip in known if family_of(ip) == family]
        if found or name.lower().rstrip(".") == "localhost":
            return found or [LOCALHOST[family]]
        if not _well_formed(name):
            raise NameFailure(name, "malformed", "")
        deadline = Deadline(self._of.clock, timeout)
        try:
            return await deadline.within(self._searched(name, TYPE_OF_FAMILY[family]))
        except TimedOut:
            raise NameFailure(name, "timeout", next(iter(self._of.dns.servers), "")) from None

    async def resolve(
        self, name: str, kind: str, *, server: str, tcp: bool, search: bool, timeout: float | None, tries: int | None,
        edns: int,
    ) -> Resolution:
        """The first positive answer among the candidates, else the last one; raises NameFailure when none came."""
        if not _well_formed(name):
            raise NameFailure(name, "malformed", server)
        rounds = PATIENCE[self._of.os]
        if timeout is not None or tries is not None:
            rounds = (timeout or rounds[0],) * (tries or len(rounds))
        servers = (server,) if server else self._of.dns.servers
        last: Resolution | None = None
        failure = NameFailure(name, "timeout", next(iter(servers), ""))
        for full in self.candidates(name) if search else [absolute(name)]:
            try:
                last = await self._ask_servers(DnsQuery(full, kind, edns=edns), servers, rounds, tcp)
            except NameFailure as error:
                failure = error
                continue
            if last.answer.rcode == "NOERROR" and last.answer.answers:
                return last
        if last is None:
            raise NameFailure(name, failure.kind, failure.server)
        return last

    async def _searched(self, name: str, kind: str) -> list[str]:
        failed, servers = NameFailure(name, "nxdomain", ""), self._of.dns.servers
        if not servers:
            raise NameFailure(name, "servfail", "")
        for full in self.candidates(name):
            query = DnsQuery(full, kind, edns=EDNS[self._of.os])
            try:
                seen = await self._ask_servers(query, servers, PATIENCE[self._of.os], tcp=False)
            except NameFailure as error:
                failed = NameFailure(name, error.kind, error.server)
                continue
            if seen.answer.addresses():
                return seen.answer.addresses()
            kind_of = "servfail" if seen.answer.rcode not in ("NOERROR", "NXDOMAIN") else "nxdomain"
            failed = NameFailure(name, kind_of, seen.server)
        raise failed

    async def _ask_servers(
        self, query: DnsQuery, servers: tuple[str, ...], rounds: tuple[float, ...], tcp: bool
    ) -> Resolution:
        """The first server's answer that is one; a SERVFAIL or REFUSED only if no server did better."""
        poor: Resolution | None = None
        kind, asked = "timeout", ""
        for patience, server in _turns(rounds, servers):
            asked = server
            try:
                answer = await self._ask(server, query, tcp, patience)
            except (NetworkFailure, BadMessage) as error:
                kind = "refused" if isinstance(error, Refused) else "timeout"
                continue
            seen = Resolution(server, query.name, answer)
            if answer.rcode in ("NOERROR", "NXDOMAIN"):
                return seen
            poor = poor or seen
        if poor is not None:
            return poor
        raise NameFailure(query.name, kind, asked)

    async def _ask(self, server: str, query: DnsQuery, tcp: bool, patience: float) -> DnsAnswer:
        query = replace(query, id=self._of.chance.getrandbits(16))
        answer = await self._once(server, query, tcp, patience)
        if answer.truncated and not tcp:
            return await self._once(server, query, True, patience)
        return answer

    async def _once(self, server: str, query: DnsQuery, tcp: bool, patience: float) -> DnsAnswer:
        deadline = Deadline(self._of.clock, patience)
        met = self._path(server, query, tcp)
        if met.verdict == "drop":
            await deadline.silence()
        await deadline.pause(met.delay)
        if met.verdict != "pass":
            return DnsAnswer(query, met.verdict.upper())
        left = None if deadline.at is None else deadline.at - self._of.clock.now()
        try:
            answer = await ask(self._of, server, query, tcp=tcp, timeout=left)
        except NoRoute:
            await deadline.silence()  # resolvers wait their time out when the network is away
        return answer if met.addresses is None else _altered(answer, met.addresses)

    def _path(self, server: str, query: DnsQuery, tcp: bool) -> DnsPath:
        table, key = self._of.dns_table, self._of.dns_key
        if table is None or not table.on_lookup:
            return DnsPath()
        zone = "cluster" if absolute(query.name).endswith(self._of.cluster_domain) else "external"
        asked = DnsQueryKey(
            key.node, key.os, key.pod, server, "TCP" if tcp else "UDP", query.name, query.type, zone,
            self._of.clock.now() - key.started, key.order,
        )
        value = table.lookup(asked)
        return value if isinstance(value, DnsPath) else DnsPath()


def _turns(rounds: tuple[float, ...], servers: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    return ((patience, server) for patience in rounds for server in servers)


def _literal(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return ""


def _well_formed(name: str) -> bool:
    labels = name.rstrip(".").split(".") if name != "." else ["root"]
    return len(name) <= 254 and all(0 < len(label) <= 63 for label in labels) and name.isascii() and " " not in name


def _altered(answer: DnsAnswer, addresses: tuple[str, ...]) -> DnsAnswer:
    if answer.query.type not in TYPE_OF_FAMILY.values() or not answer.answers:
        return answer
    return replace(
        answer, answers=tuple(DnsRecord(answer.query.name, answer.query.type, 30, ip) for ip in addresses)
    )
