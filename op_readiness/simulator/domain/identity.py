"""Who a process is (state ID): the account of its token, and the one that others see on the wire.

The table of a Node holds nothing: everybody is who he ought to be. Faults hook its look-up, once for every use that a
process makes of its identity.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.network.table import Table
from op_readiness.simulator.programs.process import Process

USES = ("user", "nonroot", "credentials", "channel", "ticket", "share", "file")


@dataclass(frozen=True)
class IdKey:
    """One use of an identity by a container.

    `use` is user (the account that its processes run as), nonroot (the kubelet's look at it where runAsNonRoot asks
    for one), credentials (the GMSA's, when it is made), channel (the secure channel to a domain controller), ticket
    (Kerberos), share (a file server's look at who comes) or file (a folder's rights). `identity` is gmsa, machine (a
    HostProcess container that is its Node's computer account), or none; `account` the user asked for (use: user) or
    the domain account; `target` the service or share; `level` says for use user whether the Pod, the container, or
    nobody but the image named the account.
    """

    namespace: str
    pod: str
    container: str
    use: str
    identity: str = "none"
    account: str = ""
    target: str = ""
    level: str = ""


@dataclass(frozen=True)
class Identity:
    """What is met. `state` is well, lost (no answer comes), refused or none (goes on without an identity).

    `account` replaces the account, `status` is that of a secure channel (0: NERR_Success), `message` a refusal's text.
    """

    state: str = "well"
    account: str = ""
    status: int = 0
    message: str = ""


WELL = Identity()
IdTable = Table[IdKey, Identity]


def id_table(node: str) -> IdTable:
    """The ID table of a Node, all well."""
    return Table("ID", node)


@dataclass(frozen=True)
class WireAccount:
    """Who a process is to the domain. `kind` is gmsa or machine; `domain` is the one that it names."""

    kind: str
    name: str
    domain: str

    @property
    def client(self) -> str:
        """As Kerberos writes it."""
        return f"{self.name}$ @ {self.domain.upper()}"


def wire_account(process: Process) -> WireAccount | None:
    """The account with which a process goes to the network; None for one that only its own machine knows."""
    directory = getattr(process.world, "directory", None)
    if process.host_process:
        user = process.user.lower()
        if directory is None or not user.startswith("nt authority\\") or "local" in user:
            return None
        return WireAccount("machine", process.network.node[:15].upper(), directory.name)
    spec = parsed(process.credential_spec)
    joined = spec.get("DomainJoinConfig") or {}
    name, domain = str(joined.get("MachineAccountName") or ""), str(joined.get("DnsName") or "")
    return WireAccount("gmsa", name, domain) if name and domain and not process.without_domain else None


def named_domain(process: Process) -> str:
    """The domain that a process's credential spec names; empty without one."""
    return str((parsed(process.credential_spec).get("DomainJoinConfig") or {}).get("DnsName") or "")


def parsed(credential_spec: str) -> dict[str, Any]:
    """A credential spec's fields; none for a text that is no JSON object."""
    try:
        found = json.loads(credential_spec)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def met(process: Process, use: str, target: str = "") -> Identity:
    """What a process meets when it uses its identity so."""
    table = _table(process)
    if table is None:
        return WELL
    account, meta = wire_account(process), process.pod.get("metadata", {})
    key = IdKey(
        meta.get("namespace", ""), meta.get("name", ""), process.container, use, account.kind if account else "none",
        account.name if account else "", target,
    )  # fmt: skip
    return table.lookup(key) or WELL


def _table(process: Process) -> IdTable | None:
    node = getattr(process.world, "nodes", {}).get(process.network.node)
    return None if node is None else node.tables.get("ID")
