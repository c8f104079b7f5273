"""Which user names Windows can log on in a container and on a Node."""

from __future__ import annotations

from op_readiness.simulator.programs.files import FileSystem
from op_readiness.simulator.programs.process import Process

LOGON_FAILED = "The user name or password is incorrect."
GROUPS = "C:\\Windows\\System32\\config\\localgroups"
"""Where `net localgroup` keeps a machine's groups: a file for each, on its own file system."""
SYSTEM_USERS = {
    "nt authority\\system": "nt authority\\system", "nt authority\\local service": "nt authority\\local service",
    "nt authority\\localservice": "nt authority\\local service",
    "nt authority\\networkservice": "nt authority\\network service",
    "nt authority\\network service": "nt authority\\network service",
}  # fmt: skip
SIDS = {
    "nt authority\\system": "S-1-5-18", "nt authority\\local service": "S-1-5-19",
    "nt authority\\network service": "S-1-5-20", "user manager\\containeradministrator": "S-1-5-93-2-1",
    "user manager\\containeruser": "S-1-5-93-2-2",
}  # fmt: skip
"""Well-known SIDs by the names that whoami prints."""
CONTAINER_USERS = ("containeruser", "containeradministrator")


def can_log_on(process: Process) -> bool:
    """Whether the process's user is one that its container has."""
    return not process.windows or known_user(process.user, process.files, host=process.host_process)


def known_user(user: str, files: FileSystem, *, host: bool) -> bool:
    """Whether a name can be logged on: accounts of the system, those of a container, or (`host`) a Node's groups."""
    if not host:
        return not user or known_container_user(user)
    return not user or user.lower() in SYSTEM_USERS or files.exists(f"{GROUPS}\\{user.rpartition(chr(92))[2]}")


def known_container_user(user: str) -> bool:
    """Whether every Windows container has this account."""
    domain, _, name = user.lower().rpartition("\\")
    return user.lower() in SYSTEM_USERS or (name in CONTAINER_USERS and domain in ("", "user manager"))
