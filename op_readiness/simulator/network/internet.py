"""The world outside the cluster: a few names with their addresses, hosts that answer, and the site's DNS server.

Enough for tests of Internet access and for CoreDNS's forwarding. Nothing else exists: other names are NXDOMAIN, other
addresses are silent.
"""

from __future__ import annotations

from op_readiness.simulator.network.dnsmessage import DnsAnswer, DnsQuery, DnsRecord, absolute
from op_readiness.simulator.network.dnsserver import dns_servers
from op_readiness.simulator.network.interface import HttpHandler, HttpRequest, HttpResponse, Peer, Server
from op_readiness.simulator.network.keys import Host
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.zone import FAMILY_OF_TYPE, address_of_reverse

SITE_RESOLVER = "10.240.0.3"  # the DNS server that Nodes are given (resolv.conf, adapter settings)
NAMES: dict[str, tuple[str, ...]] = {
    "example.com.": ("93.184.215.14",),
    "www.example.com.": ("93.184.215.14",),
    "example.org.": ("93.184.215.15",),
    "google.com.": ("142.250.185.78",),
    "www.google.com.": ("142.250.185.68",),
    "bing.com.": ("150.171.28.10",),
    "www.bing.com.": ("150.171.28.11",),
    "microsoft.com.": ("13.107.213.45",),
    "www.microsoft.com.": ("23.45.112.9",),
    "mcr.microsoft.com.": ("204.79.197.219",),
    "github.com.": ("140.82.121.4",),
    "kubernetes.io.": ("15.197.167.90",),
    "registry.k8s.io.": ("34.96.108.209",),
    "dns.google.": ("8.8.8.8", "8.8.4.4"),
    "one.one.one.one.": ("1.1.1.1", "1.0.0.1"),
}
RESOLVERS = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9")
TTL = 300


class Internet:
    """Hosts outside, by address."""

    def __init__(self) -> None:
        self.names = dict(NAMES)
        self.services: dict[str, tuple[str, ...]] = {}
        self.stacks: dict[str, Stack] = {}
        for name, ips in self.names.items():
            for ip in ips:
                self._host(ip, name.rstrip("."))
        for ip in RESOLVERS:
            self._resolver(self._host(ip, ip))
        site = Stack("external", Host("site-resolver", SITE_RESOLVER), None, (SITE_RESOLVER,))
        self._resolver(site)
        self.stacks[SITE_RESOLVER] = site

    def add(self, name: str, *ips: str) -> None:
        """A further name, and hosts that answer at its addresses."""
        self.names[absolute(name)] = ips
        for ip in ips:
            if ip not in self.stacks:
                self._host(ip, name)

    def answer(self, query: DnsQuery) -> DnsAnswer:
        """What DNS outside the cluster says; `services` holds SRV records."""
        if query.type == "SRV" and (served := self.services.get(absolute(query.name).lower())):
            return DnsAnswer(query, "NOERROR", tuple(DnsRecord(query.name, "SRV", TTL, data) for data in served))
        ips = self.names.get(absolute(query.name))
        if ips is None:
            return self._reverse(query)
        found = [ip for ip in ips if FAMILY_OF_TYPE.get(query.type) == ("IPv6" if ":" in ip else "IPv4")]
        records = tuple(DnsRecord(query.name, query.type, TTL, ip) for ip in found)
        return DnsAnswer(query, "NOERROR", records, () if records else (_soa(),))

    def _reverse(self, query: DnsQuery) -> DnsAnswer:
        ip = address_of_reverse(query.name)
        for name, ips in self.names.items():
            if ip in ips and query.type == "PTR":
                return DnsAnswer(query, "NOERROR", (DnsRecord(query.name, "PTR", TTL, name),))
        return DnsAnswer(query, "NXDOMAIN", (), (_soa(),))

    def _host(self, ip: str, name: str) -> Stack:
        if ip not in self.stacks:
            stack = Stack("internet", Host(name, ip), None, (ip,))
            stack.listen("TCP", 80, Server(http=_page(name)))
            stack.listen("TCP", 443, Server(http=_page(name), tls=True))
            self.stacks[ip] = stack
        return self.stacks[ip]

    def _resolver(self, stack: Stack) -> None:
        async def answered(query: DnsQuery, _: Peer) -> DnsAnswer:
            return self.answer(query)

        udp, tcp = dns_servers(answered)
        stack.listen("UDP", 53, udp)
        stack.listen("TCP", 53, tcp)


def _page(name: str) -> HttpHandler:
    async def page(request: HttpRequest, _: Peer) -> HttpResponse:
        body = f"<!doctype html><html><head><title>{name}</title></head><body>{request.target}</body></html>\n"
        return HttpResponse(200, body.encode(), {"Content-Type": "text/html; charset=UTF-8"})

    return page


def _soa() -> DnsRecord:
    return DnsRecord(".", "SOA", 900, "a.root-servers.net. nstld.verisign-grs.com. 2026112500 1800 900 604800 86400")
