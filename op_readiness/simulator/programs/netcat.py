"""nc: OpenBSD's in Linux images; the same flags and exit codes in the Windows one, where it is a port of netcat."""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.network.interface import NameFailure, NetworkFailure, NoRoute, Refused, TimedOut
from op_readiness.simulator.programs.addresses import FAMILIES, resolve
from op_readiness.simulator.programs.busybox.applet import Usage, options
from op_readiness.simulator.programs.goclient import SERVICES
from op_readiness.simulator.programs.process import Process

SERVICE_NAMES = {number: name for name, number in SERVICES.items()} | {8080: "http-alt"}
UDP_SILENCE = 1.0
"""How long a UDP scan listens for a refusal before it believes in an open port."""


@dataclass
class Call:
    """One call of nc."""

    process: Process
    given: dict[str, str]
    host: str

    @property
    def net(self) -> str:
        """tcp or udp."""
        return "udp" if "u" in self.given else "tcp"

    @property
    def timeout(self) -> float | None:
        """-w in seconds."""
        return float(self.given["w"]) if "w" in self.given else None

    def say(self, text: str) -> None:
        """A line on stderr, where -v wants one."""
        if "v" in self.given:
            self.process.stderr.write(text + "\n")


async def nc(process: Process) -> int:
    """0 when the target took the connection (-z), or when the exchange ended."""
    try:
        given, words = options(process.argv[1:], "vzut46nkNd", "wsqpi")
    except Usage as error:
        process.stderr.write(f"nc: {error}\nusage: nc [-46Ndhklnrtuvz] [-w timeout] [destination] [port]\n")
        return 1
    if "l" in process.argv[1:] or len(words) < 2:
        process.stderr.write("usage: nc [-46Ndhklnrtuvz] [-w timeout] [destination] [port]\n")
        return 1
    call = Call(process, given, words[0])
    try:
        ports = _ports(words[1])
    except ValueError:
        process.stderr.write(f'nc: service "{words[1]}" unknown\n')
        return 1
    results = [await _one(call, port) for port in ports]
    return 0 if any(code == 0 for code in results) else 1


def _ports(text: str) -> list[int]:
    first, dash, last = text.partition("-")
    low = SERVICES.get(first) or int(first)
    return list(range(low, int(last) + 1)) if dash else [low]


async def _one(call: Call, port: int) -> int:
    families = ("IPv4",) if "4" in call.given else ("IPv6",) if "6" in call.given else FAMILIES
    try:
        addresses = await resolve(call.process, call.host, families)
    except NameFailure:
        text = f'nc: getaddrinfo for host "{call.host}" port {port}: Name or service not known'
        call.process.stderr.write(text + "\n")
        return 1
    exchange = _datagram if call.net == "udp" else _stream
    code = 1
    for ip in addresses:
        code = await exchange(call, ip, port)
        if code == 0:
            break
    return code


async def _stream(call: Call, ip: str, port: int) -> int:
    try:
        connection = await call.process.network.connect(ip, port, call.timeout)
    except NetworkFailure as error:
        _failed(call, error, port)
        return 1
    _succeeded(call, ip, port)
    try:
        if "z" in call.given:
            return 0
        call.process.stdout.write(await connection.exchange(call.process.stdin, call.timeout))
    except NetworkFailure:
        return 0 if call.timeout is not None else 1
    finally:
        connection.close()
    return 0


async def _datagram(call: Call, ip: str, port: int) -> int:
    data = b"X" if "z" in call.given else call.process.stdin
    timeout = UDP_SILENCE if "z" in call.given else call.timeout
    try:
        answer = await call.process.network.datagram(ip, port, data, timeout)
    except TimedOut:
        if "z" in call.given:
            _succeeded(call, ip, port)
        return 0
    except NetworkFailure as error:
        if not isinstance(error, Refused):
            _failed(call, error, port)
        return 1
    _succeeded(call, ip, port)
    if "z" not in call.given:
        call.process.stdout.write(answer)
    return 0


def _failed(call: Call, error: NetworkFailure, port: int) -> None:
    start = f"nc: connect to {call.host} port {port} ({call.net})"
    if isinstance(error, TimedOut):
        call.say(f"{start} timed out: Operation now in progress")
    elif isinstance(error, NoRoute):
        text = "No route to host" if "no route to host" in str(error) else "Network is unreachable"
        call.say(f"{start} failed: {text}")
    else:
        call.say(f"{start} failed: Connection refused")


def _succeeded(call: Call, ip: str, port: int) -> None:
    named = call.host if call.host == ip else f"{call.host} ({ip})"
    call.say(f"Connection to {named} {port} port [{call.net}/{SERVICE_NAMES.get(port, '*')}] succeeded!")


