"""BusyBox: its applets, by name. What is not here is not there: a shell says `not found` and gives 127."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from op_readiness.simulator.programs.busybox import filetools, misc, text
from op_readiness.simulator.programs.busybox.applet import Usage, complain
from op_readiness.simulator.programs.busybox.stream import sed
from op_readiness.simulator.programs.busybox.wget import wget
from op_readiness.simulator.programs.process import Process

Applet = Callable[[Process], Awaitable[int]]
_TABLE: dict[str, Applet] = {
    "[": misc.test, "base64": filetools.base64, "basename": misc.basename, "cat": text.cat, "chmod": filetools.chmod,
    "cp": filetools.cp, "cut": text.cut, "date": misc.date, "dirname": misc.dirname, "echo": misc.echo,
    "egrep": text.grep, "env": misc.env, "expr": misc.expr, "false": misc.false, "fgrep": text.grep,
    "find": filetools.find, "grep": text.grep, "head": text.head, "hostname": misc.hostname, "id": misc.identity,
    "kill": misc.kill, "ln": filetools.ln, "ls": filetools.ls, "md5sum": filetools.sums("md5"),
    "mkdir": filetools.mkdir, "mv": filetools.mv, "printenv": misc.printenv, "printf": misc.printf, "ps": misc.ps,
    "pwd": misc.pwd, "rev": text.rev, "rm": filetools.rm, "rmdir": filetools.rmdir, "sed": sed, "seq": misc.seq,
    "sha1sum": filetools.sums("sha1"), "sha256sum": filetools.sums("sha256"), "sha512sum": filetools.sums("sha512"),
    "sleep": misc.sleep, "sort": text.sort, "stat": filetools.stat, "sync": misc.true, "tac": text.tac,
    "tail": text.tail, "tee": text.tee, "test": misc.test, "timeout": misc.timeout, "touch": filetools.touch,
    "tr": text.tr, "true": misc.true, "truncate": filetools.truncate, "uname": misc.uname, "uniq": text.uniq,
    "unlink": filetools.unlink, "usleep": misc.usleep, "wc": text.wc, "wget": wget, "which": misc.which,
    "whoami": misc.whoami, "xargs": misc.xargs, "yes": misc.yes,
}  # fmt: skip


def _checked(applet: Applet) -> Applet:
    async def run(process: Process) -> int:
        try:
            return await applet(process)
        except Usage as error:
            complain(process, str(error))
            return 1

    return run


APPLETS: dict[str, Applet] = {name: _checked(applet) for name, applet in _TABLE.items()}


async def busybox(process: Process) -> int:
    """`busybox APPLET ARGUMENTS`."""
    from op_readiness.simulator.programs.registry import PROGRAMS

    words = process.argv[1:]
    if not words:
        process.stdout.write("BusyBox v1.37.0 multi-call binary.\n\n" + ", ".join(sorted(APPLETS)) + "\n")
        return 0
    if words[0] not in APPLETS and words[0] not in ("sh", "ash", "nc", "nslookup"):
        process.stderr.write(f"{words[0]}: applet not found\n")
        return 127
    return await PROGRAMS[words[0]].start(replace(process, argv=words))
