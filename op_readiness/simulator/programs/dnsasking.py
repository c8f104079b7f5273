"""What dig and nslookup ask of the network: DNS answers as they come, whatever their code."""

from __future__ import annotations

import ipaddress
from typing import Protocol, cast

from op_readiness.simulator.network.dnsmessage import DnsAnswer
from op_readiness.simulator.programs.process import Process

TYPES = ("A", "AAAA", "CNAME", "SRV", "PTR", "NS", "SOA", "TXT", "ANY", "MX")


class Resolution(Protocol):
    """An answer, who gave it, and the full name that was asked for."""

    @property
    def server(self) -> str:
        """The server's address."""

    @property
    def name(self) -> str:
        """The full name."""

    @property
    def answer(self) -> DnsAnswer:
        """The answer."""


class Asking(Protocol):
    """A network namespace that asks DNS servers (see network.namespace)."""

    async def resolve(
        self, name: str, kind: str = "A", *, server: str = "", tcp: bool = False, search: bool = False,
        timeout: float | None = None, tries: int | None = None, edns: int = 0,
    ) -> Resolution:
        """A DNS answer whatever its rcode; raises NameFailure when none came."""


def asking(process: Process) -> Asking:
    """The process's network as one that asks DNS servers."""
    return cast(Asking, process.network)


def reverse_name(text: str) -> str | None:
    """The in-addr.arpa or ip6.arpa name of an address; None for anything else."""
    try:
        return ipaddress.ip_address(text).reverse_pointer + "."
    except ValueError:
        return None
