"""The real control plane under simulated Nodes: etcd, kube-apiserver, controller manager and scheduler.

The judge of everything that the simulator says in Kubernetes' name. It is throw-away: no fsync, free ports, SIGKILL.
The API server reaches Nodes and Pods through one Unix socket (egress selector), so none of them needs a real address.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from op_readiness.simulator.kubeconfig import Access, write_kubeconfig
from op_readiness.simulator.processes import Processes, StartFailed

START_SECONDS = 60.0
ATTEMPTS = 3
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


class RealControlPlane:
    """One real control plane in `folder`. `assets` holds its binaries, `egress` is the path of the Nodes' socket."""

    def __init__(self, folder: Path, assets: Path, egress: Path, service_ranges: str = "10.96.0.0/16") -> None:
        self._folder, self._assets, self._egress, self._ranges = folder, assets, egress, service_ranges
        self._processes = Processes(folder / "logs")
        self._token = secrets.token_hex(16)

    async def start(self) -> Access:
        """Start all four and wait until the API server is ready; raises StartFailed with one line."""
        for name in BINARIES:
            if not (self._assets / name).exists():
                raise StartFailed(f"no {name} in {self._assets} (KUBEBUILDER_ASSETS)")
        if self._data.exists():
            raise StartFailed(f"folder: {self._folder} holds the data of an earlier cluster (etcd); empty it")
        self._write_files()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._started(_free_ports(5))
            except StartFailed:
                if attempt == ATTEMPTS or not self._port_was_taken():
                    raise
                self._processes.kill_all()
        raise StartFailed("no free ports")

    async def _started(self, ports: list[int]) -> Access:
        self._processes.start("etcd", self._etcd(*ports[:2]))
        self._processes.start("kube-apiserver", self._apiserver(ports[0], ports[2]))
        server = f"https://127.0.0.1:{ports[2]}"
        await self._ready(server)
        access = self._access(server)
        self._processes.start("kube-controller-manager", self._controller_manager(access, ports[3]))
        self._processes.start("kube-scheduler", self._scheduler(access, ports[4]))
        return access

    @property
    def _data(self) -> Path:
        return self._folder / "etcd"

    def _port_was_taken(self) -> bool:
        """Whether somebody took one of the free ports before we did."""
        logs = (self._processes.log_of(name) for name in ("etcd", "kube-apiserver"))
        return any("address already in use" in log.read_text(errors="replace") for log in logs if log.exists())

    async def stop(self) -> None:
        """Nothing of it runs afterwards."""
        self._processes.kill_all()

    def must_run(self) -> None:
        """Raise StartFailed when one of the four has ended."""
        self._processes.must_run()

    def _access(self, server: str) -> Access:
        ca_file = self._folder / "certs" / "apiserver.crt"
        kubeconfig = self._folder / "kubeconfig"
        write_kubeconfig(kubeconfig, server, str(ca_file), self._token)
        return Access(server, str(ca_file), self._token, str(kubeconfig))

    def _write_files(self) -> None:
        (self._folder / "certs").mkdir(parents=True, exist_ok=True)
        tokens = self._folder / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self._token},admin,admin,"system:masters"\n')
        (self._folder / "egress.yaml").write_text(yaml.safe_dump(_egress_configuration(self._egress)))
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_file = self._folder / "sa.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
            )
        )

    def _etcd(self, client: int, peer: int) -> list[str]:
        client_url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        return [
            str(self._assets / "etcd"), "--data-dir", str(self._data), "--unsafe-no-fsync",
            "--listen-client-urls", client_url, "--advertise-client-urls", client_url,
            "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
            "--initial-cluster", f"default={peer_url}", "--log-level", "warn",
        ]  # fmt: skip

    def _apiserver(self, etcd: int, port: int) -> list[str]:
        key = str(self._folder / "sa.key")
        return [
            str(self._assets / "kube-apiserver"), "--etcd-servers", f"http://127.0.0.1:{etcd}",
            "--bind-address", "127.0.0.1", "--secure-port", str(port), "--cert-dir", str(self._folder / "certs"),
            "--service-cluster-ip-range", self._ranges, "--token-auth-file", str(self._folder / "tokens.csv"),
            "--authorization-mode", "Node,RBAC", "--allow-privileged=true",
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-key-file", key, "--service-account-signing-key-file", key,
            "--kubelet-preferred-address-types", "InternalIP", "--endpoint-reconciler-type", "none",
            "--egress-selector-config-file", str(self._folder / "egress.yaml"), "--profiling=false",
        ]  # fmt: skip

    def _controller_manager(self, access: Access, port: int) -> list[str]:
        return [
            str(self._assets / "kube-controller-manager"), "--kubeconfig", access.kubeconfig,
            "--service-account-private-key-file", str(self._folder / "sa.key"), "--use-service-account-credentials",
            "--root-ca-file", access.ca_file, "--leader-elect=false", "--bind-address", "127.0.0.1",
            "--secure-port", str(port), "--cert-dir", str(self._folder / "controller-manager"),
            "--kube-api-qps", "500", "--kube-api-burst", "1000", "--profiling=false",
        ]  # fmt: skip

    def _scheduler(self, access: Access, port: int) -> list[str]:
        return [
            str(self._assets / "kube-scheduler"), "--kubeconfig", access.kubeconfig, "--leader-elect=false",
            "--bind-address", "127.0.0.1", "--secure-port", str(port), "--cert-dir", str(self._folder / "scheduler"),
            "--kube-api-qps", "500", "--kube-api-burst", "1000", "--profiling=false",
        ]  # fmt: skip

    async def _ready(self, server: str) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        headers = {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while not await _answers_ok(session, f"{server}/readyz", context):
                self._processes.must_run()
                if asyncio.get_running_loop().time() > deadline:
                    log = self._processes.log_of("kube-apiserver")
                    raise StartFailed(f"kube-apiserver is not ready after {START_SECONDS:g} s (log: {log})")
                await asyncio.sleep(0.1)


async def _answers_ok(session: aiohttp.ClientSession, url: str, context: ssl.SSLContext) -> bool:
    try:
        async with session.get(url, ssl=context, timeout=aiohttp.ClientTimeout(total=5)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _egress_configuration(socket_path: Path) -> dict[str, Any]:
    transport = {"uds": {"udsName": str(socket_path)}}
    return {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [
            {"name": "cluster", "connection": {"proxyProtocol": "HTTPConnect", "transport": transport}},
            {"name": "controlplane", "connection": {"proxyProtocol": "Direct"}},
            {"name": "etcd", "connection": {"proxyProtocol": "Direct"}},
        ],
    }


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now (all held at once while they are drawn, so that they differ)."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
