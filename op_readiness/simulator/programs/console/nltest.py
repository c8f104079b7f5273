"""nltest: what a container knows of its domain by its GMSA credential spec. No domain controller is simulated."""

from __future__ import annotations

import json

from op_readiness.simulator.programs.process import Process

UNAVAILABLE = "Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE"


async def nltest(process: Process) -> int:
    """`/parentdomain` names the credential spec's domain; what needs a domain controller finds none."""
    words = [word.lower().replace("-", "/", 1) for word in process.argv[1:]]
    if not words or not words[0].startswith("/"):
        process.stderr.write("Usage: nltest [/OPTIONS]\r\n")
        return 1
    option = words[0].partition(":")[0]
    domain = domain_of(process.credential_spec)
    if option == "/parentdomain" and domain:
        process.stdout.write(f"{domain}. (1)\r\nThe command completed successfully\r\n")
        return 0
    if option == "/parentdomain":
        process.stderr.write(f"Getting parent domain failed: {UNAVAILABLE}\r\n")
        return 1
    if option in ("/query", "/sc_query", "/sc_verify", "/sc_reset"):
        process.stderr.write(f"I_NetLogonControl failed: {UNAVAILABLE}\r\n")
        return 1
    process.stderr.write(f"nltest {option}: is not simulated\r\n")
    return 1


def domain_of(credential_spec: str) -> str:
    """The DNS name of the domain that a credential spec joins; empty for a text that is none."""
    try:
        joined = json.loads(credential_spec).get("DomainJoinConfig") or {}
        return str(joined.get("DnsName") or "")
    except (ValueError, AttributeError):
        return ""
