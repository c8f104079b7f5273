"""agnhost's smaller servers: serve-hostname, porter, tcp-reset, liveness, no-snat-test, fake-gitserver, h2c-server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer, Reset, Server
from op_readiness.simulator.programs.addresses import literal
from op_readiness.simulator.programs.agnhost.flags import Flag, Given, Subcommand
from op_readiness.simulator.programs.goclient import get
from op_readiness.simulator.programs.golang import GoError, duration_text, json_text, quoted
from op_readiness.simulator.programs.goserver import ListenFailed, Ports, answer, log, muxed, ports, query, redirect
from op_readiness.simulator.programs.process import Process

SERVE_HOSTNAME = Subcommand(
    "serve-hostname",
    "Serves the hostname",
    (
        Flag("tcp", "bool", False, "Serve raw over TCP."),
        Flag("udp", "bool", False, "Serve raw over UDP."),
        Flag("http", "bool", True, "Serve HTTP."),
        Flag("close", "bool", False, "Close connection per each HTTP request."),
        Flag("port", "int", 9376, "Port number."),
    ),
)
PORTER = Subcommand(
    "porter",
    "Serves requested data on ports specified in ENV variables",
    (Flag("json-response", "bool", False, "Responds to requests with a json response"),),
)
TCP_RESET = Subcommand(
    "tcp-reset",
    "Serves on a tcp port and RST the connections received",
    (Flag("port", "int", 8080, "Port number."),),
)
LIVENESS = Subcommand("liveness", "Starts a server that is alive for 10 seconds")
NO_SNAT = Subcommand(
    "no-snat-test",
    "Creates the /checknosnat and /whoami endpoints",
    (Flag("port", "string", "8080", "The port to serve /checknosnat and /whoami endpoints on."),),
)
FAKE_GITSERVER = Subcommand("fake-gitserver", "Fakes a git server")
H2C_SERVER = Subcommand("h2c-server", "Serves HTTP/2 without TLS", (Flag("port", "int", 80, "Port number."),))
AWAITING_SECONDS = 60.0
ALIVE_SECONDS = 10.0
NO_SNAT_TIMEOUT = 133.0


async def serve_hostname(process: Process, given: Given) -> int:
    """Its name by HTTP, TCP or UDP; serves on for a minute after SIGTERM."""
    if given["http"] and (given["tcp"] or given["udp"]):
        log(process, "Can't server TCP/UDP mode and HTTP mode at the same time")
        return 1
    with ports(process) as held:
        try:
            _open_hostname(process, given, held)
        except ListenFailed as error:
            log(process, str(error))
            return 1
        if not given["http"]:
            log(process, f"Serving on port {given['port']}.")
        return await _until_sigterm(process, AWAITING_SECONDS)


def _open_hostname(process: Process, given: Given, held: Ports) -> None:
    name = process.hostname.encode()

    async def raw(data: bytes, peer: Peer) -> bytes:
        log(process, f"TCP request from {peer}")
        return name

    async def datagram(data: bytes, peer: Peer) -> bytes:
        log(process, f"UDP request from {peer}")
        return name

    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        log(process, f"HTTP request from {peer}")
        return answer(name, headers={"Connection": "close"} if given["close"] else None)

    if given["tcp"]:
        try:
            held.listen("TCP", given["port"], Server(raw=raw))
        except ListenFailed as error:
            raise ListenFailed(f"Error from net.Listen(): {error}") from None
    if given["udp"]:
        try:
            held.listen("UDP", given["port"], Server(datagram=datagram))
        except ListenFailed as error:
            raise ListenFailed(f"Error from ListenUDP(): {error}") from None
    if given["http"]:
        log(process, f"Serving on port {given['port']}.")
        held.http(given["port"], muxed(http))


async def _until_sigterm(process: Process, linger: float) -> int:
    await process.stop.wait()
    log(process, "Shutting down after receiving signal: terminated.")
    log(process, "Awaiting pod deletion.")
    await process.clock.sleep(linger)
    return 0


async def tcp_reset(process: Process, given: Given) -> int:
    """Cuts every connection that sends more than a byte."""

    async def raw(data: bytes, peer: Peer) -> bytes:
        log(process, f"TCP request from {peer}")
        if len(data) > 1:
            raise Reset("connection reset by peer")
        return b""

    with ports(process) as held:
        try:
            held.listen("TCP", given["port"], Server(raw=raw))
        except ListenFailed as error:
            log(process, f"Error from net.Listen(): {error}")
            return 1
        log(process, f"Serving on port {given['port']}.")
        return await _until_sigterm(process, 0)


async def porter(process: Process, given: Given) -> int:
    """A fixed text on each port that the environment names; runs on without any."""
    with ports(process) as held:
        for name, value in process.env.items():
            for prefix, kind in (
                ("SERVE_PORT_", "http"),
                ("SERVE_TCP_PORT_", "http"),
                ("SERVE_TLS_PORT_", "tls"),
                ("SERVE_UDP_PORT_", "udp"),
                ("SERVE_SCTP_PORT_", "sctp"),
            ):
                if name.startswith(prefix) and not _open_porter(process, given, held, kind, name[len(prefix) :], value):
                    return 1
        await asyncio.Event().wait()
    return 0


def _open_porter(process: Process, given: Given, held: Ports, kind: str, port: str, value: str) -> bool:
    """Open one port; False ends the program (a UDP or SCTP port that cannot be opened)."""
    try:
        number = int(port)
        if kind == "udp":
            held.listen("UDP", number, Server(datagram=_fixed_datagram(value)))
            log(process, f"Started UDP server on port {port}")
        elif kind == "sctp":
            log(process, "Failed to listen SCTP. error:protocol not supported")
            return False
        elif kind == "tls":
            _certificate(process)
            held.http(number, _fixed_http(value, given["json-response"]), tls=True)
        else:
            held.http(number, _fixed_http(value, given["json-response"]))
    except (ListenFailed, ValueError, OSError) as error:
        if kind == "udp":
            log(process, f"UDP: failed to listen on port {port}: {error}")
            return False
        log(process, f"{'tls ' if kind == 'tls' else ''}server on port {quoted(port)} failed: {error}")
    return True


def _certificate(process: Process) -> None:
    for variable, name in (("CERT_FILE", "localhost.crt"), ("KEY_FILE", "localhost.key")):
        process.files.read(process.path(process.env.get(variable) or name))


def _fixed_http(value: str, as_json: bool) -> Callable[[HttpRequest, Peer], Awaitable[HttpResponse]]:
    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        if not as_json:
            return answer(value)
        text = f'{{"Method":{json_text(request.method)},"Body":{json_text(value)}}}'
        return answer(text, headers={"Content-Type": "application/json"})

    return http


def _fixed_datagram(value: str) -> Callable[[bytes, Peer], Awaitable[bytes]]:
    async def datagram(data: bytes, peer: Peer) -> bytes:
        return value.encode()

    return datagram


async def liveness(process: Process, given: Given) -> int:
    """Healthy for ten seconds, then not."""
    started = process.clock.now()

    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        passed = process.clock.now() - started
        path = request.target.partition("?")[0]
        if path == "/started":
            return answer(duration_text(passed))
        if path == "/healthz":
            return answer(f"error: {passed!r}", 500) if passed > ALIVE_SECONDS else answer("ok")
        if path == "/redirect":
            return redirect(request, query(request.target).get("loc", ""), 302)
        return not_found()

    return await serve_for_ever(process, 8080, http)


async def no_snat(process: Process, given: Given) -> int:
    """Tells callers their address, and asks others whether ours arrives as it left."""
    for variable in ("POD_IP", "NODE_IP"):
        if variable not in process.env:
            process.stderr.write(f"{variable} env var was not present in the environment\n")
            return 1
        if literal(process.env[variable]) is None:
            text = quoted(process.env[variable])
            process.stderr.write(f"{variable} env var contained {text}, which is not an IP address\n")
            return 1

    async def http(request: HttpRequest, peer: Peer) -> HttpResponse:
        path = request.target.partition("?")[0]
        if path == "/whoami":
            return answer(str(peer))
        if path != "/checknosnat":
            return not_found()
        ips = query(request.target).get("ips", "").split(",")
        problems = [text for text in [await _snat(process, ip) for ip in ips] if text]
        return answer(", ".join(problems), 500) if problems else answer()

    try:
        port = int(given["port"])
    except ValueError:
        process.stderr.write(f"listen tcp: lookup tcp/{given['port']}: unknown port\n")
        return 1
    return await serve_for_ever(process, port, http)


async def _snat(process: Process, ip: str) -> str:
    """What is wrong with the address that `ip` saw; empty if nothing."""
    pod, node = process.env["POD_IP"], process.env["NODE_IP"]
    try:
        body = (await get(process, f"http://{ip}/whoami", NO_SNAT_TIMEOUT)).body.decode(errors="replace")
    except GoError as error:
        return str(error)
    seen = body.split(":")[0]
    if seen == pod:
        return ""
    start = f"Returned ip {quoted(seen)} != my Pod ip {quoted(pod)}"
    if seen == node:
        return f"{start}, == my Node ip {quoted(node)} - SNAT"
    return (
        f"{start} or my Node ip {quoted(node)} - SNAT to unexpected ip "
        "(possible SNAT through unexpected interface on the way into another node)"
    )


async def fixed_text(process: Process, port: int, text: str, *, mux: bool = True) -> int:
    """A server with one answer."""
    return await serve_for_ever(process, port, _fixed_http(text, False), mux=mux)


async def serve_for_ever(
    process: Process, port: int, http: Callable[[HttpRequest, Peer], Awaitable[HttpResponse | None]], *,
    mux: bool = True,
) -> int:  # fmt: skip
    """Serve until something ends the process, behind Go's default ServeMux or not; 1 if the port is taken."""
    with ports(process) as held:
        try:
            held.http(port, muxed(http) if mux else http)
        except ListenFailed as error:
            log(process, str(error))
            return 1
        await asyncio.Event().wait()
    return 0


def not_found() -> HttpResponse:
    """As http.NotFound."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    return answer("404 page not found\n", 404, headers)
