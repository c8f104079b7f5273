"""net use: a session with a share, made, listed and ended."""

from __future__ import annotations

from op_readiness.simulator.domain.sharing import UNC, connect
from op_readiness.simulator.programs.process import Process


async def use(process: Process) -> int:
    """`net use \\\\server\\share [/delete]`: 0, or 2 with the system error. Drive letters and passwords are refused."""
    words = [word for word in process.argv[2:] if word.lower() not in ("/y", "/persistent:no")]
    match = UNC.fullmatch(words[0]) if words else None
    delete = [word.lower() for word in words[1:]] in (["/delete"], ["/d"])
    if not words:
        process.stdout.write("New connections will be remembered.\r\n\r\nThere are no entries in the list.\r\n\r\n")
        return 0
    if match is None or (words[1:] and not delete):
        process.stderr.write(f"net use {' '.join(words)}: is not simulated\r\n")
        return 1
    if delete:
        process.files.unmount(words[0])
        process.stdout.write(f"{words[0]} was deleted successfully.\r\n\r\n")
        return 0
    error = await connect(process, match[1], match[2])
    if error is None:
        process.stdout.write("The command completed successfully.\r\n\r\n")
        return 0
    process.stderr.write(f"System error {error.number} has occurred.\r\n\r\n{error.text}\r\n\r\n")
    return 2
