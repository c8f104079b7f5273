"""shutdown.exe on a Node: restarts it after a delay. A container has no rights to shut anything down."""

from __future__ import annotations

from op_readiness.simulator.programs.process import Process

ACCESS_DENIED = 5
DEFAULT_DELAY = 30.0


async def shutdown(process: Process) -> int:
    """`-r [-t SECONDS] [-f]`; comes back at once, the restart follows."""
    words = [word.lower().replace("/", "-", 1) for word in process.argv[1:]]
    if not process.host_process:
        process.stderr.write("Access is denied.(5)\r\n")
        return ACCESS_DENIED
    if "-r" not in words or set(words) - {"-r", "-f", "-t", *(word for word in words if word.isdigit())}:
        process.stderr.write(f"shutdown {' '.join(words)}: is not simulated\r\n")
        return 1
    delay = float(words[words.index("-t") + 1]) if "-t" in words[:-1] else DEFAULT_DELAY
    kubelet = process.world.kubelets[process.network.node]
    kubelet.spawn(kubelet.shut_down(delay), "shutdown")
    return 0
