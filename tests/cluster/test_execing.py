"""Exec over WebSocket, against an API server that hangs, lies and breaks off."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import Any

import pytest

from op_readiness.cluster import dialing
from op_readiness.cluster.errors import ExecDidNotReturn, ExecRefused

from .hostile import SUCCESS, HostileServer, Request, drop, exited, frame, reply, server_tls, silence, status, upgrade

EXEC = "/api/v1/namespaces/ns/pods/p/exec"
ARGV = ["cmd", "/c", "echo hello & ver"]


def run(cluster: Any, within: float = 2.0, stdin: str | None = None) -> Any:
    return cluster.exec("p", "ns", "c", ARGV, within=within, stdin=stdin)


def test_output_and_exit_code_come_apart(tls_server, cluster_of):
    """stdout, stderr and the exit code each from a channel of their own; the argv arrives unchanged."""
    tls_server.on(EXEC, upgrade(frame(b"\x01out\n"), frame(b"\x02err\n"), exited(3)))

    answer = run(cluster_of(tls_server))

    assert (answer.stdout, answer.stderr, answer.exit_code) == ("out\n", "err\n", 3)
    path = tls_server.requests[0].path
    assert "command=cmd&command=%2Fc&command=echo+hello+%26+ver&stdout=true&stderr=true&container=c" in path


def test_text_that_is_cut_between_frames_is_put_together(server, cluster_of):
    """A multi-byte character in two frames stays one; large output and pings are no trouble."""
    word = "größe".encode()
    large = b"x" * 70000
    server.on(EXEC, upgrade(frame(b"\x01" + word[:3]), frame(b"", 9), frame(b"\x01" + word[3:]),
                            frame(b"\x01" + large), frame(b"\x01"), SUCCESS))  # fmt: skip

    answer = run(cluster_of(server))

    assert answer.stdout == "größe" + "x" * 70000
    assert answer.exit_code == 0


def test_bytes_that_are_no_utf8_are_made_visible(server, cluster_of):
    """Windows' programs write code pages; the answer is still text."""
    server.on(EXEC, upgrade(frame(b"\x01gr\xf6\xdfe"), SUCCESS))

    assert run(cluster_of(server)).stdout == "gr\ufffd\ufffde"


def test_a_stream_that_ends_without_a_status_is_no_success(server, cluster_of):
    """What had come by then goes along with the error."""
    server.on(EXEC, upgrade(frame(b"\x01half"), frame(b"\x03\xe8", 8)))

    with pytest.raises(ExecDidNotReturn, match=r"ended without an exit code") as caught:
        run(cluster_of(server))

    assert caught.value.stdout == "half"


def test_a_connection_that_breaks_is_no_answer(server, cluster_of):
    """No close frame, no status."""
    server.on(EXEC, upgrade(frame(b"\x01half")))

    with pytest.raises(ExecDidNotReturn):
        run(cluster_of(server))


@pytest.mark.parametrize("act", [silence, upgrade(then=silence)], ids=["handshake", "stream"])
def test_the_deadline_covers_handshake_and_stream(server, cluster_of, act):
    """faults C73, C141: an exec that never answers ends at its deadline."""
    server.on(EXEC, act)
    began = time.monotonic()

    with pytest.raises(ExecDidNotReturn, match=r"within 0.3 s"):
        run(cluster_of(server), within=0.3)

    assert time.monotonic() - began < 5.0


def test_the_deadline_covers_tls(cluster_of, tmp_path):
    """The connection is accepted, and then nothing."""
    server = HostileServer(tls=server_tls(tmp_path), accept_silence=True)
    began = time.monotonic()

    with pytest.raises(ExecDidNotReturn, match=r"no answer within 0.3 s .connecting"):
        run(cluster_of(server), within=0.3)

    server.stop()
    assert time.monotonic() - began < 5.0


def test_the_deadline_covers_a_trickle(server, cluster_of):
    """A byte every tenth of a second does not extend it."""

    def trickle(connection: Any, _: Request) -> None:
        while not connection.over.wait(0.1):
            connection.send(frame(b"\x01."))

    server.on(EXEC, upgrade(then=trickle))

    with pytest.raises(ExecDidNotReturn) as caught:
        run(cluster_of(server), within=0.5)

    assert len(caught.value.stdout) <= 5


def test_a_command_that_goes_on_writing_may_take_longer(server, cluster_of):
    """As long as it is never silent for long."""

    def slow(connection: Any, _: Request) -> None:
        for _ in range(8):
            connection.over.wait(0.1)
            connection.send(frame(b"\x01."))
        connection.send(exited(0))

    server.on(EXEC, upgrade(then=slow))

    answer = cluster_of(server).exec("p", "ns", "c", ARGV, within=0.4, silence=2.0)

    assert answer.stdout == "." * 8


def test_writing_prolongs_a_deadline_to_an_end(monkeypatch):
    """So many times its own length, and silence ends it before."""
    at = [100.0]
    monkeypatch.setattr(dialing.time, "monotonic", lambda: at[0])
    deadline = dialing.Deadline(10.0, silence=15.0)
    for at[0] in (105.0, 115.0, 125.0):
        deadline.prolong()
        assert not deadline.over
    at[0] = 141.0
    assert deadline.over
    for at[0] in (150.0, 159.9):
        deadline.prolong()
        assert not deadline.over
    at[0] = 100.0 + dialing.PROLONGED * 10.0
    deadline.prolong()
    assert deadline.over


def test_the_deadline_covers_dns(cluster_of, write_kubeconfig, monkeypatch):
    """A resolver that hangs is left behind."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(1.0))
    server = HostileServer()
    cluster = cluster_of(server)
    server.stop()
    cluster.connection.server = cluster.connection.server.replace("127.0.0.1", "kubernetes.example")

    with pytest.raises(ExecDidNotReturn, match=r"DNS gave no answer for kubernetes.example"):
        run(cluster, within=0.2)


def test_a_refusal_keeps_status_and_words(server, cluster_of):
    """faults C79: the API server has no way to the kubelet; the command did not run."""
    server.on(EXEC, status(500, "InternalError", "error dialing backend: dial tcp 10.0.0.1:10250: i/o timeout"))

    with pytest.raises(ExecRefused, match=r"dial tcp") as caught:
        run(cluster_of(server))

    assert (caught.value.status, caught.value.reason, server.count(EXEC)) == (500, "InternalError", 1)
    assert "Pod ns/p container c" in str(caught.value)


def test_a_failure_in_the_status_channel_without_an_exit_code_is_a_refusal(server, cluster_of):
    """No such container, no such program: the kubelet says so in the stream."""
    body = {"status": "Failure", "reason": "InternalError", "code": 500, "message": "container not found (\"c\")"}
    server.on(EXEC, upgrade(frame(b"\x03" + json.dumps(body).encode())))

    with pytest.raises(ExecRefused, match=r"container not found"):
        run(cluster_of(server))


def test_a_status_that_is_no_json_is_no_answer(server, cluster_of):
    """It is shown, not guessed at."""
    server.on(EXEC, upgrade(frame(b"\x03what")))

    with pytest.raises(ExecDidNotReturn, match=r"not understood: 'what'"):
        run(cluster_of(server))


def test_a_passing_refusal_is_tried_again(server, cluster_of):
    """429 and 500 instead of the upgrade: the command has not run."""
    server.on(EXEC, status(429, "TooManyRequests"), status(500, "InternalError"), upgrade(SUCCESS))

    assert run(cluster_of(server)).exit_code == 0


def test_a_401_asks_for_a_newer_token(server, cluster_of, tmp_path):
    """As for any other call; one that stays is refused."""
    (tmp_path / "token").write_text("old")
    cluster = cluster_of(server, {"tokenFile": str(tmp_path / "token")})
    server.on(EXEC, status(401, "Unauthorized", "token expired"))
    with pytest.raises(ExecRefused, match=r"401 Unauthorized: token expired"):
        run(cluster)

    (tmp_path / "token").write_text("newer")
    server.on(EXEC, upgrade(SUCCESS))
    assert run(cluster).exit_code == 0
    assert server.requests[-1].headers["authorization"] == "Bearer newer"


def test_a_broken_handshake_is_not_tried_again(server, cluster_of):
    """The command may have run."""
    server.on(EXEC, drop)

    with pytest.raises(ExecDidNotReturn, match=r"before an HTTP answer"):
        run(cluster_of(server))

    assert server.count(EXEC) == 1


def test_stdin_is_sent_and_closed(server, cluster_of):
    """v5 says where stdin ends, so that `more` and `sort` come back."""
    got: list[bytes] = []

    def read(connection: Any, _: Request) -> None:
        for _ in range(2):
            head = connection.socket.recv(2)
            mask = connection.socket.recv(4)
            data = connection.socket.recv(head[1] & 0x7F)
            got.append(bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))
        connection.send(SUCCESS)

    server.on(EXEC, upgrade(then=read))

    assert run(cluster_of(server), stdin="b\na\n").exit_code == 0
    assert got == [b"\x00b\na\n", b"\xff\x00"]


def test_stdin_over_v4_is_refused_loudly(server, cluster_of):
    """v4 cannot say where stdin ends; waiting for the deadline would hide why."""
    server.on(EXEC, upgrade(then=silence, protocol="v4.channel.k8s.io"))

    with pytest.raises(ExecDidNotReturn, match=r"cannot say where stdin ends"):
        run(cluster_of(server), stdin="x")


def test_parallel_exec_and_get_do_not_disturb_one_another(tls_server, cluster_of):
    """faults C143: one client, eight threads, none gets the answer of another."""
    tls_server.on(EXEC, upgrade(frame(b"\x01out"), SUCCESS))
    tls_server.on("/api/v1/namespaces/ns/pods/p", reply({"metadata": {"name": "p"}}))
    cluster = cluster_of(tls_server)
    done: list[str] = []

    def execute() -> None:
        for _ in range(5):
            done.append(run(cluster, within=10.0).stdout)

    def get() -> None:
        for _ in range(5):
            done.append(cluster.get("Pod", "p", "ns")["metadata"]["name"])

    threads = [threading.Thread(target=target) for target in (execute, get) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (done.count("out"), done.count("p")) == (20, 20)


def test_tls_server_name_holds_for_exec_too(cluster_of, tmp_path):
    """The certificate is for another name than the address; tls-server-name says which."""
    from .hostile import certificate

    server = HostileServer(tls=server_tls(tmp_path, "api.internal"))
    server.on(EXEC, upgrade(SUCCESS))
    server.on("/version", reply({"gitVersion": "v1.37.2"}))
    ca = {"certificate-authority-data": base64.b64encode(certificate("api.internal")[0]).decode()}
    cluster = cluster_of(server, **ca, **{"tls-server-name": "api.internal"})

    assert (cluster.server_version(), run(cluster).exit_code) == ("v1.37.2", 0)
    with pytest.raises(ExecDidNotReturn, match=r"CERTIFICATE_VERIFY_FAILED"):
        run(cluster_of(server, **ca))
    server.stop()


def test_the_proxy_of_the_kubeconfig_carries_exec_too(cluster_of, tls_server):
    """CONNECT with the proxy's login, then TLS to the API server through it."""
    tls_server.on(EXEC, upgrade(SUCCESS))
    tls_server.on("/version", reply({"gitVersion": "v1.37.2"}))
    proxy = Proxy()
    cluster = cluster_of(tls_server, **{"proxy-url": f"http://user:pa%20ss@127.0.0.1:{proxy.port}"})

    assert (cluster.server_version(), run(cluster).exit_code) == ("v1.37.2", 0)
    login = base64.b64encode(b"user:pa ss").decode()
    assert [login in head for head in proxy.heads] == [True, True]
    proxy.stop()


def test_a_proxy_that_refuses_is_named(cluster_of, tls_server):
    """Its own words, not a TLS error."""
    proxy = Proxy(answer=b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    cluster = cluster_of(tls_server, **{"proxy-url": f"http://127.0.0.1:{proxy.port}"})

    with pytest.raises(ExecDidNotReturn, match=r"proxy 127.0.0.1.*407 Proxy Authentication Required"):
        run(cluster)
    proxy.stop()


class Proxy(HostileServer):
    """An HTTP proxy that answers CONNECT and then passes bytes on."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.heads: list[str] = []
        self.answer = answer
        super().__init__()

    def _serve(self, raw: Any) -> None:
        import contextlib
        import socket

        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += raw.recv(4096)
            self.heads.append(head.decode())
            raw.sendall(self.answer)
            if b" 200 " not in self.answer:
                raw.close()
                return
            host, port = head.split(b" ")[1].decode().rsplit(":", 1)
            there = socket.create_connection((host, int(port)))
            self.open.append(there)
            threading.Thread(target=_pass_on, args=(there, raw), daemon=True).start()
            _pass_on(raw, there)


def _pass_on(source: Any, target: Any) -> None:
    import contextlib

    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    target.close()
