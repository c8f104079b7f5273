"""Runs an embedded API server for a self-test, and a small kubelet to stream from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from op_readiness.simulator.api import Api
from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.controlplane.serving.server import ControlPlane
from op_readiness.simulator.controlplane.store.requests import User

Dial = Callable[[str, int], Awaitable[Any]]


async def no_network(host: str, port: int) -> Any:
    raise ConnectionRefusedError(f"{host}:{port}")


@contextlib.asynccontextmanager
async def running(
    folder: Path, dial: Dial = no_network, tokens: dict[str, User] | None = None
) -> AsyncIterator[tuple[ControlPlane, Api]]:
    """An embedded API server with a Namespace t, and a client of its admin."""
    control_plane = ControlPlane()
    access = await control_plane.start(folder, TurnedClock(), 1, dial, tokens)
    try:
        async with Api(access.server, access.admin_token, access.ca_file) as api:
            await api.create("/api/v1/namespaces", {"metadata": {"name": "t"}})
            await api.create("/api/v1/namespaces/t/serviceaccounts", {"metadata": {"name": "default"}})
            yield control_plane, api
    finally:
        await control_plane.stop()


async def bound_pod(api: Api) -> None:
    """A Pod p on a Node n whose kubelet is 10.240.0.11:10250."""
    await api.create("/api/v1/nodes", {"metadata": {"name": "n"}})
    addresses = [{"type": "InternalIP", "address": "10.240.0.11"}]
    status = {"addresses": addresses, "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}}
    await api.patch("/api/v1/nodes/n/status", {"status": status})
    await api.create("/api/v1/namespaces/t/pods", pod("p"))
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}}
    await api.create("/api/v1/namespaces/t/pods/p/binding", binding)


def pod(name: str, **spec: Any) -> dict[str, Any]:
    """A Pod with one container."""
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "x:1"}], **spec}}


@contextlib.asynccontextmanager
async def local_server(answer: Callable[..., Awaitable[None]]) -> AsyncIterator[Dial]:
    """A server on loopback that stands for every address of the network; gives the dial that leads to it."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield lambda *_: asyncio.open_connection("127.0.0.1", port)
