"""exec over WebSocket: the channel protocols v5, v4 and the first one between a client and a process in a container.

The first byte of a frame is its channel. v5 adds 255, which closes one; others have no end of input, so there a program
gets what came until input pauses. The first protocol tells of a failure in words, and of a success not at all.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import ClientConnectionError, WSMsgType, web

from op_readiness.simulator.nodes.channels import ChannelError, ChannelKey, passed
from op_readiness.simulator.nodes.containers import ConfigError, Container
from op_readiness.simulator.programs.process import Process, Sink, UnknownProgram

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.pod import PodWorker

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
PAUSE_SECONDS = 0.3
"""Real seconds without input that end the input of a v4 client or a terminal."""


async def execute(request: web.BaseRequest, worker: PodWorker, container: Container) -> web.StreamResponse:
    """Serve one exec to its end; the process ends when its client goes away."""
    socket = web.WebSocketResponse(protocols=PROTOCOLS)
    if not socket.can_prepare(request).ok:
        return web.Response(status=501, text="exec is simulated over WebSocket only\n")
    await socket.prepare(request)
    session = _Session(socket, request, worker, container)
    serving, reading = asyncio.ensure_future(session.serve()), asyncio.ensure_future(session.read())
    try:
        await asyncio.wait([serving, reading], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
    finally:
        serving.cancel()
        reading.cancel()
        await asyncio.gather(serving, reading, return_exceptions=True)
    await socket.close()
    return socket


class _Session:
    def __init__(
        self, socket: web.WebSocketResponse, request: web.BaseRequest, worker: PodWorker, container: Container
    ) -> None:
        self._socket, self._worker, self._container = socket, worker, container
        self._query = request.query
        self._input = bytearray()
        self._input_closed = asyncio.Event()
        self._input_came = asyncio.Event()
        self._out: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def read(self) -> None:
        """Take frames until the client goes."""
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], message.data[1:]
            if channel == STDIN:
                self._input += data
                self._input_came.set()
            elif channel == CLOSE and data[:1] == bytes([STDIN]):
                self._input_closed.set()

    async def serve(self) -> None:
        """Run the process and send what it writes, then how it ended."""
        first = STDOUT if self._wants("output", "stdout") else STDERR if self._wants("error", "stderr") else STATUS
        await self._send(first, b"")
        try:
            status = await self._status()
        except (ConfigError, ChannelError, UnknownProgram) as error:
            status = _failed_to_run(str(error))
        if self._socket.ws_protocol != PROTOCOLS[2]:
            await self._send(STATUS, json.dumps(status).encode())
        elif status["status"] != "Success":
            await self._send(STATUS, str(status["message"]).encode())

    async def _status(self) -> dict[str, Any]:
        meta, argv = self._worker.pod["metadata"], self._query.getall("command", [])
        key = ChannelKey("exec", meta["namespace"], meta["name"], self._container.name)
        channel = await passed(self._worker.node.channels, key, self._worker.clock)
        await self._worker.clock.sleep(self._worker.pause_of("exec"))
        stdin = await self._read_input() if self._wants("input", "stdin") else b""
        process = self._worker.exec_process(self._container, list(argv), stdin)
        process.stdout, process.stderr = self._sink(STDOUT), self._sink(STDERR)
        if self._wants("tty"):
            process.stderr = process.stdout
        try:
            code = await self._ran(process)
        except UnknownProgram as error:
            raise ConfigError(exec_error(argv[0] if argv else "", self._worker.os, str(error))) from error
        return exit_status(code if channel.exit_code is None else channel.exit_code)

    async def _ran(self, process: Process) -> int:
        sending = asyncio.ensure_future(self._pump())
        try:
            code = await self._container.execute(process)
            await self._out.join()
        finally:
            sending.cancel()
        return code

    async def _pump(self) -> None:
        while True:
            channel, data = await self._out.get()
            try:
                await self._send(channel, data)
            finally:
                self._out.task_done()

    async def _read_input(self) -> bytes:
        ends = self._socket.ws_protocol == PROTOCOLS[0] and not self._wants("tty")
        while not self._input_closed.is_set():
            self._input_came.clear()
            news = [asyncio.ensure_future(self._input_closed.wait()), asyncio.ensure_future(self._input_came.wait())]
            done, _ = await asyncio.wait(
                news, timeout=None if ends else PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for one in news:
                one.cancel()
            if not done:
                break
        return bytes(self._input)

    def _sink(self, channel: int) -> Sink:
        return Sink(lambda data: self._out.put_nowait((channel, data)))

    def _wants(self, *names: str) -> bool:
        return any(self._query.get(name) in ("1", "true") for name in names)

    async def _send(self, channel: int, data: bytes) -> None:
        try:
            await self._socket.send_bytes(bytes([channel]) + data)
        except (ConnectionError, ClientConnectionError) as error:
            raise asyncio.CancelledError from error


def exit_status(code: int) -> dict[str, Any]:
    """The Status of a process that ran."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: error executing command, exit code {code}",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }  # fmt: skip


def _failed_to_run(words: str) -> dict[str, Any]:
    message = f"error executing command in container: {words}"
    return {
        "metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500,
        "message": f"Internal error occurred: {message}", "details": {"causes": [{"message": message}]},
    }  # fmt: skip


def exec_error(program: str, os: str, words: str) -> str:
    """What containerd says of a command that the image does not have."""
    if os == "windows":
        what = f"failed in hcs::System::CreateProcess {program}: {words}"
    else:
        what = f"OCI runtime exec failed: exec failed: unable to start container process: {words}"
    return f"failed to exec in container: failed to start exec: {what}: unknown"
