"""agnhost connect: one TCP, UDP or SCTP attempt, told by a word on stderr."""

from __future__ import annotations

import random

from op_readiness.simulator.network.interface import NetworkFailure, NoRoute, Peer, Refused, TimedOut
from op_readiness.simulator.programs import golang
from op_readiness.simulator.programs.addresses import family_of, own_address
from op_readiness.simulator.programs.agnhost.flags import Flag, Given, Subcommand
from op_readiness.simulator.programs.goclient import LookupFailed, addresses, connect_any, split
from op_readiness.simulator.programs.golang import GoError
from op_readiness.simulator.programs.process import Process

COMMAND = Subcommand(
    "connect",
    "Attempts a TCP, UDP or SCTP connection and returns useful errors",
    (
        Flag("timeout", "duration", 0.0, "Maximum time before returning an error"),
        Flag("protocol", "string", "tcp", "The protocol to use to perform the connection, can be tcp, udp or sctp"),
        Flag("udp-data", "string", "hostname", "The UDP payload send to the server"),
        Flag("sctp-data", "string", "hostname", "The SCTP payload send to the server"),
    ),
    arguments=1,
)
NO_SCTP = {"linux": "protocol not supported", "windows": "SCTP is unsupported on windows/amd64"}
TOO_SOON = 1e-3
"""A deadline that lies in the past: what Go makes of a negative time-out, in seconds."""


async def main(process: Process, given: Given) -> int:
    """0 when the target took the connection or answered the datagram, else 1."""
    kinds = {"": _tcp, "tcp": _tcp, "udp": _udp, "sctp": _sctp}
    protocol = given["protocol"]
    if protocol not in kinds:
        process.stderr.write(f"Unsupported protocol\n{protocol}")
        return 1
    word = await kinds[protocol](process, given)
    if word:
        process.stderr.write(word + "\n")
    return 1 if word else 0


async def _tcp(process: Process, given: Given) -> str:
    try:
        where = split(given.arguments[0])
    except GoError as error:
        return f"UNKNOWN: {error}"
    try:
        targets = await addresses(process, where)
    except LookupFailed as error:
        return f"DNS: {error}"
    if given["timeout"] < 0:
        return "TIMEOUT"
    try:
        (await connect_any(process, targets, given["timeout"] or None)).close()
    except TimedOut:
        return "TIMEOUT"
    except Refused as error:
        return "REFUSED" if not process.windows else f"OTHER: {golang.dial_error(process.os, error, targets[0])}"
    except NetworkFailure as error:
        return f"OTHER: {_dial_words(process, error, targets[0], 'tcp')}"
    return ""


async def _udp(process: Process, given: Given) -> str:
    try:
        target = (await addresses(process, split(given.arguments[0]), "udp"))[0]
    except GoError as error:
        return f"DNS: {error}"
    local = Peer(own_address(process, family_of(target.ip)), random.randint(32768, 60999))
    timeout = given["timeout"] if given["timeout"] > 0 else None
    data = f"{given['udp-data']}\n".encode()
    try:
        answer = await process.network.datagram(target.ip, target.port, data, timeout)
    except TimedOut:
        return f"TIMEOUT: read udp {local}->{target}: i/o timeout"
    except Refused:
        if process.windows:
            return await _never_told(process, timeout, local, target)
        return f"REFUSED: read udp {local}->{target}: read: connection refused"
    except NetworkFailure as error:
        return f"OTHER: {_dial_words(process, error, target, 'udp')}"
    if not answer:
        return "OTHER: No data received from the server. Cannot guarantee the server received the request."
    return ""


async def _never_told(process: Process, timeout: float | None, local: Peer, target: Peer) -> str:
    """Go on Windows turns port-unreachable reports off: the read waits for its deadline, or for ever."""
    if timeout is None:
        await process.stop.wait()
        return "TIMEOUT"
    await process.clock.sleep(timeout)
    return f"TIMEOUT: read udp {local}->{target}: i/o timeout"


async def _sctp(process: Process, given: Given) -> str:
    try:
        await addresses(process, split(given.arguments[0]), "sctp")
    except GoError as error:
        return f"DNS: {error}"
    return f"OTHER: {NO_SCTP[process.os]}" if given["timeout"] > 0 else "TIMEOUT"


def _dial_words(process: Process, error: NetworkFailure, target: Peer, net: str) -> str:
    text = str(error)
    if isinstance(error, NoRoute) and "no route to host" in text and not process.windows:
        return f"dial {net} {target}: connect: no route to host"
    return golang.dial_error(process.os, error, target, net=net)
