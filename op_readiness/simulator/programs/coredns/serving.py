"""One Corefile at work: which block answers a question, and what its plugins make of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.network.dnsmessage import DnsAnswer, DnsQuery, absolute, encode_answer, encode_query
from op_readiness.simulator.network.dnsserver import CoreDns, dns_servers
from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer
from op_readiness.simulator.network.services import ServiceMap
from op_readiness.simulator.network.zone import ClusterZone
from op_readiness.simulator.programs.adapters import resolv_conf
from op_readiness.simulator.programs.addresses import literal
from op_readiness.simulator.programs.coredns.corefile import BadCorefile, Block, Directive
from op_readiness.simulator.programs.golang import GoError, duration
from op_readiness.simulator.programs.goserver import Ports, answer
from op_readiness.simulator.programs.images import HOSTS_PATH
from op_readiness.simulator.programs.process import Process

ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"
REVERSE = ("in-addr.arpa.", "ip6.arpa.")
HOSTS_TTL = 3600
CACHE_SECONDS = 3600.0
"""Longest time of the `cache` plugin without an argument; a record's own TTL counts first."""


@dataclass
class Serving:
    """What a block does with questions. `closed_hosts`: names that `hosts` lacks go no further (SERVFAIL)."""

    block: Block
    server: CoreDns
    closed_hosts: bool = False
    lameduck: float = 0.0

    async def answer(self, query: DnsQuery, peer: Peer) -> DnsAnswer:
        """The answer of this block."""
        if self.closed_hosts and absolute(query.name) not in self.server.hosts:
            refused = DnsAnswer(query, "SERVFAIL")
            if self.server.log is not None:
                self.server.log(peer, query, refused)
            return refused
        return await self.server.answer(query, peer)


@dataclass
class Config:
    """All blocks of a Corefile, ready to listen."""

    process: Process
    path: str
    blocks: list[Serving] = field(default_factory=list)

    def listen(self, held: Ports) -> None:
        """Open every port; raises ListenFailed."""
        for port, address in self._places():
            udp, tcp = dns_servers(self._answering(port))
            held.listen("TCP", port, tcp, address)
            held.listen("UDP", port, udp, address)
        for serving in self.blocks:
            for name, place, path, text in (
                ("ready", ":8181", "/ready", "OK"),
                ("health", ":8080", "/health", "OK"),
                ("prometheus", "localhost:9153", "/metrics", "# HELP coredns_build_info A metric.\n"),
            ):
                directive = serving.block.find(name)
                if directive is not None:
                    where = directive.arguments[0] if directive.arguments else place
                    held.http(int(where.rpartition(":")[2]), _page(path, text))

    def _places(self) -> list[tuple[int, str]]:
        places: dict[tuple[int, str], None] = {}
        for serving in self.blocks:
            bind = serving.block.find("bind")
            for address in bind.arguments if bind is not None else ("",):
                for _, port in serving.block.keys:
                    places[port, address] = None
        return list(places)

    def _answering(self, port: int) -> Any:
        async def answering(query: DnsQuery, peer: Peer) -> DnsAnswer:
            serving = self._for(absolute(query.name), port)
            return DnsAnswer(query, "REFUSED") if serving is None else await serving.answer(query, peer)

        return answering

    def _for(self, name: str, port: int) -> Serving | None:
        best, length = None, -1
        for serving in self.blocks:
            for zone, number in serving.block.keys:
                fits = zone in (".", name) or name.endswith("." + zone)
                if number == port and fits and len(zone) > length:
                    best, length = serving, len(zone)
        return best


def configure(process: Process, blocks: list[Block], path: str) -> Config:
    """Plugins set up; raises BadCorefile with CoreDNS's words for what cannot be."""
    return Config(process, path, [_serving(process, block, path) for block in blocks])


def _serving(process: Process, block: Block, path: str) -> Serving:
    server = CoreDns(process.clock, random.Random(f"{process.hostname} {path}"), network=process.network)
    server.cache_seconds = _cache_seconds(block.find("cache"))
    serving = Serving(block, server)
    hosts = block.find("hosts")
    if hosts is not None:
        server.hosts, server.hosts_ttl = _hosts(process, hosts), _hosts_ttl(hosts)
        serving.closed_hosts = not hosts.options("fallthrough")
    kubernetes = block.find("kubernetes")
    if kubernetes is not None:
        server.zone = _zone(process, kubernetes, path)
    forward = block.find("forward")
    if forward is not None:
        server.forward = _upstreams(process, forward, path)
    if block.find("log") is not None:
        server.log = _logger(process)
    health = block.find("health")
    if health is not None:
        serving.lameduck = _lameduck(health)
    return serving


def _cache_seconds(cache: Directive | None) -> float:
    if cache is None:
        return 0.0
    numbers = [float(word) for word in cache.arguments if word.isdigit()]
    return numbers[0] if numbers else CACHE_SECONDS


def _hosts(process: Process, directive: Directive) -> dict[str, list[str]]:
    """Names with their addresses: of the file (the system's own without an argument or lines) and of the block."""
    inline = [line.words for line in directive.body if literal(line.words[0]) is not None]
    names = list(directive.arguments[:1]) or ([] if inline else [HOSTS_PATH[process.os]])
    lines: list[tuple[str, ...]] = list(inline)
    for name in names:
        try:
            text = process.files.read(process.path(name)).decode(errors="replace")
        except OSError:
            continue
        lines += [tuple(words) for line in text.splitlines() if (words := line.split("#", 1)[0].split())]
    found: dict[str, list[str]] = {}
    for ip, *owners in lines:
        address = literal(ip)
        for owner in owners:
            if address is not None:
                found.setdefault(absolute(owner), []).append(address)
    return found


def _hosts_ttl(directive: Directive) -> int:
    given = directive.options("ttl")
    return int(given[0][0]) if given and given[0] and given[0][0].isdigit() else HOSTS_TTL


def _zone(process: Process, directive: Directive, path: str) -> ClusterZone:
    where = f"{path}:{directive.number} - Error during parsing: "
    if not process.env.get("KUBERNETES_SERVICE_HOST"):
        raise BadCorefile(
            "plugin/kubernetes: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and "
            "KUBERNETES_SERVICE_PORT must be defined"
        )
    if not process.files.exists(ACCOUNT_TOKEN):
        raise BadCorefile(f"plugin/kubernetes: open {ACCOUNT_TOKEN}: no such file or directory")
    domains = [name for name in directive.arguments if absolute(name) not in REVERSE]
    if len(domains) != 1:
        raise BadCorefile(where + "the kubernetes plugin is simulated with exactly one cluster domain")
    ttl = directive.options("ttl")
    services = _services(process.world)
    return ClusterZone(services, domains[0], int(ttl[0][0])) if ttl else ClusterZone(services, domains[0])


def _services(world: Any) -> ServiceMap:
    """The network's own view of Services if it has one, else one from the same informers."""
    known = getattr(world.network, "services", None)
    return known if isinstance(known, ServiceMap) else ServiceMap(world.services, world.endpointslices)


def _upstreams(process: Process, directive: Directive, path: str) -> tuple[str, ...]:
    servers: list[str] = []
    for word in directive.arguments[1:]:
        address = literal(word.removeprefix("dns://").removesuffix(":53"))
        if address is not None:
            servers.append(address)
            continue
        try:
            servers += resolv_conf(process.files.read(process.path(word)).decode(errors="replace")).servers
        except OSError:
            place = f"{path}:{directive.number} - Error during parsing: "
            raise BadCorefile(f"{place}not an IP address or file: {word!r}".replace("'", '"')) from None
    return tuple(servers)


def _lameduck(health: Directive) -> float:
    given = health.options("lameduck")
    try:
        return duration(given[0][0]) if given and given[0] else 0.0
    except GoError:
        return 0.0


def _logger(process: Process) -> Any:
    def log(peer: Peer, query: DnsQuery, given: DnsAnswer) -> None:
        flags = "qr," + ("aa," if given.authoritative else "") + ("rd" if query.recursion else "")
        asked = f'"{query.type} IN {query.name} udp {len(encode_query(query))} false {query.edns or 512}"'
        size = len(encode_answer(given))
        process.stdout.write(f"[INFO] {peer} - {query.id} {asked} {given.rcode} {flags} {size} 0.000118334s\n")

    return log


def _page(path: str, text: str) -> Any:
    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        if request.target.partition("?")[0] == path:
            return answer(text)
        return answer("404 page not found\n", 404)

    return http
