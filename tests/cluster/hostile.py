"""A small HTTP(S) server on loopback that misbehaves on demand: each request gets the next act of a script."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import ipaddress
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Act = Callable[["Connection", "Request"], None]
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Connection:
    socket: socket.socket
    over: threading.Event
    """Set when the server stops: what keeps silent waits for it."""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # a file made of the socket would keep it open
        self.socket.close()


@dataclass
class HostileServer:
    """`script` maps a path (without its query) to acts; the last act of a list is repeated."""

    tls: ssl.SSLContext | None = None
    accept_silence: bool = False
    script: dict[str, list[Act]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections = 0
        self.lock = threading.Lock()
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def on(self, path: str, *acts: Act) -> None:
        self.script[path] = list(acts)

    def count(self, path: str) -> int:
        return sum(request.path.split("?")[0] == path for request in self.requests)

    def stop(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.open:
            one.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(one)
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            if self.accept_silence:
                self.over.wait(10)
                return
            one = self.tls.wrap_socket(raw, server_side=True) if self.tls else raw
            self.open.append(one)
            reader = one.makefile("rb")
            while request := _read(reader):
                with self.lock:
                    self.requests.append(request)
                    acts = self.script.get(request.path.split("?")[0]) or [status(404, "NotFound", "no such path")]
                    act = acts.pop(0) if len(acts) > 1 else acts[0]
                act(Connection(one, self.over), request)
        except (OSError, ValueError):
            pass
        finally:
            raw.close()


def _read(reader: Any) -> Request | None:
    first = reader.readline().decode()
    if not first.strip():
        return None
    method, path, _ = first.split(" ", 2)
    headers = {}
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, path, headers, reader.read(int(headers.get("content-length", 0))))


def reply(body: Any, code: int = 200, **headers: str) -> Act:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {code} X", f"Content-Length: {len(data)}", "Content-Type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda connection, _: connection.send(("\r\n".join(lines) + "\r\n\r\n").encode() + data)


def status(code: int, reason: str = "", message: str = "", **headers: str) -> Act:
    return reply({"kind": "Status", "code": code, "reason": reason, "message": message}, code, **headers)


def drop(connection: Connection, _: Request) -> None:
    """Close the connection without an answer."""
    connection.close()


def silence(connection: Connection, _: Request) -> None:
    """Never answer."""
    connection.over.wait(30)
    connection.close()


def watch(*events: dict[str, Any], then: Act | None = None) -> Act:
    """A watch that sends these events, and then ends, or does `then` (silence, drop)."""

    def act(connection: Connection, request: Request) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in events:
            line = json.dumps(event).encode() + b"\n"
            connection.send(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        if then:
            then(connection, request)
        else:
            connection.send(b"0\r\n\r\n")

    return act


def by_watch(listing: list[Act], watching: list[Act]) -> Act:
    """Tell a list from a watch of the same path; each has a script of its own."""

    def act(connection: Connection, request: Request) -> None:
        acts = watching if "watch=true" in request.path else listing
        (acts.pop(0) if len(acts) > 1 else acts[0])(connection, request)

    return act


def frame(data: bytes, opcode: int = 2) -> bytes:
    head = bytes([0x80 | opcode])
    if len(data) < 126:
        return head + bytes([len(data)]) + data
    size = struct.pack("!BH", 126, len(data)) if len(data) < 65536 else struct.pack("!BQ", 127, len(data))
    return head + size + data


def upgrade(*frames: bytes, protocol: str = "v5.channel.k8s.io", then: Act | None = None) -> Act:
    """A WebSocket handshake and these frames."""

    def act(connection: Connection, request: Request) -> None:
        key = request.headers["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        head = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"  # fmt: skip
        connection.send(head.encode() + b"".join(frames))  # in one packet: nothing may get lost behind the head
        if then:
            then(connection, request)
        connection.close()

    return act


SUCCESS = frame(b"\x03" + json.dumps({"status": "Success"}).encode())


def exited(code: int) -> bytes:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    body = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    return frame(b"\x03" + json.dumps(body).encode())


@lru_cache
def certificate(name: str) -> tuple[bytes, bytes]:
    """A self-signed certificate for 127.0.0.1 and `name`, and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    addresses: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "kubernetes":
        addresses.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return built.public_bytes(serialization.Encoding.PEM), secret


def server_tls(folder: Path, name: str = "kubernetes") -> ssl.SSLContext:
    cert, key = certificate(name)
    (folder / "server.pem").write_bytes(cert + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
