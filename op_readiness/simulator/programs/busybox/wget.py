"""BusyBox wget: one URL to a file or to standard output."""

from __future__ import annotations

from urllib.parse import urljoin

from op_readiness.simulator.network.interface import (
    HttpRequest,
    HttpResponse,
    NameFailure,
    NetworkFailure,
    NoRoute,
    Peer,
    Refused,
    TimedOut,
)
from op_readiness.simulator.programs.addresses import FAMILIES, resolve
from op_readiness.simulator.programs.busybox.applet import Usage, complain, error_text, options
from op_readiness.simulator.programs.curl.urls import BadUrl, Url, parse
from op_readiness.simulator.programs.goserver import status_text
from op_readiness.simulator.programs.process import Process

PATIENCE = 900.0


class WgetError(Exception):
    """What wget says before it ends with 1."""


async def wget(process: Process) -> int:
    """0 when the answer came with a status below 400. -T is unknown to the Windows build."""
    words = [word for word in process.argv[1:] if word not in ("--spider", "--no-check-certificate")]
    known = "OUPYt" if process.windows else "OTUPYt"
    try:
        given, urls = options(words, "qcS", known)
    except Usage as error:
        complain(process, str(error))
        return 1
    if not urls:
        complain(process, "missing URL")
        return 1
    quiet = "q" in given
    try:
        timeout = float(given.get("T", PATIENCE))
        body, url = await _get(process, urls[0], timeout, quiet, given.get("U", "Wget"))
        if "--spider" not in process.argv:
            _save(process, body, given.get("O"), url)
    except (WgetError, BadUrl) as error:
        complain(process, str(error))
        return 1
    if not quiet and "--spider" not in process.argv:
        process.stderr.write("download completed\n")
    return 0


async def _get(process: Process, text: str, timeout: float, quiet: bool, agent: str) -> tuple[bytes, Url]:
    for _ in range(10):
        url = parse(text)
        response, peer = await _ask(process, url, timeout, agent)
        if not quiet:
            process.stderr.write(f"Connecting to {url.netloc} ({peer})\n")
        location = next((v for k, v in response.headers.items() if k.lower() == "location"), "")
        if 300 <= response.status < 400 and location:
            text = urljoin(str(url), location)
            continue
        if response.status == 0:
            raise WgetError(f"bad header line: {response.body.decode(errors='replace')}")
        if not 200 <= response.status < 300:
            raise WgetError(f"server returned error: HTTP/1.1 {response.status} {status_text(response.status)}")
        return response.body, url
    raise WgetError("too many redirections")


async def _ask(process: Process, url: Url, timeout: float, agent: str) -> tuple[HttpResponse, Peer]:
    try:
        ip = (await resolve(process, url.host, FAMILIES))[0]
    except NameFailure:
        raise WgetError(f"bad address '{url.host}'") from None
    peer = Peer(ip, url.port)
    try:
        connection = await process.network.connect(ip, url.port, timeout)
        headers = {"Host": url.netloc, "User-Agent": agent, "Connection": "close"}
        try:
            return await connection.request(HttpRequest("GET", url.target, headers, b"", url.tls), timeout), peer
        finally:
            connection.close()
    except TimedOut:
        raise WgetError("download timed out") from None
    except Refused:
        raise WgetError(f"can't connect to remote host ({ip}): Connection refused") from None
    except NoRoute:
        raise WgetError(f"can't connect to remote host ({ip}): Network is unreachable") from None
    except NetworkFailure:
        raise WgetError("error getting response") from None


def _save(process: Process, body: bytes, name: str | None, url: Url) -> None:
    if name == "-":
        process.stdout.write(body)
        return
    name = name or url.target.partition("?")[0].rsplit("/", 1)[-1] or "index.html"
    try:
        process.files.write(process.path(name), body)
    except OSError as error:
        raise WgetError(f"can't open '{name}': {error_text(error)}") from None
