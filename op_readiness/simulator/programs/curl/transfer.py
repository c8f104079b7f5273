"""One curl transfer: name, connection, request, redirects; what it brought and how it failed, in curl's words."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urljoin

from op_readiness.simulator.network.interface import (
    Closed,
    Connection,
    HttpResponse,
    NameFailure,
    NetworkFailure,
    Peer,
    Refused,
    Reset,
    TimedOut,
)
from op_readiness.simulator.programs.addresses import FAMILIES, resolve
from op_readiness.simulator.programs.curl import request as requests
from op_readiness.simulator.programs.curl.options import Options
from op_readiness.simulator.programs.curl.urls import BadUrl, Url, parse
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.waiting import within

CONNECT_SECONDS = 300.0
MAX_REDIRECTS = 50
NOBODY = Peer("", 0)
_RESET = {"linux": "Connection reset by peer", "windows": "Connection was reset"}
_UNTRUSTED = {
    "linux": "SSL certificate problem: unable to get local issuer certificate",
    "windows": "schannel: SEC_E_UNTRUSTED_ROOT (0x80090325) - The certificate chain was issued by an authority that is "
    "not trusted.",
}
_NOT_TLS = {
    "linux": "TLS connect error: error:0A0000C6:SSL routines::packet length too long",
    "windows": "schannel: next InitializeSecurityContext failed: SEC_E_INVALID_TOKEN (0x80090308) - The token supplied "
    "to the function is invalid",
}
_MORE = (
    "\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the legitimacy of the server and "
    "therefore could not\nestablish a secure connection to it. To learn more about this situation and\nhow to fix it, "
    "please visit the webpage mentioned above."
)


class CurlError(Exception):
    """`code` is the exit code; `quiet_body` is what still goes out (--fail-with-body)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Outcome:
    """What a transfer brought, for the output and for -w. Times in seconds since its start."""

    url: Url
    response: HttpResponse | None = None
    passed: list[HttpResponse] = field(default_factory=list)
    error: CurlError | None = None
    looked_up: float = 0.0
    connected: float = 0.0
    total: float = 0.0
    peer: Peer = NOBODY
    local: Peer = NOBODY
    connects: int = 0
    trace: list[str] = field(default_factory=list)
    refused: bool = False


class Transfer:
    """One URL with its options."""

    def __init__(self, process: Process, options: Options) -> None:
        self._process, self._options = process, options
        self._started = process.clock.now()
        self._limit = options.seconds("max-time")

    async def run(self, url: Url) -> Outcome:
        """The outcome; failures are in it."""
        outcome = Outcome(url)
        try:
            await self._follow(outcome)
        except CurlError as error:
            outcome.error = error
        outcome.total = self._passed()
        return outcome

    def _passed(self) -> float:
        return self._process.clock.now() - self._started

    def _left(self) -> float | None:
        return None if self._limit is None else max(0.001, self._limit - self._passed())

    async def _follow(self, outcome: Outcome) -> None:
        options = self._options
        most = int(options.number("max-redirs", MAX_REDIRECTS))
        while True:
            outcome.response = response = await self._exchange(outcome)
            location = next((v for k, v in response.headers.items() if k.lower() == "location"), "")
            if not (options.has("location") and location and 300 <= response.status < 400):
                break
            if len(outcome.passed) >= most:
                raise CurlError(47, f"Maximum ({most}) redirects followed")
            outcome.passed.append(response)
            try:
                outcome.url = parse(urljoin(str(outcome.url), location))
            except BadUrl as error:
                raise CurlError(error.code, error.message) from None
        if response.status >= 400 and (options.has("fail") or options.has("fail-with-body")):
            raise CurlError(22, f"The requested URL returned error: {response.status}")

    async def _exchange(self, outcome: Outcome) -> HttpResponse:
        connection = await self._connect(outcome)
        request = requests.build(self._process, self._options, outcome.url)
        if outcome.passed and request.method == "POST" and outcome.passed[-1].status in (301, 302, 303):
            request.method, request.body = "GET", b""
        outcome.trace.append(f"> {request.method} {request.target} HTTP/1.1\r")
        outcome.trace += [f"> {name}: {value}\r" for name, value in request.headers.items()] + [">\r"]
        try:
            response = await connection.request(request, self._left())
        except NetworkFailure as error:
            raise self._receive_error(error) from None
        finally:
            connection.close()
        if response.status == 0:
            return self._foreign(response, outcome.url)
        return response

    def _receive_error(self, error: NetworkFailure) -> CurlError:
        if isinstance(error, TimedOut):
            text = f"Operation timed out after {_ms(self._passed())} milliseconds with 0 bytes received"
            return CurlError(28, text)
        if isinstance(error, Closed):
            return CurlError(52, "Empty reply from server")
        if isinstance(error, Reset):
            return CurlError(56, f"Recv failure: {_RESET[self._process.os]}")
        return CurlError(56, f"Recv failure: {error}")

    def _foreign(self, response: HttpResponse, url: Url) -> HttpResponse:
        if url.tls:
            raise CurlError(35, _NOT_TLS[self._process.os])
        if not response.body:
            raise CurlError(52, "Empty reply from server")
        if not self._options.has("http0.9"):
            raise CurlError(1, "Received HTTP/0.9 when not allowed")
        return HttpResponse(0, response.body)

    async def _connect(self, outcome: Outcome) -> Connection:
        url = outcome.url
        host, port = self._diverted(url)
        addresses = await self._addresses(host, port)
        outcome.looked_up = began = self._passed()
        limit = self._options.seconds("connect-timeout") or CONNECT_SECONDS
        limit = min(limit, self._left() or limit)
        failure: NetworkFailure | None = None
        for ip in addresses:
            outcome.trace.append(f"*   Trying {Peer(ip, port)}...")
            try:
                connection = await self._process.network.connect(ip, port, limit)
            except NetworkFailure as error:
                failure = error
                continue
            outcome.connected, outcome.connects = self._passed(), outcome.connects + 1
            outcome.peer, outcome.local = Peer(ip, port), connection.local
            outcome.trace.append(f"* Connected to {url.host} ({ip}) port {port}")
            self._verify(url, ip)
            return connection
        outcome.refused = isinstance(failure, Refused)
        raise self._connect_error(failure, url, port, self._passed() - began)

    def _connect_error(self, failure: NetworkFailure | None, url: Url, port: int, seconds: float) -> CurlError:
        start = f"Failed to connect to {url.host} port {port} after {_ms(seconds)} ms: "
        if isinstance(failure, TimedOut):
            return CurlError(28, start + "Timeout was reached")
        return CurlError(7, start + "Couldn't connect to server")

    def _diverted(self, url: Url) -> tuple[str, int]:
        """Where --connect-to sends us."""
        for text in self._options.lists.get("connect-to", []):
            parts = text.split(":", 3)
            if len(parts) == 4 and parts[0] in ("", url.host) and parts[1] in ("", str(url.port)):
                return parts[2] or url.host, int(parts[3] or url.port)
        return url.host, url.port

    async def _addresses(self, host: str, port: int) -> list[str]:
        for text in self._options.lists.get("resolve", []):
            name, _, rest = text.lstrip("+").partition(":")
            number, _, ips = rest.partition(":")
            if name in (host, "*") and number == str(port):
                return [ip.strip("[]") for ip in ips.split(",")]
        families: tuple[str, ...] = FAMILIES
        if self._options.has("ipv4"):
            families = ("IPv4",)
        elif self._options.has("ipv6"):
            families = ("IPv6",)
        limits = [x for x in (self._options.seconds("connect-timeout"), self._left()) if x is not None]
        limit = min(limits) if limits else None
        try:
            return await within(self._process.clock, limit, resolve(self._process, host, families))
        except NameFailure:
            raise CurlError(6, f"Could not resolve host: {host}") from None
        except TimedOut:
            raise CurlError(28, f"Resolving timed out after {_ms(self._passed())} milliseconds") from None

    def _verify(self, url: Url, ip: str) -> None:
        """Certificates inside the cluster are of its own authority; those outside are of a public one."""
        if not url.tls or self._options.has("insecure"):
            return
        authority = self._options.values.get("cacert")
        if authority is not None:
            self._read_authority(authority)
        elif ipaddress.ip_address(ip).is_private:
            more = "" if self._process.windows else _MORE
            raise CurlError(60, _UNTRUSTED[self._process.os] + more)

    def _read_authority(self, name: str) -> None:
        try:
            data = self._process.files.read(self._process.path(name))
        except OSError:
            data = b""
        if b"BEGIN CERTIFICATE" not in data:
            raise CurlError(77, f"error setting certificate verify locations:  CAfile: {name} CApath: none")


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


