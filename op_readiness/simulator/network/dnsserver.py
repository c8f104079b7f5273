"""DNS servers: bytes in and out around a function that answers, and CoreDNS with its cache and forwarding.

The `coredns` program builds a `CoreDns` from its Corefile and opens its ports; what it answers comes from the zone it
is given (the same informers that its ServiceAccount could read), from its hosts, or from upstream through the network.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.dnsmessage import (
    BadMessage,
    DnsAnswer,
    DnsQuery,
    DnsRecord,
    absolute,
    decode_answer,
    decode_query,
    encode_answer,
    encode_query,
    udp_limit,
)
from op_readiness.simulator.network.interface import NetworkFailure, NetworkNamespace, Peer, Server
from op_readiness.simulator.network.services import family_of
from op_readiness.simulator.network.zone import FAMILY_OF_TYPE, ClusterZone

Answering = Callable[[DnsQuery, Peer], Awaitable[DnsAnswer | None]]
LIMIT = 10_000  # names in a cache, as in CoreDNS's default capacity
FORWARD_TIMEOUT = 2.0  # cluster seconds a forwarded question may take (CoreDNS's read time-out)


def dns_servers(answering: Answering) -> tuple[Server, Server]:
    """A UDP and a TCP server around `answering`; None from it is silence."""

    async def datagram(data: bytes, peer: Peer) -> bytes | None:
        try:
            query = decode_query(data)
        except BadMessage:
            return None
        answer = await answering(query, peer)
        return None if answer is None else encode_answer(answer, udp_limit(query))

    async def stream(data: bytes, peer: Peer) -> bytes:
        try:
            query = decode_query(data[2:])
        except BadMessage:
            return b""
        answer = await answering(query, peer)
        return b"" if answer is None else framed(encode_answer(answer))

    return Server(datagram=datagram), Server(raw=stream)


def framed(message: bytes) -> bytes:
    """A DNS message with its length in front, as TCP carries it."""
    return struct.pack("!H", len(message)) + message


async def ask(
    network: NetworkNamespace, server: str, query: DnsQuery, *, tcp: bool = False, timeout: float | None = None,
    port: int = 53,
) -> DnsAnswer:
    """One question to one server; raises NetworkFailure (TimedOut on an answer that makes no sense, too)."""
    if not tcp:
        return decode_answer(await network.datagram(server, port, encode_query(query), timeout))
    connection = await network.connect(server, port, timeout)
    try:
        data = await connection.exchange(framed(encode_query(query)), timeout)
    finally:
        connection.close()
    return decode_answer(data[2:])


@dataclass
class CoreDns:
    """A CoreDNS server. `zone` None: no `kubernetes` plugin; `forward` empty: no `forward` plugin (REFUSED)."""

    clock: Clock
    chance: random.Random
    zone: ClusterZone | None = None
    hosts: Mapping[str, list[str]] = field(default_factory=dict)
    forward: tuple[str, ...] = ()
    network: NetworkNamespace | None = None
    cache_seconds: float = 30.0
    hosts_ttl: int = 3600
    log: Callable[[Peer, DnsQuery, DnsAnswer], None] | None = None
    _cache: dict[tuple[str, str], tuple[float, DnsAnswer]] = field(default_factory=dict)
    _healed: int = 0

    def serve(self, network: NetworkNamespace, port: int = 53) -> None:
        """Open UDP and TCP; raises AddressInUse."""
        self.network = network
        udp, tcp = dns_servers(self.answer)
        network.listen("UDP", port, udp)
        network.listen("TCP", port, tcp)

    async def answer(self, query: DnsQuery, peer: Peer) -> DnsAnswer:
        """The answer to one question."""
        self._start_afresh()
        now, key = self.clock.now(), (absolute(query.name), query.type)
        until, kept = self._cache.get(key, (0.0, None))
        if kept is None or now >= until:
            kept = await self._fresh(query)
            until = now + self._keeps(kept)
            if until > now:
                if len(self._cache) >= LIMIT:
                    self._cache.pop(next(iter(self._cache)))
                self._cache[key] = (until, kept)
        answer = replace(kept, query=query, answers=self._shuffled(kept.answers))
        if self.log is not None:
            self.log(peer, query, answer)
        return answer

    def _start_afresh(self) -> None:
        """Empty the cache when the network has been healed since."""
        healed = getattr(self.network, "healed", 0)
        if healed != self._healed:
            self._healed = healed
            self._cache.clear()

    def _keeps(self, answer: DnsAnswer) -> float:
        if answer.rcode not in ("NOERROR", "NXDOMAIN"):
            return 0.0 if answer.rcode == "REFUSED" else min(5.0, self.cache_seconds)
        least = min((record.ttl for record in (*answer.answers, *answer.authority)), default=30)
        return min(self.cache_seconds, least)

    async def _fresh(self, query: DnsQuery) -> DnsAnswer:
        name = absolute(query.name)
        if name in self.hosts:
            found = [ip for ip in self.hosts[name] if FAMILY_OF_TYPE.get(query.type) == family_of(ip)]
            records = tuple(DnsRecord(query.name, query.type, self.hosts_ttl, ip) for ip in found)
            return DnsAnswer(query, "NOERROR", records, authoritative=True)
        if self.zone is not None and self.zone.holds(name):
            return await self._with_target(query, self.zone.answer(query))
        if self.zone is not None:
            reverse = self.zone.reverse(query)
            if reverse is not None:
                return reverse
        return await self._forwarded(query)

    async def _with_target(self, query: DnsQuery, answer: DnsAnswer) -> DnsAnswer:
        """An ExternalName's CNAME with the addresses of its target."""
        if query.type not in FAMILY_OF_TYPE or not answer.answers or answer.answers[0].type != "CNAME":
            return answer
        target = await self._fresh(replace(query, name=answer.answers[0].data))
        return replace(answer, answers=answer.answers + target.answers)

    async def _forwarded(self, query: DnsQuery) -> DnsAnswer:
        if not self.forward or self.network is None:
            return DnsAnswer(query, "REFUSED")
        for server in self.chance.sample(self.forward, len(self.forward)):
            try:
                asked = replace(query, edns=query.edns or 4096)
                answer = await ask(self.network, server, asked, timeout=FORWARD_TIMEOUT)
                if answer.truncated:
                    answer = await ask(self.network, server, asked, tcp=True, timeout=FORWARD_TIMEOUT)
            except (NetworkFailure, BadMessage):
                continue
            return replace(answer, query=query)
        return DnsAnswer(query, "SERVFAIL")

    def _shuffled(self, records: tuple[DnsRecord, ...]) -> tuple[DnsRecord, ...]:
        """Addresses in a new order (the `loadbalance` plugin); names before them stay first."""
        first = [record for record in records if record.type not in FAMILY_OF_TYPE]
        rest = [record for record in records if record.type in FAMILY_OF_TYPE]
        return (*first, *self.chance.sample(rest, len(rest)))


