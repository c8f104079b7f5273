"""agnhost inclusterclient: asks the API server for /healthz with the Pod's own token, and tells the token's hash."""

from __future__ import annotations

import base64
import hashlib

from op_readiness.simulator.programs import golang
from op_readiness.simulator.programs.agnhost.flags import Flag, Given, Subcommand
from op_readiness.simulator.programs.agnhost.mounttest import words
from op_readiness.simulator.programs.goclient import get
from op_readiness.simulator.programs.golang import GoError
from op_readiness.simulator.programs.goserver import log
from op_readiness.simulator.programs.process import Process

COMMAND = Subcommand(
    "inclusterclient",
    'Periodically poll the Kubernetes "/healthz" endpoint',
    (Flag("poll-interval", "int", 30, "poll interval of call to /healthz in seconds"),),
)
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"
RELOAD_SECONDS = 50.0
"""How long client-go keeps a token before it reads the file again: a minute less its leeway of 10 s."""
CALL_SECONDS = 30.0
UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority"

_STATUS = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    403: "unknown",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted, but may still be processing the request",
}


class TokenFile:
    """The token as client-go sees it: read again when it is that old, the former one kept if that fails."""

    def __init__(self, process: Process, path: str) -> None:
        self._process, self._path = process, path
        self._token, self._read_at = "", 0.0

    def load(self) -> str:
        """The token; raises OSError when there never was one."""
        now = self._process.clock.now()
        if self._token and now - self._read_at < RELOAD_SECONDS:
            return self._token
        try:
            self._token = self._process.files.read(self._path).decode().strip()
            self._read_at = now
        except OSError:
            if not self._token:
                raise
        return self._token


async def main(process: Process, given: Given) -> int:
    """Poll for ever; ends only when it cannot begin."""
    _log(process, "I", 61, "started")
    host, port = (process.env.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
    if not host or not port:
        log(
            process,
            "err: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must "
            "be defined",
        )
        return 1
    try:
        first = process.files.read(ACCOUNT + "token")
    except OSError as error:
        log(process, f"err: open {ACCOUNT}token: {words(process, error)}")
        return 1
    if not first:
        process.stderr.write(golang.stack_trace(f'read empty token from file "{ACCOUNT}token"'))
        return 2
    token, trusted = TokenFile(process, ACCOUNT + "token"), _authority(process)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    while True:
        await process.clock.sleep(given["poll-interval"])
        await _call(process, f"https://{where}/healthz", token, trusted)


def _authority(process: Process) -> bool:
    try:
        return bool(process.files.read(ACCOUNT + "ca.crt").strip())
    except OSError as error:
        path = ACCOUNT + "ca.crt"
        text = f"Expected to load root CA config from {path}, but got err: open {path}: {words(process, error)}"
        _log(process, "E", 544, text, "config.go")
        return False


async def _call(process: Process, url: str, token: TokenFile, trusted: bool) -> None:
    _log(process, "I", 79, "calling /healthz")
    bearer = f"Bearer {token.load()}"
    digest = hashlib.sha256(f"salt|{bearer}".encode()).digest()
    _log(process, "I", 96, "authz_header=" + base64.urlsafe_b64encode(digest).decode().rstrip("="))
    body = ""
    try:
        if not trusted:
            raise GoError(f'Get "{url}": {UNKNOWN_AUTHORITY}')
        response = await get(process, url, CALL_SECONDS, {"Authorization": bearer, "Accept": "application/json, */*"})
        body = response.body.decode(errors="replace")
        if response.status < 400:
            return
        text = _status_text(response.status)
    except GoError as error:
        text = str(error)
    _log(process, "E", 82, "status=failed")
    _log(process, "E", 83, f"error checking /healthz: {text}\n{body}\n")


def _status_text(status: int) -> str:
    """client-go's words for a raw request (errors.NewGenericServerResponse): what the body says is not looked at."""
    if status in _STATUS:
        return _STATUS[status]
    if status >= 500:
        return 'an error on the server ("unknown") has prevented the request from succeeding'
    return f"the server responded with the status code {status} but did not return more information"


def _log(process: Process, level: str, line: int, text: str, file: str = "main.go") -> None:
    process.stderr.write(golang.log_line(level, text, f"{file}:{line}"))
