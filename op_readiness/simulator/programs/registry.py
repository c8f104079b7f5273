"""Every simulated program by the name that its executables carry (see `images`)."""

from __future__ import annotations

from op_readiness.simulator.programs.agnhost import agnhost
from op_readiness.simulator.programs.coredns import coredns
from op_readiness.simulator.programs.curl import curl
from op_readiness.simulator.programs.pausing import pause
from op_readiness.simulator.programs.running import Known

PROGRAMS: dict[str, Known] = {
    "agnhost": Known(agnhost, own_signals=True),
    "coredns": Known(coredns, own_signals=True),
    "curl": Known(curl),
    "pause": Known(pause, own_signals=True),
    "windows-curl": Known(curl),
}
