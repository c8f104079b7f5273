"""The pause image's program: waits for a signal and reaps nothing here."""

from __future__ import annotations

from op_readiness.simulator.programs.process import Process


async def pause(process: Process) -> int:
    """0 after SIGTERM, with its one line."""
    if "-v" in process.argv[1:]:
        process.stdout.write("pause.c 3.10\n")
        return 0
    await process.stop.wait()
    if not process.windows:
        process.stderr.write("Shutting down, got signal: Terminated\n")
    return 0
