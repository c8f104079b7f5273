"""icacls on folders: who may use one, as SIDs; what a container's user meets of it is `nodes.mounts`' to judge."""

from __future__ import annotations

import re

from op_readiness.simulator.programs.files import Folder
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.windowsusers import SIDS

GRANT = re.compile(r"\*?([^:]+):(\([A-Z,]+\))*[A-Z]*(\([A-Z,]+\))?", re.IGNORECASE)
DENIED = 5


async def icacls(process: Process) -> int:
    """`FOLDER [/inheritance:r] [/grant[:r] PRINCIPAL:RIGHTS ...] [/reset] [/t] [/q]`; anything else is refused."""
    words = list(process.argv[1:])
    path = process.path(words.pop(0)) if words else ""
    entry = process.files.entry(path) if path else None
    if entry is None:
        process.stderr.write(f"{path}: The system cannot find the file specified.\r\n")
        return 2
    if not isinstance(entry, Folder):
        process.stderr.write("icacls of a file: is not simulated\r\n")
        return 1
    if not process.host_process:
        process.stderr.write(f"{path}: Access is denied.\r\n")
        return DENIED
    kept, granted = entry.acl, []
    while words:
        word = words.pop(0).lower()
        if word == "/reset":
            kept = None
        elif word == "/inheritance:r":
            kept = kept or ()
        elif word in ("/grant", "/grant:r"):
            while words and not words[0].startswith("/"):
                granted.append(_sid(words.pop(0)))
        elif word not in ("/t", "/q", "/c"):
            process.stderr.write(f"icacls {word}: is not simulated\r\n")
            return 1
    entry.acl = None if kept is None else tuple(dict.fromkeys((*kept, *granted)))
    process.stdout.write(f"processed file: {path}\r\nSuccessfully processed 1 files; Failed processing 0 files\r\n")
    return 0


def _sid(grant: str) -> str:
    match = GRANT.fullmatch(grant)
    name = match[1] if match else grant
    return name.lstrip("*").upper() if name.lstrip("*").upper().startswith("S-1-") else SIDS.get(name.lower(), name)
