"""From what a user types to addresses: literals, the container's hosts file, then the system's resolver."""

from __future__ import annotations

import ipaddress

from op_readiness.simulator.network.interface import NameFailure
from op_readiness.simulator.programs.images import HOSTS_PATH
from op_readiness.simulator.programs.process import Process

FAMILIES = ("IPv4", "IPv6")


def literal(text: str) -> str | None:
    """The address itself, in its usual spelling; None if it is a name. A zone (`%eth0`) is let go."""
    try:
        return str(ipaddress.ip_address(text.split("%", 1)[0]))
    except ValueError:
        return None


def family_of(ip: str) -> str:
    """IPv4 or IPv6."""
    return "IPv6" if ":" in ip else "IPv4"


def hosts_entries(process: Process) -> dict[str, list[str]]:
    """Addresses by lower-case name, from the hosts file as it is now."""
    found: dict[str, list[str]] = {}
    try:
        text = process.files.read(HOSTS_PATH[process.os]).decode(errors="replace")
    except OSError:
        return found
    for line in text.splitlines():
        ip, *names = line.split("#", 1)[0].split() or [""]
        address = literal(ip)
        for name in names:
            if address is not None:
                found.setdefault(name.lower(), []).append(address)
    return found


async def resolve(process: Process, name: str, families: tuple[str, ...] = FAMILIES) -> list[str]:
    """Addresses of a literal or name, IPv4 first; raises NameFailure. `timeout` is the resolver's own."""
    address = literal(name)
    if address is not None:
        if family_of(address) not in families:
            raise NameFailure(name, "nxdomain", "")
        return [address]
    known = hosts_entries(process).get(name.rstrip(".").lower(), [])
    known = [ip for family in families for ip in known if family_of(ip) == family]
    if known:
        return known
    if name.rstrip(".").lower() == "localhost":
        return ["127.0.0.1" if family == "IPv4" else "::1" for family in families]
    return await _ask(process, name, families)


async def _ask(process: Process, name: str, families: tuple[str, ...]) -> list[str]:
    """Every family that this namespace can use; a failure counts when none has an address."""
    failure: NameFailure | None = None
    usable = [f for f in families if f == families[0] or any(family_of(a) == f for a in process.network.addresses)]
    found: list[str] = []
    for family in usable:
        try:
            found += await process.network.lookup(name, family)
        except NameFailure as error:
            failure = failure or error
    if not found:
        raise failure or NameFailure(name, "nxdomain", "")
    return found


def own_address(process: Process, family: str = "IPv4") -> str:
    """An address of this namespace, for texts that name the local end."""
    return next((a for a in process.network.addresses if family_of(a) == family), "0.0.0.0")
