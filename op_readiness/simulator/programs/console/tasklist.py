"""tasklist on a Node: what HostProcess containers have begun there and not ended yet, beside a few of Windows' own."""

from __future__ import annotations

from op_readiness.simulator.programs.console.hostfacts import node_of
from op_readiness.simulator.programs.hostprocesses import SUBJECT
from op_readiness.simulator.programs.process import Process

OWN = (("System", 4), ("services.exe", 812), ("containerd.exe", 2044), ("kubelet.exe", 2380))


async def tasklist(process: Process) -> int:
    """`[/nh]`; anything else is refused, and so is an ordinary container."""
    words = [word.lower() for word in process.argv[1:]]
    if set(words) - {"/nh"} or not process.host_process:
        process.stderr.write(f"tasklist {' '.join(words)}: is not simulated\r\n")
        return 1
    if "/nh" not in words:
        process.stdout.write(f"{'Image Name':<25} {'PID':>8}\r\n{'=' * 25} {'=' * 8}\r\n")
    begun = (name.rpartition("#") for name in node_of(process).host.names(SUBJECT))
    for name, number in [*OWN, *((image, int(pid)) for image, _, pid in begun)]:
        process.stdout.write(f"{name[:25]:<25} {number:>8} Services                   0     10,000 K\r\n")
    return 0
