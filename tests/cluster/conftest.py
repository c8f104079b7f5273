"""Hostile servers, and clusters that are reached through kubeconfigs written for them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.connect import connect
from op_readiness.cluster.transport import Limits
from op_readiness.model.clock import Clock, TurnedClock

from .hostile import HostileServer, certificate, server_tls


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """Plain HTTP."""
    server = HostileServer()
    yield server
    server.stop()


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[HostileServer]:
    """HTTPS with a certificate for 127.0.0.1."""
    server = HostileServer(tls=server_tls(tmp_path))
    yield server
    server.stop()


@pytest.fixture
def write_kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    def write(
        server: str, user: dict[str, Any] | None = None, *, file: str = "kubeconfig", context: str = "one",
        **cluster: Any,
    ) -> Path:  # fmt: skip
        if server.startswith("https") and "certificate-authority-data" not in cluster:
            cluster["certificate-authority-data"] = base64.b64encode(certificate("kubernetes")[0]).decode()
        config = {
            "current-context": context,
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            "clusters": [{"name": context, "cluster": {"server": server, **cluster}}],
            "users": [{"name": context, "user": user or {"token": "secret"}}],
        }
        path = tmp_path / file
        path.write_text(json.dumps(config))
        return path

    return write


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def cluster_of(write_kubeconfig: Callable[..., Path], clock: TurnedClock) -> Callable[..., Cluster]:
    """A Cluster at a hostile server; pauses between tries cost no time unless `real_time`."""

    def cluster(server: HostileServer, user: dict[str, Any] | None = None, *, read: float = 2.0,
                real_time: Clock | None = None, tries: int = 4, **fields: Any) -> Cluster:  # fmt: skip
        path = write_kubeconfig(server.url, user, **fields)
        limits = Limits(connect=1.0, read=read, tries=tries)
        return Cluster(connect(str(path)), limits, real_time or clock)

    return cluster
