"""Every simulated program by the name that its executables carry (see `images`)."""

from __future__ import annotations

from op_readiness.simulator.programs.agnhost import agnhost
from op_readiness.simulator.programs.busybox import APPLETS, busybox
from op_readiness.simulator.programs.coredns import coredns
from op_readiness.simulator.programs.curl import curl
from op_readiness.simulator.programs.netcat import nc
from op_readiness.simulator.programs.pausing import pause
from op_readiness.simulator.programs.running import Known
from op_readiness.simulator.programs.shell import sh

PROGRAMS: dict[str, Known] = {
    **{name: Known(applet) for name, applet in APPLETS.items()},
    "agnhost": Known(agnhost, own_signals=True),
    "ash": Known(sh),
    "busybox": Known(busybox),
    "coredns": Known(coredns, own_signals=True),
    "curl": Known(curl),
    "nc": Known(nc),
    "pause": Known(pause, own_signals=True),
    "sh": Known(sh),
    "windows-curl": Known(curl),
}
