"""Kerberos tickets: what a process gets from a domain controller, or why it gets none."""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.domain.identity import WireAccount, met, wire_account
from op_readiness.simulator.domain.locating import controller
from op_readiness.simulator.programs.process import Process

KERBEROS = 88
NO_LOGON_SERVERS = 0xC000005E
LOGON_FAILURE = 0xC000006D
NO_CREDENTIALS = 0xC000005F
WORDS = {
    NO_LOGON_SERVERS: "We can't sign you in with this credential because your domain isn't available.",
    LOGON_FAILURE: "The attempted logon is invalid.",
    NO_CREDENTIALS: "A specified logon session does not exist. It may already have been terminated.",
}
"""What the statuses say; texts as Windows has them."""


@dataclass(frozen=True)
class Ticket:
    """A ticket for `service`, or the NTSTATUS of its refusal."""

    service: str
    client: str = ""
    realm: str = ""
    status: int = 0

    @property
    def words(self) -> str:
        """What Windows says of the status."""
        return WORDS.get(self.status, "")


async def ticket(process: Process, service: str) -> Ticket:
    """A ticket of the process's own account for a service such as `cifs/files.corp.example`."""
    account = wire_account(process)
    if account is None:
        return Ticket(service, status=NO_CREDENTIALS)
    found = met(process, "ticket", service)
    if found.state in ("refused", "none") or not _known(process, account):
        return Ticket(service, status=LOGON_FAILURE)
    if found.state == "lost" or await controller(process, account.domain, KERBEROS) is None:
        return Ticket(service, status=NO_LOGON_SERVERS)
    name = found.account or account.name
    realm = account.domain.upper()
    return Ticket(service, f"{name}$ @ {realm}", realm)


def _known(process: Process, account: WireAccount) -> bool:
    directory = process.world.directory
    return directory is not None and (account.kind == "machine" or directory.knows(account.name, account.domain))
