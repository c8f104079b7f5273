"""Shares as Windows reaches them: \\\\server\\share is looked up, dialled, authenticated, and then a folder.

The way there is gone at every command that names such a path, so a cut network, a lost ticket or a closed share shows
at the moment when somebody looks.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from op_readiness.simulator.domain.directory import SMB, Share
from op_readiness.simulator.domain.identity import met, wire_account
from op_readiness.simulator.domain.tickets import NO_LOGON_SERVERS, ticket
from op_readiness.simulator.network.interface import NetworkFailure
from op_readiness.simulator.programs.addresses import literal, resolve
from op_readiness.simulator.programs.files import Folder, Guard
from op_readiness.simulator.programs.process import Process

DIAL_SECONDS = 21.0
"""Cluster seconds after which Windows gives up a TCP connection."""
UNC = re.compile(r'\\\\([^\\/\s"<>|&?*]+)\\([^\\/\s"<>|&?*]+)')
EVERYBODY = ("sysvol", "netlogon")
"""Shares of every controller that all accounts of the domain may read."""

ADMINISTRATIVE = ("admin$", "c$")
"""Shares that every Windows makes by itself, for its administrators alone."""


@dataclass(frozen=True)
class NetError:
    """A Windows error: its number, its text, and the errno under which a file system carries it."""

    number: int
    text: str
    errno: int


ACCESS_DENIED = NetError(5, "Access is denied.", errno.EACCES)
PATH_NOT_FOUND = NetError(53, "The network path was not found.", errno.EHOSTUNREACH)
NAME_NOT_FOUND = NetError(67, "The network name cannot be found.", errno.ENXIO)
NO_SERVERS = NetError(
    1311, "There are currently no logon servers available to service the logon request.", errno.EHOSTDOWN
)
LOGON_FAILURE = NetError(1326, "The user name or password is incorrect.", errno.EPERM)


async def reach(process: Process, text: str) -> None:
    """Mount every share that a command line names, as its process meets it."""
    if not process.windows or "\\\\" not in text or getattr(process.world, "directory", None) is None:
        return
    for host, share in dict.fromkeys((match[1], match[2]) for match in UNC.finditer(text)):
        await connect(process, host, share)


async def connect(process: Process, host: str, name: str) -> NetError | None:
    """Mount one share; the error that everybody meets who looks into it, or None."""
    failed, share = await _opened(process, host, name)
    guard = _refusing(failed) if failed else _guard(process, share, f"{host}\\{name}".lower())
    process.files.mount(f"\\\\{host}\\{name}", share.root if share and not failed else Folder(), guard=guard)
    return failed or _denied(process, share, f"{host}\\{name}".lower(), "list")


async def _opened(process: Process, host: str, name: str) -> tuple[NetError | None, Share | None]:
    try:
        for ip in await resolve(process, host, ("IPv4",)):
            (await process.network.connect(ip, SMB, DIAL_SECONDS)).close()
    except NetworkFailure:
        return PATH_NOT_FOUND, None
    share = _share(process, host, name.lower())
    if share is None:
        return NAME_NOT_FOUND, None
    if wire_account(process) is not None and literal(host) is None:
        got = await ticket(process, f"cifs/{host}")
        if got.status:
            return (NO_SERVERS if got.status == NO_LOGON_SERVERS else LOGON_FAILURE), None
    return None, share


def _share(process: Process, host: str, name: str) -> Share | None:
    directory = process.world.directory
    if name in ADMINISTRATIVE:
        return Share(name)
    if directory.is_file_server(host):
        found: Share | None = directory.shares.get(name)
        return found
    return Share(name) if name in EVERYBODY else None


def _denied(process: Process, share: Share | None, target: str, act: str) -> NetError | None:
    """Why the process may not do this in a share; None if it may."""
    found, account = met(process, "share", target), wire_account(process)
    name = found.account or (account.name if account else "")
    if found.state != "well" or not name or share is None:
        return LOGON_FAILURE if not name else ACCESS_DENIED
    if share.name in EVERYBODY and act in ("read", "list"):
        return None
    machine = not found.account and account is not None and account.kind == "machine"
    return None if share.allows(name, machine, act) else ACCESS_DENIED


def _guard(process: Process, share: Share | None, target: str) -> Guard:
    def guard(act: str, path: str) -> None:
        error = _denied(process, share, target, act)
        if error is not None:
            raise OSError(error.errno, error.text, path)

    return guard


def _refusing(error: NetError) -> Guard:
    def guard(act: str, path: str) -> None:
        raise OSError(error.errno, error.text, path)

    return guard
