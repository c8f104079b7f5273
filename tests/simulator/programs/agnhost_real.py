"""The real agnhost on loopback: started, called and ended."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from op_readiness.simulator.controlplane.serving.certificates import write_certificates

from .agnhost_table import ACCOUNT, Answer, Place, binary, client_env, normal, normalised, request_of

START_SECONDS = 20.0
SILENCE_SECONDS = 0.15
END_SECONDS = 30.0


class Real:
    """A running agnhost."""

    def __init__(self, place: Place, row: dict[str, Any], line: str, folder: Path, before: list[str]) -> None:
        self.place, self.row = place, row
        self.out, self.log = folder / "out", folder / "err"
        with self.out.open("wb") as out, self.log.open("wb") as err:
            self.process = subprocess.Popen(
                [*before, str(binary()), *place.words(line)],
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **place.env(row)},
                cwd=place.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    def wait_ready(self, port: int | None, word: str = "") -> None:
        """Until its port takes connections, or it has said the word."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            said = self.log.read_text() + self.out.read_text()
            if word and word in said:
                return
            if not word and port is not None and _open(port):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"agnhost did not start: {said}")
            time.sleep(0.02)

    def end(self) -> None:
        """Kill it, whatever it does."""
        self.process.kill()
        self.process.wait()


def _open(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def serving(place: Place, server: dict[str, Any], folder: Path) -> Iterator[Real]:
    """A server of the table, ready."""
    folder.mkdir(parents=True, exist_ok=True)
    real = Real(place, server, server["start"], folder, [])
    try:
        start = server["start"]
        over_udp = "--udp --http=false" in start
        port = server.get("port") or place.ports["tcp" if "{tcp}" in start else "http"]
        real.wait_ready(None if over_udp else port, "Serving on port" if over_udp else "")
        if "{udp}" in start and "netexec" in start:
            real.wait_ready(None, "Started UDP")
        yield real
    finally:
        real.end()


def real_call(real: Real, call: dict[str, Any]) -> Answer:
    """One call of a running server."""
    place = real.place
    kind, _, text = place.fill(call["call"]).partition(" ")
    if kind == "UDP":
        answer = _datagram(place, text)
    elif kind == "TCP":
        answer = _raw(place, text)
    else:
        answer = _http(real, call)
    if call.get("ends"):
        answer.err = f"exit {real.process.wait(END_SECONDS)}"
        answer.headers.pop("Connection", None)  # `close` if the shutdown was quicker than the answer
    return normalised(answer, place)


def _http(real: Real, call: dict[str, Any]) -> Answer:
    request = request_of(call, real.place)
    port = real.row.get("port", real.place.ports["http"])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            connection.putheader(name, value)
        connection.endheaders(request.body or None)
        try:
            response = connection.getresponse()
            body = response.read().decode(errors="replace")
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return Answer()
        return Answer(response.status, body, dict(response.getheaders()))


def _datagram(place: Place, text: str) -> Answer:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(SILENCE_SECONDS)
        one.connect(("127.0.0.1", place.ports["udp"]))
        one.send(text.encode())
        try:
            return Answer(0, one.recv(4096).decode())
        except TimeoutError:
            return Answer(0, None)


def _raw(place: Place, text: str) -> Answer:
    with socket.create_connection(("127.0.0.1", place.ports["tcp"]), timeout=5) as one:
        if text:
            one.sendall(text.encode())
        try:
            return Answer(0, one.recv(4096).decode())
        except ConnectionResetError:
            return Answer(None, "reset")


def real_run(place: Place, row: dict[str, Any], folder: Path) -> Answer:
    """One command to its end; `private` files lie over the machine's own for it alone."""
    folder.mkdir(parents=True, exist_ok=True)
    real = Real(place, row, row["run"], folder, _private(row, folder))
    try:
        code = real.process.wait(END_SECONDS)
    finally:
        real.end()
    return normalised(Answer(code, real.out.read_text(), {}, real.log.read_text()), place)


def _private(row: dict[str, Any], folder: Path) -> list[str]:
    """What goes before the command so that it sees other files."""
    if not row.get("private"):
        return []
    mounts = []
    for number, (path, text) in enumerate(row["private"].items()):
        (folder / f"private-{number}").write_text(text)
        mounts.append(f"mount --bind {folder / f'private-{number}'} {path}")
    return ["unshare", "-rm", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"]


def real_stop(place: Place, row: dict[str, Any], folder: Path) -> Answer:
    """A first process (of a PID namespace) that gets SIGTERM."""
    folder.mkdir(parents=True, exist_ok=True)
    real = Real(place, row, row["run"], folder, ["unshare", "-rp", "--fork", "--kill-child"])
    try:
        if row["ready"] == "http":
            real.wait_ready(row.get("port") or place.ports["http"])
        else:
            real.wait_ready(None, row["ready"])
        _first_process(real.process.pid).send()
        code = real.process.wait(END_SECONDS)
    finally:
        real.end()
    out = real.out.read_text()
    if "reads" in row:
        out += Path(place.fill(row["reads"])).read_text()
    return normalised(Answer(code, out), place)


@contextlib.contextmanager
def healthz(row: dict[str, Any], folder: Path) -> Iterator[tuple[int, bytes]]:
    """Port and certificate of an HTTPS server that answers every GET as the row says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(row["status"])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(row["body"])))
            self.end_headers()
            self.wfile.write(row["body"].encode())

        def log_message(self, *_: object) -> None:
            pass

    authority, certificate, key = write_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None  # a client that does not trust us hangs up
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        if not row.get("nobody"):
            thread.start()
        try:
            port = server.server_address[1]
            if row.get("nobody"):
                server.socket.close()
            yield port, authority.read_bytes()
        finally:
            if thread.ident:
                server.shutdown()
                thread.join()


def real_client(place: Place, row: dict[str, Any], folder: Path, port: int, certificate: bytes, seconds: float) -> str:
    """What inclusterclient says within that time; its account lies in a /run of its own."""
    (folder / "account").mkdir()
    (folder / "account" / "token").write_text(row["token"])
    if row["ca"] == "own":
        (folder / "account" / "ca.crt").write_bytes(certificate)
    mounts = f"mount -t tmpfs run /run && mkdir -p {ACCOUNT} && mount --bind {folder / 'account'} {ACCOUNT}"
    before = ["unshare", "-rm", "sh", "-c", f'{mounts} && exec "$@"', "sh"]
    real = Real(place, {"env": client_env(port)}, "inclusterclient --poll-interval=1", folder, before)
    try:
        real.wait_ready(None, "started")
        code: int | None = real.process.wait(seconds)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        real.end()
    return normal(f"{real.log.read_text()}exit {code}", place)


class _first_process:
    """The child of unshare: process 1 of the new namespace."""

    def __init__(self, parent: int) -> None:
        self.pid = int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    def send(self) -> None:
        """SIGTERM."""
        import os

        os.kill(self.pid, signal.SIGTERM)
