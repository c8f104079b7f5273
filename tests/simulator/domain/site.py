"""A container on a site with a domain: its controllers, file server and DNS, and the Node's table of identities."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from op_readiness.simulator.domain.directory import FILE_SERVER_IP, Directory
from op_readiness.simulator.domain.identity import WELL, IdKey, id_table
from op_readiness.simulator.domain.manifests import credential_spec
from op_readiness.simulator.network.dnsserver import dns_servers
from op_readiness.simulator.network.interface import Server
from op_readiness.simulator.network.internet import Internet
from tests.simulator.programs.containers import Container, Net

SPEC = json.dumps(credential_spec(Directory())["credspec"])


class Site:
    """`container()` is a Windows Pod's, `identities` its Node's table ID."""

    def __init__(self, net: Net) -> None:
        self.net, self.directory, self.internet = net, Directory(), Internet()
        self.directory.join(SimpleNamespace(internet=self.internet))
        self.identities = id_table("node")
        near = {name: records[:2] for name, records in self.internet.services.items()}
        self.internet.services = near  # this network's resolver takes one datagram and asks no further
        node = SimpleNamespace(tables={"ID": self.identities})
        self.world = SimpleNamespace(directory=self.directory, nodes={"node": node})
        self._listen()

    def container(self, spec: str = SPEC, **changes: Any) -> Container:
        """A container with a credential spec, or with an empty text for none."""
        made = Container(self.net, os="windows")
        made.world = self.world
        made.pod = {"metadata": {"namespace": "default", "name": "p"}}
        process = made.process
        made.process = lambda *argv, **more: replace(process(*argv, **more), credential_spec=spec, **changes)
        return made

    def breaks(self, use: str, **values: Any) -> None:
        """From now on every use of that kind meets this."""

        def hook(table: Any, key: IdKey, value: Any) -> Any:
            return replace(value or WELL, **values) if key.use == use else value

        self.identities.on_lookup.append(hook)

    def cut_off(self, ip: str) -> None:
        """Nothing answers there any more."""
        self.net.namespaces.pop(ip)

    def _listen(self) -> None:
        async def answered(query: Any, _: Any) -> Any:
            return self.internet.answer(query)

        udp, tcp = dns_servers(answered)
        dns = self.net.namespace(self.net.dns_server)
        dns.listen("UDP", 53, udp)
        dns.listen("TCP", 53, tcp)
        for name, ips in self.internet.names.items():
            self.net.names[name.rstrip(".")] = list(ips)
        for ip in (*self.directory.controllers.values(), FILE_SERVER_IP):
            host = self.net.namespace(ip)
            for (protocol, port), _ in self.internet.stacks[ip].listeners.items():
                host.listen(protocol, port, Server(raw=_silent))


async def _silent(data: bytes, peer: Any) -> bytes:
    return b""
