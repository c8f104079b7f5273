"""agnhost netexec over HTTP: every path, with the answers that the real one was seen to give."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP

from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer
from op_readiness.simulator.programs import golang
from op_readiness.simulator.programs.agnhost.netexec_dial import dial
from op_readiness.simulator.programs.golang import GoError, json_text, quoted
from op_readiness.simulator.programs.goserver import answer, canonical, error, form, header, log, muxed, redirect
from op_readiness.simulator.programs.process import Process, Sink
from op_readiness.simulator.programs.running import NotRunnable, execute, find

UPLOADS = "/uploads"
SHELL = "/bin/sh"


@dataclass(frozen=True)
class Exit:
    """How the server was told to end."""

    code: int
    graceful: bool = False


class Paths:
    """The mux of one server. `ready` follows the UDP server; `ending` gets the wish to end."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.port = process, port
        self.started = process.clock.now()
        self._mux = muxed(self._route)
        self.ready = False
        self.ending: asyncio.Queue[Exit] = asyncio.Queue()
        self._routes: dict[str, Callable[[HttpRequest, Peer], Awaitable[HttpResponse | None]]] = {
            "/clientip": self._clientip,
            "/serverport": self._serverport,
            "/header": self._header,
            "/dial": self._dial,
            "/echo": self._echo,
            "/exit": self._exit,
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/hostname": self._hostname,
            "/hostName": self._hostname,
            "/envvar": self._envvar,
            "/redirect": self._redirect,
            "/shell": self._shell,
            "/shutdown": self._shutdown,
            "/upload": self._upload,
        }

    async def answer(self, request: HttpRequest, peer: Peer) -> HttpResponse | None:
        """The answer to one request; None closes the connection."""
        return await self._mux(request, peer)

    async def _route(self, request: HttpRequest, peer: Peer) -> HttpResponse | None:
        return await self._routes.get(request.target.partition("?")[0], self._root)(request, peer)

    async def _root(self, _request: HttpRequest, _peer: Peer) -> HttpResponse:
        log(self.process, "GET /")
        return answer(f"NOW: {golang.time_text(self.started, self.process.clock.now())}")

    async def _hostname(self, request: HttpRequest, _peer: Peer) -> HttpResponse:
        log(self.process, f"GET {request.target.partition('?')[0]}")
        return answer(self.process.hostname)

    async def _clientip(self, _request: HttpRequest, peer: Peer) -> HttpResponse:
        log(self.process, "GET /clientip")
        return answer(str(peer) if peer.ip else "")

    async def _serverport(self, _request: HttpRequest, _peer: Peer) -> HttpResponse:
        log(self.process, "GET /serverport")
        return answer(str(self.port))

    async def _healthz(self, _request: HttpRequest, _peer: Peer) -> HttpResponse:
        log(self.process, "GET /healthz")
        return answer(b"", 200 if self.ready else 412)

    async def _readyz(self, _request: HttpRequest, _peer: Peer) -> HttpResponse:
        log(self.process, "GET /readyz")
        if self.process.stop.is_set():
            return answer("shutting down", 503)
        return answer("ok") if self.ready else answer(b"", 412)

    async def _echo(self, request: HttpRequest, _peer: Peer) -> HttpResponse | None:
        values = form(request)
        message, code = values.get("msg", ""), values.get("code", "")
        log(self.process, f"GET /echo?msg={message}&code={code}")
        return self._with_code(code, lambda status: answer(message, status), 200)

    async def _redirect(self, request: HttpRequest, _peer: Peer) -> HttpResponse | None:
        values = form(request)
        location, code = values.get("location", ""), values.get("code", "")
        log(self.process, f"{request.method} /redirect?msg={location}&code={code}")
        return self._with_code(code, lambda status: redirect(request, location, status), 302)

    @staticmethod
    def _with_code(code: str, make: Callable[[int], HttpResponse], default: int) -> HttpResponse | None:
        """An answer with the asked status; outside 100 to 999 the server panics and closes the connection."""
        try:
            status = golang.atoi(code) if code else default
        except GoError:
            return answer(f"argument 'code' must be an integer or empty, got {quoted(code)}\n")
        if not 100 <= status <= 999:
            return None
        return make(status if status >= 200 else 200)

    async def _header(self, request: HttpRequest, _peer: Peer) -> HttpResponse:
        key = form(request).get("key", "")
        log(self.process, f"GET /header?key={key}" if key else "GET /header")
        if key:
            return answer("" if key.lower() == "host" else header(request, key))
        shown = {canonical(name): [value] for name, value in request.headers.items() if name.lower() != "host"}
        return answer(json_text(shown))

    async def _envvar(self, request: HttpRequest, _peer: Peer) -> HttpResponse:
        name = form(request).get("var", "")
        if not name:
            return error("'var' query parameter is required", 400)
        log(self.process, f"GET /envvar?var={name}")
        if name not in self.process.env:
            return error(f"env var {quoted(name)} is not set", 500)
        return answer(self.process.env[name])

    async def _dial(self, request: HttpRequest, _peer: Peer) -> HttpResponse:
        return await dial(self.process, request)

    async def _shutdown(self, _request: HttpRequest, _peer: Peer) -> None:
        log(self.process, "GET /shutdown")
        self.ending.put_nowait(Exit(0))

    async def _exit(self, request: HttpRequest, _peer: Peer) -> HttpResponse | None:
        values = form(request)
        code, timeout, wait = (values.get(name, "") for name in ("code", "timeout", "wait"))
        log(self.process, f"GET /exit?code={code}&timeout={timeout}&wait={wait}")
        seconds = {}
        for name, text in (("timeout", timeout), ("wait", wait)):
            try:
                seconds[name] = golang.duration(text) if text else 0.0
            except GoError:
                return answer(f"argument '{name}' must be a valid golang duration or empty, got {quoted(text)}\n")
        try:
            number = golang.atoi(code) if code else 0
        except GoError:
            return answer(f"argument 'code' must be an integer [0-127] or empty, got {quoted(code)}\n")
        waits, allows = golang.duration_text(seconds["wait"]), golang.duration_text(seconds["timeout"])
        log(
            self.process,
            f"Will begin shutdown in {waits}, allowing {allows} for connections to close, then will exit with {number}",
        )
        await self.process.clock.sleep(seconds["wait"])
        self.ending.put_nowait(Exit(number, graceful=seconds["timeout"] != 0))
        return answer() if seconds["timeout"] else None

    async def _shell(self, request: HttpRequest, _peer: Peer) -> HttpResponse:
        values = form(request)
        command = values.get("shellCommand") or values.get("cmd", "")
        log(self.process, f"GET /shell?cmd={command}")
        both = Sink()
        problem = await self._run_shell(command, both)
        result = {"output": bytes(both.data).decode(errors="replace")} if both.data else {}
        if problem:
            result["error"] = problem
        return answer(json_text(result))

    async def _run_shell(self, command: str, both: Sink) -> str:
        """Run `sh -c`; gives exec.Command's error text, empty when all went well."""
        child = self.process.child([SHELL, "-c", command], stdout=both, stderr=both, stdin=b"")
        try:
            found = find(child, SHELL)
        except NotRunnable:
            words = "The system cannot find the path specified." if child.windows else "no such file or directory"
            return f"fork/exec {SHELL}: {words}"
        code = await execute(child, found)
        if code == 128 + 9:
            return "signal: killed"
        return f"exit status {code}" if code else ""

    async def _upload(self, request: HttpRequest, _peer: Peer) -> HttpResponse:
        log(self.process, "GET /upload")
        content = _form_file(request)
        if content is None:
            log(self.process, "Unable to upload file: http: no such file")
            return answer(json_text({"error": "Unable to upload file."}))
        files = self.process.files
        path = f"{UPLOADS}/upload{random.randint(0, 2**32 - 1)}"
        try:
            files.write(path, content, mode=0o700)
        except OSError:
            return answer(json_text({"error": "Unable to open file for write"}))
        shown = path.replace("/", "\\") if self.process.windows else path
        log(self.process, f"Wrote upload to {shown}")
        return answer(json_text({"output": shown}), 201)


def _form_file(request: HttpRequest) -> bytes | None:
    """The part named `file` of a multipart form."""
    kind = header(request, "Content-Type")
    if not kind.startswith("multipart/form-data"):
        return None
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.body)
    for part in message.iter_parts() if message.is_multipart() else ():
        disposition = part.get("Content-Disposition")
        if disposition is not None and disposition.params.get("name") == "file" and part.get_filename():
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    return None
