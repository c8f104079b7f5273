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
    try:
        if given["timeout"] < 0:
            raise TimedOut("the deadline lies in the past")
        (await connect_any(process, targets, given["timeout"] or None)).close()
    except NetworkFailure as error:
        return _tcp_word(process, error, targets[0])
    return ""


def _tcp_word(process: Process, error: NetworkFailure, target: Peer) -> str:
    if isinstance(error, TimedOut):
        return "TIMEOUT"
    if isinstance(error, Refused) and not process.windows:
        return "REFUSED"
    return f"OTHER: {_dial_words(process, error, target, 'tcp')}"


async def _udp(process: Process, given: Given) -> str:
    try:
        target = (await addresses(process, split(given.arguments[0]), "udp"))[0]
    except GoError as error:
        return f"DNS: {error}"
    local = Peer(own_address(process, family_of(target.ip)), random.randint(32768, 60999))
    timeout = given["timeout"] if given["timeout"] > 0 else None  # not positive: SetDeadline is not called
    data = f"{given['udp-data']}\n".encode()
    try:
        answer = await process.network.datagram(target.ip, target.port, data, timeout)
    except NetworkFailure as error:
        return await _udp_word(process, error, timeout, local, target)
    if not answer:
        return "OTHER: No data received from the server. Cannot guarantee the server received the request."
    return ""


async def _udp_word(
    process: Process, error: NetworkFailure, timeout: float | None, local: Peer, target: Peer
) -> str:
    if isinstance(error, TimedOut):
        return f"TIMEOUT: read udp {local}->{target}: i/o timeout"
    if isinstance(error, Refused):
        if process.windows:
            return await _never_told(process, timeout, local, target)
        return f"REFUSED: read udp {local}->{target}: read: connection refused"
    return f"OTHER: {_dial_words(process, error, target, 'udp')}"


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
