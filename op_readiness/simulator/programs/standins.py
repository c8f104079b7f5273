"""Stand-ins for PowerShell scripts that computing and a machine's restart need: Kubernetes' own Windows tests run them.

The texts are those of test/e2e/windows (cpu_limits.go, node_shutdown.go), Kubernetes 1.37.
"""

from __future__ import annotations

import asyncio

from op_readiness.simulator.programs.console.shutdown import shutdown
from op_readiness.simulator.programs.powershell import register
from op_readiness.simulator.programs.process import Process

BURN = (
    "foreach ($loopnumber in 1..8) { Start-Job -ScriptBlock { $result = 1; foreach($mm in 1..2147483647)"
    "{$res1=1;foreach($num in 1..2147483647){$res1=$mm*$num*1340371};$res1} } } ; get-job | wait-job"
)
RESTART = (
    "$os = Get-WmiObject -Class win32_operatingsystem; "
    '[Environment]::SetEnvironmentVariable("TMP_BOOT_DATE", $os.LastBootUpTime, "Machine"); '
    '[Environment]::SetEnvironmentVariable("TMP_INSTALL_DATE", $os.InstallDate, "Machine"); '
    "shutdown.exe -r -t 60"
)
JOBS = 8.0


async def burn(process: Process) -> int:
    """Eight jobs that compute for ever."""
    node = process.world.nodes[process.network.node]
    cores = float(node.spec.cpu)
    process.usage.compute(JOBS, process.clock.now(), cores)
    try:
        await asyncio.Event().wait()
    finally:
        process.usage.compute(0.0, process.clock.now(), cores)
    return 0


async def restart(process: Process) -> int:
    """The restart after a minute."""
    words = ["shutdown.exe", "-r", "-t", "60"]
    return await shutdown(process.child(words, stdout=process.stdout, stderr=process.stderr))


def register_all() -> None:
    """Give the scripts their stand-ins."""
    register(BURN, burn)
    register(RESTART, restart)
