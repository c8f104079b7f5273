"""klist: the tickets of the own logon session; `klist get SERVICE` asks a domain controller for one."""

from __future__ import annotations

from op_readiness.simulator.domain.identity import wire_account
from op_readiness.simulator.domain.tickets import Ticket, ticket
from op_readiness.simulator.programs.process import Process


async def klist(process: Process) -> int:
    """0 with what is there; `get` fails with the NTSTATUS of the refusal."""
    words = [word.lower() for word in process.argv[1:]]
    process.stdout.write("\r\nCurrent LogonId is 0:0x1f4a2\r\n")
    if words[:1] == ["get"] and len(words) == 2:
        return await _get(process, process.argv[2])
    if words not in ([], ["tickets"], ["tgt"], ["purge"]):
        process.stderr.write(f"klist {' '.join(words)}: is not simulated\r\n")
        return 1
    if words == ["purge"]:
        process.stdout.write("\tDeleting all tickets:\r\n\tTicket(s) purged!\r\n")
        return 0
    account = wire_account(process)
    found = await ticket(process, f"krbtgt/{account.domain.upper()}") if account else None
    _list(process, [found] if found and not found.status else [])
    return 0


async def _get(process: Process, service: str) -> int:
    found = await ticket(process, service)
    if found.status:
        number = found.status - 2**32
        process.stdout.write(
            f"Error calling API LsaCallAuthenticationPackage (GetTicket substatus): 0x{found.status:x}\r\n\r\n"
            f"klist failed with 0x{found.status:x}/{number}: {found.words}\r\n"
        )
        return 1
    process.stdout.write(f"A ticket to {service} has been retrieved successfully.\r\n")
    _list(process, [Ticket(f"krbtgt/{found.realm}", found.client, found.realm), found])
    return 0


def _list(process: Process, tickets: list[Ticket]) -> None:
    process.stdout.write(f"\r\nCached Tickets: ({len(tickets)})\r\n")
    for number, one in enumerate(tickets):
        process.stdout.write(
            f"\r\n#{number}>\tClient: {one.client}\r\n\tServer: {one.service} @ {one.realm}\r\n"
            "\tKerbTicket Encryption Type: AES-256-CTS-HMAC-SHA1-96\r\n"
        )
