"""agnhost netexec: the HTTP and UDP server that tests ask for its name; how it starts, answers UDP and stops.

The HTTP paths are in `netexec_paths`, `/dial` in `netexec_dial`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer, Server
from op_readiness.simulator.programs.addresses import literal
from op_readiness.simulator.programs.agnhost.flags import Flag, Given, Subcommand
from op_readiness.simulator.programs.agnhost.netexec_paths import Exit, Paths
from op_readiness.simulator.programs.goserver import ListenFailed, Ports, log, ports
from op_readiness.simulator.programs.process import Process

COMMAND = Subcommand(
    "netexec",
    "Creates HTTP(S), UDP, and (optionally) SCTP servers with various endpoints",
    (
        Flag("http-port", "int", 8080, "HTTP Listen Port"),
        Flag("tls-cert-file", "string", "", "File containing an x509 certificate for HTTPS"),
        Flag("tls-private-key-file", "string", "", "File containing an x509 private key matching --tls-cert-file"),
        Flag("udp-port", "int", 8081, "UDP Listen Port"),
        Flag("sctp-port", "int", -1, "SCTP Listen Port"),
        Flag("http-override", "string", "", "Override the HTTP handler to always respond as if it were this GET"),
        Flag("udp-listen-addresses", "string", "", "IP addresses the udp servers listen from, comma separated"),
        Flag("delay-shutdown", "int", 0, "Number of seconds to delay shutdown when receiving SIGTERM."),
    ),
)
UDP_BYTES = 2048


@dataclass
class NetExec:
    """One running server."""

    process: Process
    given: Given
    paths: Paths = field(init=False)

    def __post_init__(self) -> None:
        self.paths = Paths(self.process, self.given["http-port"])

    async def http(self, request: HttpRequest, peer: Peer) -> HttpResponse | None:
        """Answer a request, or what --http-override makes of it."""
        if self.given["http-override"]:
            request = HttpRequest("GET", self.given["http-override"], {}, b"", request.tls)
            given = await self.paths.answer(request, Peer("", 0))
        else:
            given = await self.paths.answer(request, peer)
        if given is None:
            await asyncio.sleep(0)
        return given

    async def datagram(self, data: bytes, peer: Peer) -> bytes | None:
        """Answer a datagram; None is silence."""
        raw = data[:UDP_BYTES].decode(errors="replace").strip()
        text = raw.lower()
        if text == "hostname":
            log(self.process, "Sending udp hostName response")
            return self.process.hostname.encode()
        if text.startswith("envvar "):
            name = raw.split(" ", 1)[1].strip()
            log(self.process, f"Sending UDP envvar response for {name}")
            return self.process.env.get(name, "").encode()
        if text.startswith("echo "):
            log(self.process, f"Echoing {text[5:]} to UDP client {peer}")
            return text[5:].encode()
        if text == "clientip":
            log(self.process, f"Sending clientip back to UDP client {peer}")
            return str(peer).encode()
        if text == "serverport":
            log(self.process, f"Sending server port to UDP client {self.given['udp-port']}")
            return str(self.given["udp-port"]).encode()
        if text:
            log(self.process, f"Unknown UDP command received from {peer}: {text}")
        return None


async def main(process: Process, given: Given) -> int:
    """Serve until told to end."""
    server = NetExec(process, given)
    with ports(process) as held:
        try:
            _open(server, held)
        except ListenFailed as error:
            log(process, str(error))
            return 1
        return await _serve(process, server, given["delay-shutdown"])


def _open(server: NetExec, held: Ports) -> None:
    given, process = server.given, server.process
    if given["udp-port"] != -1:
        for address in _udp_addresses(given["udp-listen-addresses"]):
            _open_udp(server, held, address)
    if given["sctp-port"] != -1:
        raise ListenFailed(
            f"Error occurred: failed to create listener for SCTP address :{given['sctp-port']}:protocol not supported"
        )
    log(process, f"Started HTTP server on port {given['http-port']}")
    certificate = given["tls-cert-file"]
    if certificate:
        for name in (certificate, given["tls-private-key-file"]):
            if not process.files.exists(process.path(name)):
                raise ListenFailed(f"open {name}: no such file or directory")
    held.http(given["http-port"], server.http, tls=bool(certificate))


def _open_udp(server: NetExec, held: Ports, address: str) -> None:
    port = server.given["udp-port"]
    shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        held.listen("UDP", port, Server(datagram=server.datagram), address)
    except ListenFailed as error:
        place = f"failed to create listener for UDP address {shown}"
        raise ListenFailed(f"Error occurred: {place}:{error}") from None
    log(server.process, f"Started UDP server on port {address} {port}")
    server.paths.ready = True


def _udp_addresses(text: str) -> list[str]:
    if not text:
        return [""]
    for address in text.split(","):
        if literal(address) is None:
            raise ListenFailed(f"parseAddress: invalid address {address}")
    return sorted(set(text.split(",")))


async def _serve(process: Process, server: NetExec, delay: int) -> int:
    """Wait for SIGTERM (Linux: handled whoever we are), /exit or /shutdown; the exit code."""
    ending = asyncio.ensure_future(server.paths.ending.get())
    stop = asyncio.ensure_future(process.stop.wait())
    try:
        await asyncio.wait((ending, stop), return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            return await _graceful(process, ending.result())
        if delay > 0:
            log(process, f"Sleeping {delay} seconds before terminating...")
            await _sleep_or_exit(process, ending, delay)
        return ending.result().code if ending.done() else 0
    finally:
        ending.cancel()
        stop.cancel()


async def _sleep_or_exit(process: Process, ending: asyncio.Future[Exit], delay: float) -> None:
    sleep = asyncio.ensure_future(process.clock.sleep(delay))
    await asyncio.wait((ending, sleep), return_when=asyncio.FIRST_COMPLETED)
    sleep.cancel()


async def _graceful(process: Process, wanted: Exit) -> int:
    if wanted.graceful:
        log(process, "Graceful shutdown completed with: <nil>")
    await asyncio.sleep(0)
    return wanted.code
