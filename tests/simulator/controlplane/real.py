"""A real kube-apiserver with its etcd, from KUBEBUILDER_ASSETS, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.simulator.controlplane.answers import ADMIN, BOB, RANGES

READY_SECONDS = 60


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _write_key(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _commands(assets: Path, folder: Path, ports: list[int], ranges: str) -> list[list[str]]:
    client, peer, secure = ports
    etcd = f"http://127.0.0.1:{client}"
    return [
        [str(assets / "etcd"), "--data-dir", str(folder / "etcd"), "--listen-client-urls", etcd,
         "--advertise-client-urls", etcd, "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--unsafe-no-fsync"],
        [str(assets / "kube-apiserver"), "--etcd-servers", etcd, "--bind-address", "127.0.0.1",
         "--secure-port", str(secure), "--cert-dir", str(folder / "certs"),
         "--service-cluster-ip-range", ranges,
         "--token-auth-file", str(folder / "tokens.csv"), "--authorization-mode", "Node,RBAC",
         "--service-account-issuer", "https://kubernetes.default.svc",
         "--service-account-key-file", str(folder / "sa.key"),
         "--service-account-signing-key-file", str(folder / "sa.key"), "--allow-privileged=true",
         "--kubelet-preferred-address-types", "InternalIP"],
    ]  # fmt: skip


def _ready(server: str) -> bool:
    request = urllib.request.Request(f"{server}/readyz", headers={"Authorization": f"Bearer {ADMIN}"})
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=5) as response:
            return response.read() == b"ok"
    except OSError:
        return False


@contextlib.contextmanager
def real_api_server(*ranges: str) -> Iterator[str]:
    """The URL of a fresh API server, with these ranges of Services (IPv4's alone); both processes go afterwards."""
    assets = Path(os.environ["KUBEBUILDER_ASSETS"]).expanduser()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as owned:
        folder, ports = Path(name), _free_ports(3)
        _write_key(folder / "sa.key")
        (folder / "tokens.csv").write_text(f'{ADMIN},admin,admin,"system:masters"\n{BOB},bob,bob\n')
        for command in _commands(assets, folder, ports, ",".join(ranges or RANGES[:1])):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            owned.callback(process.wait)
            owned.callback(process.kill)
        server, deadline = f"https://127.0.0.1:{ports[2]}", time.monotonic() + READY_SECONDS
        while not _ready(server):
            if time.monotonic() > deadline:
                raise TimeoutError("kube-apiserver did not get ready")
            time.sleep(0.2)
        yield server
