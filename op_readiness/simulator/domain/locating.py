"""How Windows finds a domain controller and speaks to it: SRV records, an address, an open port."""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.network.interface import NameFailure, NetworkFailure
from op_readiness.simulator.programs.dnsasking import asking
from op_readiness.simulator.programs.process import Process

PATIENCE = 5.0
"""Cluster seconds that one controller is waited for."""
UNAVAILABLE, NO_LOGON_SERVERS, NO_SUCH_DOMAIN = 1722, 1311, 1355
WORDS = {
    0: "NERR_Success",
    5: "ERROR_ACCESS_DENIED",
    NO_LOGON_SERVERS: "ERROR_NO_LOGON_SERVERS",
    NO_SUCH_DOMAIN: "ERROR_NO_SUCH_DOMAIN",
    UNAVAILABLE: "RPC_S_SERVER_UNAVAILABLE",
    1787: "ERROR_NO_TRUST_SAM_ACCOUNT",
}
"""Windows' names of the statuses of a secure channel."""


@dataclass(frozen=True)
class Controller:
    """A domain controller that answered."""

    host: str
    ip: str


def status_text(status: int) -> str:
    """As nltest writes a status: decimal, hexadecimal, name."""
    return f"Status = {status} 0x{status:x} {WORDS.get(status, 'ERROR_UNKNOWN')}"


async def controller(process: Process, domain: str, port: int) -> Controller | None:
    """The first controller of a domain that answers at `port`; None if there is none."""
    for host in await _listed(process, f"_ldap._tcp.dc._msdcs.{domain}"):
        try:
            for ip in await process.network.lookup(host.rstrip("."), "IPv4"):
                (await process.network.connect(ip, port, PATIENCE)).close()
                return Controller(host.rstrip("."), ip)
        except NetworkFailure:
            continue
    return None


async def _listed(process: Process, name: str) -> list[str]:
    """Hosts of an SRV record's nearest entries, by priority."""
    try:
        found = await asking(process).resolve(name, "SRV")
    except NameFailure:
        return []
    records = [record.data.split() for record in found.answer.answers if record.type == "SRV"]
    nearest = min((int(words[0]) for words in records), default=0)
    return sorted(words[3] for words in records if int(words[0]) == nearest)
