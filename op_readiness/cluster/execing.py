"""Commands in containers, over a WebSocket of their own: what they wrote, and their exit code.

The client's `stream()` is not used: it swaps a method of its ApiClient while it runs, so that parallel GETs on the
same client fail (and exec itself "with handshake status 200"), heeds no time-out during the handshake, decodes UTF-8
frame by frame, and says nothing of a stream that ended without an exit code. Frames are websocket-client's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from op_readiness.cluster.connect import Connection
from op_readiness.cluster.credentials import Credential
from op_readiness.cluster.dialing import Deadline, Dialer, Stream
from op_readiness.cluster.errors import ExecDidNotReturn, ExecRefused
from op_readiness.cluster.kinds import resource
from op_readiness.model.clock import SYSTEM_CLOCK

STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
MOST_SHOWN = 120
"""Characters of a command in error messages."""
HANDSHAKES = 3
"""Tries of a handshake that was refused before the command can have run (connection refused, 401, 429, 5xx)."""


@dataclass(frozen=True)
class ExecAnswer:
    """What a command wrote and how it ended. `seconds` are real seconds, the handshake included."""

    stdout: str
    stderr: str
    exit_code: int
    seconds: float = 0.0


class Executor:
    """Runs commands in containers of one cluster. Safe to use from many threads; nothing is shared with other calls."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialer = Dialer(connection)

    def exec(
        self, pod: str, namespace: str, container: str, argv: Sequence[str], *, within: float, stdin: str | None = None,
        silence: float = 0.0,
    ) -> ExecAnswer:  # fmt: skip
        """Run `argv` and wait for its end, at most `within` real seconds from now, the connecting included.

        With `silence` a command that goes on writing may take longer, as long as it is never silent for so many real
        seconds, and PROLONGED times `within` at most: a series of tries on a loaded machine is slow, and not dead.
        Raises ExecRefused where the command did not run, ExecDidNotReturn where no exit code came.
        """
        run = _Run(self, pod, namespace, container, argv, Deadline(within, silence), stdin)
        return run.answer()


class _Run:
    """One command: its stream, what came so far."""

    def __init__(
        self, executor: Executor, pod: str, namespace: str, container: str, argv: Sequence[str], deadline: Deadline,
        stdin: str | None,
    ) -> None:  # fmt: skip
        self.executor, self.argv, self.stdin = executor, list(argv), stdin
        self.path = resource("Pod").path(namespace, pod, "exec") + "?" + urlencode(
            [("command", word) for word in argv]
            + [("stdout", "true"), ("stderr", "true")]
            + ([("container", container)] if container else [])
            + ([("stdin", "true")] if stdin is not None else [])
        )
        self.where = f"Pod {namespace}/{pod}" + (f" container {container}" if container else "")
        words = shlex.join(argv)
        self.command = words if len(words) <= MOST_SHOWN else words[: MOST_SHOWN - 3] + "..."
        self.deadline = deadline
        self.began = time.monotonic()
        self.output: dict[int, list[bytes]] = {STDOUT: [], STDERR: [], STATUS: []}
        self.protocol = V5

    def answer(self) -> ExecAnswer:
        stage = "connecting"
        try:
            stream, credential = self._connected()
            try:
                stage = "waiting for the exit code"
                self._talk(stream)
                self.executor.dialer.keep_session(stream, credential)
            finally:
                stream.close()
        except (OSError, ValueError) as error:
            raise self._did_not_return(f"{self._what_happened(error)} ({stage})") from error
        return self._ended()

    def _what_happened(self, error: Exception) -> str:
        late = isinstance(error, TimeoutError) or self.deadline.over
        return f"no answer within {self.deadline.within:g} s" if late and "DNS" not in str(error) else _words(error)

    # -- the handshake ---------------------------------------------------------------------------------------------

    def _connected(self) -> tuple[Stream, Credential]:
        credentials = self.executor.connection.credentials
        for attempt in range(1, HANDSHAKES + 1):
            credential = credentials.current()
            try:
                return self._handshake(credential), credential
            except ConnectionRefusedError:
                if attempt == HANDSHAKES:
                    raise
            except ExecRefused as error:
                renewed = error.status == 401 and credentials.renew(credential) != credential
                if attempt == HANDSHAKES or not (renewed or _passing(error)):
                    raise
            SYSTEM_CLOCK.sleep(min(0.2 * attempt, self.deadline.left))
        raise ValueError("no handshake")

    def _handshake(self, credential: Credential) -> Stream:
        stream = self.executor.dialer.open(credential, self.deadline)
        try:
            self._upgrade(stream, credential)
        except BaseException:
            stream.close()
            raise
        return stream

    def _upgrade(self, stream: Stream, credential: Credential) -> None:
        base = urlsplit(self.executor.connection.server)
        key = base64.b64encode(secrets.token_bytes(16))
        lines = [
            f"GET {base.path}{self.path} HTTP/1.1", f"Host: {base.netloc}", "Upgrade: websocket",
            "Connection: Upgrade", f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {V5}, {V4}", "User-Agent: op-readiness",
            *(f"{name}: {value}" for name, value in credential.headers().items()),
        ]  # fmt: skip
        stream.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        status, headers = _parse_head(stream.read_head())
        if status != 101:
            raise self._refusal(status, _body(stream, headers))
        accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
        if headers.get("sec-websocket-accept") != accept:
            raise ConnectionError("the answer to the WebSocket handshake is not for this request")
        self.protocol = headers.get("sec-websocket-protocol", "")
        if self.protocol not in (V5, V4):
            raise ConnectionError(f"the API server chose protocol {self.protocol!r}; {V5} or {V4} is needed")

    def _refusal(self, status: int, body: bytes) -> ExecRefused:
        try:
            words = json.loads(body)
            reason, message = str(words.get("reason") or ""), str(words.get("message") or "")
        except (ValueError, AttributeError):
            reason, message = "", body[:500].decode(errors="replace").strip()
        return ExecRefused(self.where, self.command, status, message or "no reason given", reason=reason)

    # -- the stream ------------------------------------------------------------------------------------------------

    def _talk(self, stream: Stream) -> None:
        """Send stdin, then take in frames until the status came or the stream ended."""
        from websocket import ABNF, WebSocket, WebSocketException

        socket: Any = WebSocket(skip_utf8_validation=True)
        socket.sock, socket.connected = stream, True
        try:
            self._send_stdin(socket)
            while not self.output[STATUS]:
                opcode, frame = socket.recv_data_frame(control_frame=True)
                if opcode == ABNF.OPCODE_CLOSE:
                    return
                if opcode in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data:
                    self._take(bytes(frame.data))
        except WebSocketException as error:
            raise ConnectionError(_words(error)) from error

    def _take(self, data: bytes) -> None:
        if (part := self.output.get(data[0])) is not None and len(data) > 1:
            part.append(data[1:])
            self.deadline.prolong()

    def _send_stdin(self, socket: Any) -> None:
        if self.stdin is None:
            return
        if self.protocol != V5:
            raise ConnectionError(f"the API server speaks only {self.protocol}, which cannot say where stdin ends")
        data = self.stdin.encode()
        for start in range(0, len(data), 32768):
            socket.send_binary(bytes([STDIN]) + data[start : start + 32768])
        socket.send_binary(bytes([CLOSE, STDIN]))

    # -- the end ---------------------------------------------------------------------------------------------------

    def _text(self, channel: int) -> str:
        return b"".join(self.output[channel]).decode(errors="replace")

    def _did_not_return(self, message: str) -> ExecDidNotReturn:
        out, err = self._text(STDOUT), self._text(STDERR)
        return ExecDidNotReturn(self.where, self.command, message, stdout=out, stderr=err)

    def _ended(self) -> ExecAnswer:
        if not self.output[STATUS]:
            raise self._did_not_return("the stream ended without an exit code")
        try:
            status = json.loads(self._text(STATUS))
            code = _exit_code(status)
        except (ValueError, TypeError, AttributeError) as error:
            raise self._did_not_return(f"the status is not understood: {self._text(STATUS)[:200]!r}") from error
        if code is None:
            message = str(status.get("message") or "no reason given")
            number = int(status.get("code") or 500)
            raise ExecRefused(self.where, self.command, number, message, reason=str(status.get("reason") or ""))
        return ExecAnswer(self._text(STDOUT), self._text(STDERR), code, time.monotonic() - self.began)


def _passing(error: ExecRefused) -> bool:
    """Whether a refusal may be gone at the next try: not one that says that the Node or the container is not there."""
    lasting = "dial" in error.message or "not found" in error.message
    return error.status == 429 or (error.status >= 500 and not lasting)


def _exit_code(status: dict[str, Any]) -> int | None:
    """0 for Success, the code of `NonZeroExitCode`, None for any other failure."""
    if status.get("status") == "Success":
        return 0
    causes = (status.get("details") or {}).get("causes") or ()
    codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
    return codes[0] if status.get("reason") == "NonZeroExitCode" and codes else None


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        raise ConnectionError(f"no HTTP answer: {first[:100]!r}")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _body(stream: Stream, headers: dict[str, str]) -> bytes:
    """The body of a refusal, as far as it comes (at most 64 KiB)."""
    wanted = min(int(headers.get("content-length") or 65536), 65536)
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    body = b""
    while len(body) < wanted and not (chunked and body.endswith(b"0\r\n\r\n")):
        if not (more := stream.recv(65536)):
            break
        body += more
    if chunked:
        return b"".join(part for part in body.split(b"\r\n")[1::2])
    return body


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
