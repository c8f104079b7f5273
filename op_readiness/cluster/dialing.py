"""A byte stream to the API server with one deadline over all of it: DNS, TCP, the proxy, TLS, and every read after.

Needed because the client's `stream()` heeds no time-out before the WebSocket stands: a handshake that hangs hangs for
good. Sockets here read 64 KiB at a time and resume TLS sessions, which halves what an exec costs on both sides.
"""

from __future__ import annotations

import base64
import ipaddress
import queue
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import unquote, urlsplit

from op_readiness.cluster.connect import Connection
from op_readiness.cluster.credentials import Credential

CHUNK = 65536


PROLONGED = 6
"""Times a deadline's own length after which it is over, however often it was prolonged."""


class Deadline:
    """A point in real time. With `silence` it moves on as long as something comes at least that often (seconds)."""

    def __init__(self, within: float, silence: float = 0.0) -> None:
        began = time.monotonic()
        self._ends, self._last = began + within, began + PROLONGED * within
        self.within, self.silence = within, silence

    def prolong(self) -> None:
        """Something came."""
        if self.silence:
            self._ends = max(self._ends, min(time.monotonic() + self.silence, self._last))

    @property
    def over(self) -> bool:
        """Whether it has passed."""
        return time.monotonic() >= self._ends

    @property
    def left(self) -> float:
        """Real seconds left; raises TimeoutError when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.within:g} s")
        return left


class Stream:
    """A connected socket that reads ahead and heeds a deadline; looks like a socket to websocket-client."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock, self.deadline = sock, deadline
        self._ahead = b""

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes, empty at the end of the stream."""
        if not self._ahead:
            self.sock.settimeout(self.deadline.left)
            self._ahead = self.sock.recv(CHUNK)
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def send(self, data: bytes) -> int:
        """Send all of it."""
        self.sock.settimeout(self.deadline.left)
        self.sock.sendall(data)
        return len(data)

    def read_head(self, most: int = 65536) -> bytes:
        """Everything up to and with the empty line that ends an HTTP head."""
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := self.recv(CHUNK)) or len(head) > most:
                raise ConnectionError("the connection ended before an HTTP answer" if not more else "no HTTP answer")
            head += more
        end = head.index(b"\r\n\r\n") + 4
        self._ahead = head[end:] + self._ahead
        return head[:end]

    def gettimeout(self) -> float:
        """For websocket-client; never 0, which would mean non-blocking."""
        return 1.0

    def settimeout(self, _: float | None) -> None:
        """The deadline rules."""

    def fileno(self) -> int:
        """The socket's."""
        return self.sock.fileno()

    def shutdown(self, how: int) -> None:
        """The socket's."""
        self.sock.shutdown(how)

    def close(self) -> None:
        """Close without waiting for the other side."""
        self.sock.close()


class Dialer:
    """Opens streams to one API server. Safe to use from many threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.proxy = connection.proxy
        self._sessions: dict[int, ssl.SSLSession] = {}

    def open(self, credential: Credential, deadline: Deadline) -> Stream:
        """A connected (and encrypted) stream; raises OSError (TimeoutError, ssl.SSLError) within the deadline."""
        host, port = self.connection.host
        sock = self._through_proxy(host, port, deadline) if self.proxy else _tcp(host, port, deadline)
        try:
            tls = self.connection.tls(credential)
            return Stream(self._encrypt(sock, tls, host, deadline) if tls else sock, deadline)
        except BaseException:
            sock.close()
            raise

    def keep_session(self, stream: Stream, credential: Credential) -> None:
        """Remember the TLS session of a stream that worked, for the next handshake (call when data has been read)."""
        if isinstance(stream.sock, ssl.SSLSocket) and not stream.sock.session_reused:
            session = stream.sock.session  # copied at each look: 0.1 ms
            if session and session.has_ticket:
                self._sessions[id(self.connection.tls(credential))] = session

    def _encrypt(self, sock: socket.socket, tls: ssl.SSLContext, host: str, deadline: Deadline) -> ssl.SSLSocket:
        sock.settimeout(deadline.left)
        name = self.connection.tls_server_name or host
        return tls.wrap_socket(sock, server_hostname=name, session=self._sessions.get(id(tls)))

    def _through_proxy(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        proxy = urlsplit(self.proxy)
        if proxy.scheme.startswith("socks"):
            return _socks(proxy, host, port, deadline)
        sock = _tcp(proxy.hostname or "", proxy.port or (443 if proxy.scheme == "https" else 80), deadline)
        try:
            if proxy.scheme == "https":
                sock.settimeout(deadline.left)
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=proxy.hostname)
            stream = Stream(sock, deadline)
            target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}" if proxy.username else ""
            login = f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n" if login else ""
            stream.send(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode())
            answer = stream.read_head().split(b"\r\n", 1)[0].decode(errors="replace")
            if answer.split(" ")[1:2] != ["200"]:
                raise ConnectionError(f"proxy {proxy.hostname}:{proxy.port} said {answer!r} to CONNECT {target}")
            return sock
        except BaseException:
            sock.close()
            raise


def _tcp(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A TCP connection to the first address that answers."""
    failure: OSError = ConnectionError(f"{host} has no address")
    for family, kind, proto, _, address in _addresses(host, port, deadline):
        sock = socket.socket(family, kind, proto)
        try:
            sock.settimeout(deadline.left)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure


def _addresses(host: str, port: int, deadline: Deadline) -> list[Any]:
    """What the resolver says. It heeds no time-out, so names are looked up in a thread that is left behind if late."""
    try:
        ipaddress.ip_address(host)
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    except ValueError:
        pass
    answers: queue.Queue[Any] = queue.Queue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left)
    except queue.Empty:
        raise TimeoutError(f"DNS gave no answer for {host} within {deadline.within:g} s") from None
    if isinstance(answer, OSError):
        raise answer
    return list(answer)


def _socks(proxy: Any, host: str, port: int, deadline: Deadline) -> socket.socket:
    try:
        import socks
    except ImportError as error:
        raise ConnectionError(f"proxy {proxy.scheme}://{proxy.hostname} needs PySocks: pip install PySocks") from error
    kind = socks.SOCKS4 if proxy.scheme.startswith("socks4") else socks.SOCKS5
    remote_names = proxy.scheme in ("socks5h", "socks4a")
    sock: socket.socket = socks.create_connection(
        (host, port), timeout=deadline.left, proxy_type=kind, proxy_addr=proxy.hostname, proxy_port=proxy.port or 1080,
        proxy_rdns=remote_names, proxy_username=proxy.username, proxy_password=proxy.password,
    )  # fmt: skip
    return sock
