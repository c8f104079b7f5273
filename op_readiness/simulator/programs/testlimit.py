"""testlimit.exe of the resource-consumer image: takes memory step by step, and keeps it.

`-d SIZE` leaks and touches blocks of that size (Mb) as often as `-c` says, with `-e` seconds between them.
"""

from __future__ import annotations

import asyncio
import re

from op_readiness.simulator.programs.process import Process

REFUSED = "Lasterror: 1455\r\nThe paging file is too small for this operation to complete.\r\n"
"""ERROR_COMMITMENT_LIMIT: the machine's commit limit, and a job object's too. Nobody is killed for it."""


async def testlimit(process: Process) -> int:
    """Runs until it is stopped; what cannot be had is told once."""
    given = _given(process.argv[1:])
    size = _megabytes(given.get("-d", ""))
    if size is None:
        process.stderr.write("testlimit: of its tests only -d SIZE is simulated\r\n")
        return 1
    count, pause = int(given.get("-c", "0")), float(given.get("-e", "0"))
    process.stdout.write(f"Leaking private bytes with touch {size} MB at a time...\r\n")
    taken = 0
    try:
        while (not count or taken < count) and process.usage.commit(size * 1024**2):
            taken += 1
            await process.clock.sleep(max(pause, 0.01))
        process.stdout.write(f"Leaked {taken * size} MB of private memory ({taken * size} MB total leaked). ")
        process.stdout.write(REFUSED if not count or taken < count else "Lasterror: 0\r\n")
        await asyncio.Event().wait()
    finally:
        process.usage.release(taken * size * 1024**2)
    return 0


def _given(words: list[str]) -> dict[str, str]:
    options = [index for index, word in enumerate(words) if word.startswith("-")]
    return {words[index]: words[index + 1] for index in options if index + 1 < len(words)}


def _megabytes(text: str) -> int | None:
    found = re.fullmatch(r"(\d+)(mb)?", text.lower())
    return int(found[1]) if found else None
