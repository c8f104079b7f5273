"""The domain itself: controllers and a file server on the site's network, accounts, shares and who may use them.

It stands outside the cluster, as a real one does: Nodes and Pods find it by DNS and reach it over the network, so
whatever cuts a Node from DNS or from the site cuts it from its domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.network.interface import Peer, Server
from op_readiness.simulator.network.keys import Host
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.programs.files import Folder

if TYPE_CHECKING:
    from op_readiness.simulator.network.network import Network

NAME, NETBIOS = "corp.example", "CORP"
CONTROLLERS = {"dc1.corp.example": "10.240.0.4", "dc2.corp.example": "10.240.0.5"}
FILE_SERVER, FILE_SERVER_IP = "files.corp.example", "10.240.0.6"
OTHER_SITES = tuple(f"dc-branch-office-{number:02}.corp.example" for number in range(1, 11))
"""Controllers of other sites: named by DNS, so that the list of all of them does not fit into 512 bytes."""
ACCOUNT, CREDENTIAL_SPEC = "webapp01", "webapp01"
SID = "S-1-5-21-2126449477-2524075714-3094792973"
GUID = "244818ae-87ac-4fcd-92ec-e79e5252348a"
MACHINES = "*machines*"
"""Stands for the computer accounts of all Nodes where a share says who may use it."""
KERBEROS, RPC, LDAP, SMB = 88, 135, 389, 445


@dataclass
class Share:
    """One share. `writers` may also read; a name is an account without its dollar sign, or MACHINES."""

    name: str
    readers: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    root: Folder = field(default_factory=Folder)

    def allows(self, account: str, machine: bool, act: str) -> bool:
        """Whether an account may read, list, write or remove here."""
        names = self.writers if act in ("write", "remove") else (*self.readers, *self.writers)
        return account.removesuffix("$").lower() in names or (machine and MACHINES in names)


def _shares() -> dict[str, Share]:
    found = (
        Share("apps", writers=(ACCOUNT,)),
        Share("finance", writers=("svc-payroll",)),
        Share("machines", readers=(MACHINES,)),
    )
    return {share.name: share for share in found}


@dataclass
class Directory:
    """The domain of one simulated cluster. All its Windows Nodes have joined it."""

    name: str = NAME
    netbios: str = NETBIOS
    controllers: Mapping[str, str] = field(default_factory=lambda: dict(CONTROLLERS))
    accounts: tuple[str, ...] = (ACCOUNT,)
    shares: dict[str, Share] = field(default_factory=_shares)

    @property
    def locator(self) -> str:
        """The DNS name under which the domain's controllers are listed."""
        return f"_ldap._tcp.dc._msdcs.{self.name}"

    def is_file_server(self, host: str) -> bool:
        """Whether a host, by name or address, serves the shares; controllers do not."""
        return host.lower().rstrip(".") in (FILE_SERVER, FILE_SERVER.partition(".")[0], FILE_SERVER_IP)

    def knows(self, account: str, domain: str) -> bool:
        """Whether an account is one of this domain's."""
        return domain.lower() == self.name and account.lower() in self.accounts

    def join(self, network: Network) -> None:
        """Stand its hosts and its names on the site's network."""
        internet = network.internet
        internet.names[f"{self.name}."] = tuple(self.controllers.values())
        for host, ip in {**self.controllers, FILE_SERVER: FILE_SERVER_IP}.items():
            internet.names[f"{host}."] = (ip,)
            stack = internet.stacks[ip] = Stack("external", Host(host, ip), None, (ip,))
            for port in (KERBEROS, RPC, LDAP, SMB) if host in self.controllers else (SMB,):
                stack.listen("TCP", port, Server(raw=_silent))
        near = [f"0 100 {LDAP} {host}." for host in self.controllers]
        internet.services[f"{self.locator}."] = (*near, *(f"10 100 {LDAP} {host}." for host in OTHER_SITES))

    def heal(self) -> None:
        """What was written into the shares is gone."""
        for share in self.shares.values():
            share.root = Folder()

    def inputs(self) -> dict[str, Any]:
        """What the operator of this cluster would tell a tester of it, by the names of the tester's file."""
        return {
            "domain": self.name,
            "credSpecName": CREDENTIAL_SPEC,
            "dcHost": next(iter(self.controllers)),
            "smbUncAllowed": rf"\\{FILE_SERVER}\apps",
            "smbUncDenied": rf"\\{FILE_SERVER}\finance",
        }


async def _silent(data: bytes, peer: Peer) -> bytes:
    """What a protocol says that is not simulated as such: that the port is open is all that is asked."""
    return b""
