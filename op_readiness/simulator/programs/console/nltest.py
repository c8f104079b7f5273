"""nltest: what a container (by its GMSA credential spec) or a joined Node knows of its domain and its controllers."""

from __future__ import annotations

from op_readiness.simulator.domain.identity import met, named_domain, wire_account
from op_readiness.simulator.domain.locating import (
    NO_LOGON_SERVERS,
    NO_SUCH_DOMAIN,
    UNAVAILABLE,
    controller,
    status_text,
)
from op_readiness.simulator.programs.process import Process

COMPLETED = "The command completed successfully\r\n"
LDAP, RPC = 389, 135
NO_TRUST_ACCOUNT = 1787
CHANNEL = ("/query", "/sc_query", "/sc_verify", "/sc_reset")


async def nltest(process: Process) -> int:
    """`/parentdomain` names the own domain; what needs a domain controller looks for one over the network."""
    words = [word.lower().replace("-", "/", 1) for word in process.argv[1:]]
    if not words or not words[0].startswith("/"):
        process.stderr.write("Usage: nltest [/OPTIONS]\r\n")
        return 1
    option, _, domain = words[0].partition(":")
    account = wire_account(process)
    if option == "/dsgetdc":
        return await _locate(process, domain or (account.domain if account else ""))
    if option == "/parentdomain":
        return _parent(process, account.domain if account else named_domain(process))
    if option not in CHANNEL:
        process.stderr.write(f"nltest {option}: is not simulated\r\n")
        return 1
    if account is None:
        process.stderr.write(f"I_NetLogonControl failed: {status_text(UNAVAILABLE)}\r\n")
        return 1
    return await _channel(process, option, account.name, domain or account.domain)


def _parent(process: Process, domain: str) -> int:
    """The domain that the container was told of, whether or not anything of it is there."""
    if not domain:
        process.stderr.write(f"Getting parent domain failed: {status_text(UNAVAILABLE)}\r\n")
        return 1
    process.stdout.write(f"{domain}. (1)\r\n{COMPLETED}")
    return 0


async def _channel(process: Process, option: str, account: str, domain: str) -> int:
    """The secure channel: a status that a fault names, or that of the way to a controller."""
    directory = process.world.directory
    if directory is None or domain not in (directory.name, directory.netbios.lower()):
        process.stderr.write(f"I_NetLogonControl failed: {status_text(UNAVAILABLE)}\r\n")
        return 1
    found = await controller(process, directory.name, RPC)
    status = met(process, "channel", domain).status or (0 if found else NO_LOGON_SERVERS)
    known = wire_account(process)
    if not status and known is not None and known.kind == "gmsa" and not directory.knows(account, known.domain):
        status = NO_TRUST_ACCOUNT
    host = found.host if found and not status else ""
    lines = ["Flags: 0", f"Connection {status_text(status)}"] if option == "/query" else [
        "Flags: b0 HAS_IP  HAS_TIMESERV " if option == "/sc_verify" else "Flags: 30 HAS_IP  HAS_TIMESERV ",
        f"Trusted DC Name \\\\{host} " if host else "Trusted DC Name  ",
        f"Trusted DC Connection Status {status_text(status)}",
        *([f"Trust Verification {status_text(status)}"] if option == "/sc_verify" else []),
    ]  # fmt: skip
    process.stdout.write("\r\n".join([*lines, COMPLETED]))
    return 0


async def _locate(process: Process, domain: str) -> int:
    found = await controller(process, domain, LDAP) if domain else None
    if found is None:
        process.stderr.write(f"Getting DC name failed: {status_text(NO_SUCH_DOMAIN)}\r\n")
        return 1
    facts = {"DC": f"\\\\{found.host}", "Address": f"\\\\{found.ip}", "Dom Name": domain, "Forest Name": domain,
             "Flags": "GC DS LDAP KDC TIMESERV WRITABLE DNS_DC DNS_DOMAIN DNS_FOREST CLOSE_SITE"}  # fmt: skip
    process.stdout.write("".join(f"{name:>13}: {value}\r\n" for name, value in facts.items()) + COMPLETED)
    return 0
