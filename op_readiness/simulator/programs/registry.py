"""Every simulated program by the name that its executables carry (see `images`)."""

from __future__ import annotations

from op_readiness.simulator.programs.agnhost import agnhost
from op_readiness.simulator.programs.busybox import APPLETS, busybox
from op_readiness.simulator.programs.cmd import cmd
from op_readiness.simulator.programs.console import tools
from op_readiness.simulator.programs.console.icacls import icacls
from op_readiness.simulator.programs.console.ipconfig import ipconfig
from op_readiness.simulator.programs.console.klist import klist
from op_readiness.simulator.programs.console.netsh import netsh
from op_readiness.simulator.programs.console.nltest import nltest
from op_readiness.simulator.programs.console.ping import ping
from op_readiness.simulator.programs.console.reg import reg
from op_readiness.simulator.programs.console.route import route
from op_readiness.simulator.programs.console.shutdown import shutdown
from op_readiness.simulator.programs.console.tasklist import tasklist
from op_readiness.simulator.programs.coredns import coredns
from op_readiness.simulator.programs.curl import curl
from op_readiness.simulator.programs.dig import dig
from op_readiness.simulator.programs.hostscripts import register_all as register_host_scripts
from op_readiness.simulator.programs.netcat import nc
from op_readiness.simulator.programs.nginx import nginx
from op_readiness.simulator.programs.nslookup import busybox_nslookup, nslookup, windows_nslookup
from op_readiness.simulator.programs.pausing import pause
from op_readiness.simulator.programs.powershell import powershell
from op_readiness.simulator.programs.readinessscripts import register_all as register_readiness_scripts
from op_readiness.simulator.programs.running import Known
from op_readiness.simulator.programs.shell import sh
from op_readiness.simulator.programs.standins import register_all
from op_readiness.simulator.programs.testlimit import testlimit

PROGRAMS: dict[str, Known] = {
    **{name: Known(applet) for name, applet in APPLETS.items()},
    "agnhost": Known(agnhost, own_signals=True),
    "ash": Known(sh),
    "busybox": Known(busybox),
    "busybox-nslookup": Known(busybox_nslookup),
    "coredns": Known(coredns, own_signals=True),
    "curl": Known(curl),
    "dig": Known(dig),
    "icacls": Known(icacls),
    "klist": Known(klist),
    "image-hostname": Known(tools.hostname_of_image),
    "nc": Known(nc),
    "netsh": Known(netsh),
    "nginx": Known(nginx, own_signals=True),
    "nltest": Known(nltest),
    "nslookup": Known(nslookup),
    "pause": Known(pause, own_signals=True),
    "powershell": Known(powershell),
    "reg": Known(reg),
    "route": Known(route),
    "sh": Known(sh),
    "shutdown": Known(shutdown),
    "testlimit": Known(testlimit),
    "windows-chcp": Known(tools.chcp),
    "windows-cmd": Known(cmd),
    "windows-curl": Known(curl),
    "windows-find": Known(tools.find_text),
    "windows-findstr": Known(tools.findstr),
    "windows-hostname": Known(tools.hostname),
    "windows-ipconfig": Known(ipconfig),
    "windows-more": Known(tools.more),
    "windows-net": Known(tools.net),
    "windows-nslookup": Known(windows_nslookup),
    "windows-ping": Known(ping),
    "windows-sort": Known(tools.sort),
    "windows-tasklist": Known(tasklist),
    "windows-timeout": Known(tools.timeout),
    "windows-where": Known(tools.where),
    "windows-whoami": Known(tools.whoami),
}
register_all()
register_readiness_scripts()
register_host_scripts()
