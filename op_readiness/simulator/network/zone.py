"""What the cluster's DNS zone says, as CoreDNS's `kubernetes` plugin answers from Services and EndpointSlices."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from op_readiness.simulator.network.dnsmessage import DnsAnswer, DnsQuery, DnsRecord, absolute
from op_readiness.simulator.network.services import Endpoint, Object, ServiceMap, endpoints_of, family_of

TTL = 30
SCHEMA = "1.1.0"
FAMILY_OF_TYPE = {"A": "IPv4", "AAAA": "IPv6"}


class ClusterZone:
    """Answers for one cluster domain (`cluster.local`) and the reverse zones of its addresses."""

    def __init__(self, services: ServiceMap, domain: str = "cluster.local", ttl: int = TTL) -> None:
        self._services, self.domain, self._ttl = services, absolute(domain), ttl

    def holds(self, name: str) -> bool:
        """Whether a name is this zone's to answer."""
        return name == self.domain or name.endswith("." + self.domain)

    def answer(self, query: DnsQuery) -> DnsAnswer:
        """NOERROR with records, NOERROR without (the name is there, the type is not), or NXDOMAIN; SOA when empty."""
        name = absolute(query.name)
        labels = name[: -len(self.domain)].rstrip(".").split(".") if name != self.domain else []
        found = self._records(labels, query, name)
        if found is None:
            return DnsAnswer(query, "NXDOMAIN", (), (self._soa(),), authoritative=True)
        records = tuple(found)
        return DnsAnswer(query, "NOERROR", records, () if records else (self._soa(),), authoritative=True)

    def reverse(self, query: DnsQuery) -> DnsAnswer | None:
        """PTR of a Service's or a named endpoint's address; None when the address is not ours."""
        ip = address_of_reverse(query.name)
        if ip is None:
            return None
        for target in self._names_of(ip):
            record = DnsRecord(query.name, "PTR", self._ttl, target)
            return DnsAnswer(query, "NOERROR", (record,) if query.type == "PTR" else (), authoritative=True)
        return None

    def _records(self, labels: list[str], query: DnsQuery, name: str) -> list[DnsRecord] | None:
        if labels == ["dns-version"]:
            return [DnsRecord(name, "TXT", self._ttl, SCHEMA)] if query.type == "TXT" else []
        if labels in ([], ["svc"], ["pod"]):
            return []
        if labels[-1] == "pod":
            return self._pod(labels[:-1], query, name)
        if labels[-1] != "svc":
            return None
        *rest, namespace = labels[:-1]
        if not rest:
            return [] if any(key[0] == namespace for key in self._services.services()) else None
        service = self._services.service((namespace, rest[-1]))
        return None if service is None else self._service(service, rest[:-1], query, name)

    def _pod(self, labels: list[str], query: DnsQuery, name: str) -> list[DnsRecord] | None:
        if len(labels) != 2:
            return [] if len(labels) == 1 else None
        try:
            ip = str(ipaddress.ip_address(labels[0].replace("-", "." if labels[0].count("-") == 3 else ":")))
        except ValueError:
            return None
        same = FAMILY_OF_TYPE.get(query.type) == family_of(ip)
        return [DnsRecord(name, query.type, self._ttl, ip)] if same else []

    def _service(self, service: Object, labels: list[str], query: DnsQuery, name: str) -> list[DnsRecord] | None:
        spec = service.get("spec", {})
        if spec.get("type") == "ExternalName":
            target = absolute(spec["externalName"])
            wanted = query.type in ("A", "AAAA", "CNAME")
            return None if labels else [DnsRecord(name, "CNAME", self._ttl, target)] if wanted else []
        if len(labels) == 2 and labels[0].startswith("_") and labels[1].startswith("_"):
            return self._srv(service, labels[0][1:], labels[1][1:].upper(), query, name)
        if spec.get("clusterIP") in (None, "", "None"):
            return self._headless(service, labels, query, name)
        if labels:
            return None
        if query.type == "SRV":
            return self._srv(service, "", "", query, name)
        ips = spec.get("clusterIPs") or [spec["clusterIP"]]
        return self._addresses(name, query, ips)

    def _headless(self, service: Object, labels: list[str], query: DnsQuery, name: str) -> list[DnsRecord] | None:
        if not labels and query.type == "SRV":
            return self._srv(service, "", "", query, name)
        ends = [end for end in self._endpoints(service) if not labels or [_host(end)] == labels]
        if not ends:
            return None
        return self._addresses(name, query, list(dict.fromkeys(end.ip for end in ends)))

    def _addresses(self, name: str, query: DnsQuery, ips: list[str]) -> list[DnsRecord]:
        family = FAMILY_OF_TYPE.get(query.type)
        return [DnsRecord(name, query.type, self._ttl, ip) for ip in ips if family_of(ip) == family]

    def _srv(
        self, service: Object, port_name: str, protocol: str, query: DnsQuery, name: str
    ) -> list[DnsRecord] | None:
        ports = [
            port for port in service["spec"].get("ports") or []
            if not protocol or ((port.get("name") or "") == port_name and port.get("protocol", "TCP") == protocol)
        ]
        if not ports:
            return None
        if query.type != "SRV":
            return []
        own = self._full_name(service)
        if service["spec"].get("clusterIP") not in (None, "", "None"):
            return [DnsRecord(name, "SRV", self._ttl, f"0 {100 // len(ports)} {p['port']} {own}") for p in ports]
        ends = [end for port in ports for end in self._ready(service, port)]
        share = 100 // max(1, len(ends))
        return [DnsRecord(name, "SRV", self._ttl, f"0 {share} {end.port} {_host(end)}.{own}") for end in ends]

    def _endpoints(self, service: Object) -> Iterator[Endpoint]:
        """Ready endpoints, also of a Service without ports."""
        seen = set()
        for piece in self._services.slices_of(_name(service)):
            ports: list[Any] = piece.get("ports") or [{"name": "", "port": 1}]  # a headless Service may have none
            for port in ports:
                for end in endpoints_of([{**piece, "ports": ports}], port):
                    if end.ready and end.ip not in seen:
                        seen.add(end.ip)
                        yield end

    def _ready(self, service: Object, port: Object) -> list[Endpoint]:
        slices = list(self._services.slices_of(_name(service)))
        return [end for end in endpoints_of(slices, port) if end.ready]

    def _names_of(self, ip: str) -> Iterator[str]:
        for service in self._services.services().values():
            spec = service.get("spec", {})
            if ip in (spec.get("clusterIPs") or [spec.get("clusterIP")]):
                yield self._full_name(service)
            for piece in self._services.slices_of(_name(service)):
                for entry in piece.get("endpoints") or []:
                    if ip in (entry.get("addresses") or []) and entry.get("hostname"):
                        yield f"{entry['hostname']}.{self._full_name(service)}"

    def _full_name(self, service: Object) -> str:
        namespace, name = _name(service)
        return f"{name}.{namespace}.svc.{self.domain}"

    def _soa(self) -> DnsRecord:
        data = f"ns.dns.{self.domain} hostmaster.{self.domain} 1700000000 7200 1800 86400 {self._ttl}"
        return DnsRecord(self.domain, "SOA", self._ttl, data)


def address_of_reverse(name: str) -> str | None:
    """The address that an `in-addr.arpa` or `ip6.arpa` name asks for, or None."""
    labels = absolute(name).rstrip(".").split(".")
    if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
        return ".".join(reversed(labels[:4]))
    if labels[-2:] == ["ip6", "arpa"] and len(labels) == 34:
        digits = "".join(reversed(labels[:32]))
        return str(ipaddress.ip_address(":".join(digits[at : at + 4] for at in range(0, 32, 4))))
    return None


def _name(service: Object) -> tuple[str, str]:
    return service["metadata"].get("namespace", ""), service["metadata"]["name"]


def _host(endpoint: Endpoint) -> str:
    return endpoint.hostname or endpoint.ip.replace(".", "-").replace(":", "-")
