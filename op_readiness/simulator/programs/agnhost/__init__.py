"""agnhost, the program of Kubernetes' own tests: one subcommand each module, answers as the real one was seen to give.

Subcommands that the real one has and this one has not are refused with exit code 127 and their name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from op_readiness.simulator.programs.agnhost import (
    connect,
    inclusterclient,
    mounttest,
    netexec,
    serving,
    small,
    webserver,
)
from op_readiness.simulator.programs.agnhost.flags import Given, HelpWanted, Subcommand, WrongUse, help_text, parse
from op_readiness.simulator.programs.process import Process, Terminated
from op_readiness.simulator.programs.running import STATUS_CONTROL_C_EXIT, until_stopped

_OTHERS = """audit-proxy crd-conversion-webhook external-metrics fake-registry-server grpc-health-checking
guestbook mtlsclient mtlsserver net nettest no-snat-test-proxy nonewprivs podcertificatesigner port-forward-tester
resource-consumer-controller stress test-service-account-issuer-discovery webhook"""
NOT_SIMULATED = _OTHERS.split()
GO_UNHANDLED_SIGTERM = 2


@dataclass(frozen=True)
class Entry:
    """A subcommand; `own_signals` if it looks at SIGTERM itself."""

    command: Subcommand
    main: Callable[[Process, Given], Awaitable[int]]
    own_signals: bool = False


async def _gitserver(process: Process, given: Given) -> int:
    return await serving.fixed_text(process, 8000, "I am a fake git server")


async def _h2c(process: Process, given: Given) -> int:
    return await serving.fixed_text(process, given["port"], "ok", mux=False)


ENTRIES = {
    entry.command.name: entry
    for entry in (
        Entry(netexec.COMMAND, netexec.main, own_signals=True),
        Entry(connect.COMMAND, connect.main),
        Entry(serving.SERVE_HOSTNAME, serving.serve_hostname, own_signals=True),
        Entry(serving.PORTER, serving.porter),
        Entry(serving.TCP_RESET, serving.tcp_reset, own_signals=True),
        Entry(serving.LIVENESS, serving.liveness),
        Entry(serving.NO_SNAT, serving.no_snat),
        Entry(serving.FAKE_GITSERVER, _gitserver),
        Entry(serving.H2C_SERVER, _h2c),
        Entry(webserver.COMMAND, webserver.main),
        Entry(small.PAUSE, small.pause, own_signals=True),
        Entry(small.ENTRYPOINT, small.entrypoint_tester),
        Entry(small.LOGS, small.logs_generator),
        Entry(small.DNS_SUFFIX, small.dns_suffix),
        Entry(small.DNS_SERVERS, small.dns_servers),
        Entry(small.ETC_HOSTS, small.etc_hosts),
        Entry(mounttest.COMMAND, mounttest.main),
        Entry(inclusterclient.COMMAND, inclusterclient.main),
    )
}


async def agnhost(process: Process) -> int:
    """The exit code of one call."""
    words = process.argv[1:]
    if not words or words[0] in ("--help", "-h", "help"):
        process.stdout.write(_usage())
        return 0
    entry = ENTRIES.get(words[0])
    if entry is None:
        return _unknown(process, words[0])
    try:
        given = parse(entry.command, words[1:])
    except HelpWanted:
        process.stdout.write(help_text(entry.command))
        return 0
    except WrongUse as error:
        process.stderr.write(f"Error: {error}\n")
        return 1
    if entry.own_signals or not (process.pid1 or process.windows):
        return await entry.main(process, given)
    return await _ended_by_signal(process, entry, given)


def _usage() -> str:
    names = "\n".join(f"  {name:<28}{entry.command.summary}" for name, entry in sorted(ENTRIES.items()))
    return f"Usage:\n  app [command]\n\nAvailable Commands:\n{names}\n"


async def _ended_by_signal(process: Process, entry: Entry, given: Given) -> int:
    """Run a subcommand without a handler: Go ends it with 2, Windows with its own code."""

    async def main() -> int:
        return await entry.main(process, given)

    try:
        return await until_stopped(process, main())
    except Terminated:
        return STATUS_CONTROL_C_EXIT if process.windows else GO_UNHANDLED_SIGTERM


def _unknown(process: Process, name: str) -> int:
    if name in NOT_SIMULATED:
        process.stderr.write(f"agnhost {name}: this subcommand is not simulated\n")
        return 127
    if name.startswith("-"):
        kind = "unknown flag: " if name.startswith("--") else "unknown shorthand flag: "
        shown = name if name.startswith("--") else f"'{name[1:2]}' in {name}"
        process.stderr.write(f"{_usage()}\nError: {kind}{shown}\n")
        return 1
    near = [known for known in sorted([*ENTRIES, *NOT_SIMULATED]) if _near(name, known)]
    hint = "\n\nDid you mean this?\n" + "".join(f"\t{known}\n" for known in near) if near else ""
    process.stderr.write(f'Error: unknown command "{name}" for "app"{hint}\n')
    return 1


def _near(typed: str, known: str) -> bool:
    """cobra's suggestion: at most two changes away, or beginning alike."""
    if known.lower().startswith(typed.lower()):
        return True
    previous = list(range(len(known) + 1))
    for i, left in enumerate(typed.lower(), 1):
        current = [i]
        for j, right in enumerate(known.lower(), 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (left != right)))
        previous = current
    return previous[-1] <= 2
