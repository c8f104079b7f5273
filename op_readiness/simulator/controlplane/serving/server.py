"""The embedded API server: HTTPS on 127.0.0.1, everything in memory, gone when it is stopped."""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.access.rbac import MASTERS, Rbac
from op_readiness.simulator.controlplane.access.reviews import Reviews
from op_readiness.simulator.controlplane.access.tokens import AUTHENTICATED, Tokens
from op_readiness.simulator.controlplane.admission.plugins import Admission, Webhook
from op_readiness.simulator.controlplane.admission.podsecurity.plugin import PodSecurity
from op_readiness.simulator.controlplane.kinds.pod_admission import PodAdmission
from op_readiness.simulator.controlplane.serving import certificates
from op_readiness.simulator.controlplane.serving.handlers import Handler, Handlers
from op_readiness.simulator.controlplane.serving.streaming import Dial, Streaming
from op_readiness.simulator.controlplane.serving.subresources import Subresources
from op_readiness.simulator.controlplane.store.requests import User
from op_readiness.simulator.controlplane.store.storage import Store
from op_readiness.simulator.controlplane.verbs import bootstrap
from op_readiness.simulator.controlplane.verbs.allocation import Allocator
from op_readiness.simulator.controlplane.verbs.operations import Cluster

LARGEST_BODY = 3 * 1024 * 1024
LONGEST_LINE = 1 << 20  # net/http's DefaultMaxHeaderBytes: exec carries its command in the URL


@dataclass(frozen=True)
class Access:
    """How to reach the API server; `kubeconfig` and `ca_file` are paths."""

    server: str
    ca_file: str
    admin_token: str
    kubeconfig: str


class ControlPlane:
    """One embedded API server. `cluster` is its inside, for self-tests and faults."""

    def __init__(self) -> None:
        self.cluster: Cluster | None = None
        self._runner: web.ServerRunner | None = None

    async def start(
        self,
        folder: Path,
        clock: Clock,
        seed: int,
        dial: Dial,
        tokens: dict[str, User] | None = None,
        front: Callable[[Handler], Handler] | None = None,
        extend: Callable[[Cluster, Rbac], Webhook] | None = None,
        service_ranges: Sequence[str] = ("10.96.0.0/16",),
    ) -> Access:
        """Start serving; writes certificates and a kubeconfig to `folder`. `tokens`: bearer tokens beside the admin's.

        `front` gets the handler of all requests and gives the one that is served. `extend` puts into the new cluster
        what an administrator would, and gives the webhook that is asked about Pods.
        """
        ca_file, certificate, key = certificates.write_certificates(folder)
        admin_token = secrets.token_urlsafe(24)
        static = {admin_token: User("admin", (MASTERS, AUTHENTICATED)), **(tokens or {})}
        handlers = self._assembled(seed, static, dial, service_ranges, extend)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        port = await self._listen(front(handlers.handle) if front else handlers.handle, context)
        server = f"https://127.0.0.1:{port}"
        kubeconfig = _written(folder / "kubeconfig", kubeconfig_text(server, ca_file, admin_token))
        return Access(server, str(ca_file), admin_token, str(kubeconfig))

    def _assembled(
        self, seed: int, static: dict[str, User], dial: Dial, service_ranges: Sequence[str],
        extend: Callable[[Cluster, Rbac], Webhook] | None,
    ) -> Handlers:
        store, source = Store(), random.Random(seed)
        allocator = Allocator(store, source, *service_ranges)
        cluster = Cluster(store, source, allocator)
        cluster.admission = Admission(store, PodAdmission(store, cluster.suffix), PodSecurity(store))
        bootstrap.fill(cluster)
        self.cluster = cluster
        tokens = Tokens(store, certificates.signing_key(), static)
        rbac = Rbac(store)
        if extend is not None:
            cluster.admission.webhook = extend(cluster, rbac)
        subresources = Subresources(cluster, Reviews(cluster, tokens, rbac), Streaming(cluster, dial))
        return Handlers(cluster, tokens, rbac, subresources)

    async def _listen(self, handle: Handler, context: ssl.SSLContext) -> int:
        self._runner = web.ServerRunner(
            web.Server(
                handle, request_factory=_request, handler_cancellation=True, access_log=None, max_line_size=LONGEST_LINE
            ),
            shutdown_timeout=0.2,
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def stop(self) -> None:
        """Stop serving; open watches end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _written(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY)


def kubeconfig_text(server: str, ca_file: Path, token: str) -> str:
    """A kubeconfig for the admin."""
    name = "op-readiness-simulated"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority": str(ca_file)}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}}],
    }
    return yaml.safe_dump(document, sort_keys=False)
