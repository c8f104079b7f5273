"""The control API of a simulated cluster: faults, restarts, a look into tables; loopback, bearer token."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from op_readiness.simulator.cluster import SimulatedCluster
from op_readiness.simulator.faults.words import FaultError
from op_readiness.simulator.world import UnknownComponent

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlApi:
    """Serves one cluster; `start` gives its URL, `token` is what requests have to carry."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self.token = secrets.token_hex(16)
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_post("/faults", self._put_in)
        app.router.add_get("/faults", self._active)
        app.router.add_delete("/faults", self._take_out)
        app.router.add_post("/restart", self._restart)
        app.router.add_get("/tables", self._tables)
        app.router.add_get("/healthz", self._healthz)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        sent = request.headers.get("Authorization", "")
        if not secrets.compare_digest(sent.encode(), f"Bearer {self.token}".encode()):
            return web.json_response({"message": "a bearer token is needed"}, status=401)
        return await handler(request)

    async def _put_in(self, request: web.Request) -> web.Response:
        try:
            asked = await request.json()
            await self._cluster.put_in(asked["faults"])
        except (FaultError, KeyError, TypeError, ValueError) as error:
            return web.json_response({"message": str(error)}, status=422)
        await self._cluster.faults.acted()
        for kubelet in self._cluster.world.kubelets.values():
            await kubelet.registration.tell()
        return await self._active(request)

    async def _active(self, _: web.Request) -> web.Response:
        return web.json_response({"active": [fault.described() for fault in self._cluster.faults.active]})

    async def _take_out(self, _: web.Request) -> web.Response:
        await self._cluster.heal()
        return web.json_response({"active": []})

    async def _restart(self, request: web.Request) -> web.Response:
        try:
            asked = await request.json()
            await self._cluster.world.restart(asked["component"], asked["node"])
        except (UnknownComponent, KeyError, TypeError, ValueError) as error:
            return web.json_response({"message": str(error)}, status=422)
        return web.json_response({"restarted": asked["component"], "node": asked["node"]})

    async def _tables(self, request: web.Request) -> web.Response:
        nodes = self._cluster.world.nodes
        named = request.query.get("node")
        if named is not None and named not in nodes:
            return web.json_response({"message": f"no Node {named}; there are: {', '.join(nodes)}"}, status=404)
        shown = {name: _dump(node.tables) for name, node in nodes.items() if named in (None, name)}
        return web.json_response(shown, dumps=lambda value: json.dumps(value, indent=1, default=str))

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")


def _dump(tables: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        state: [{"key": _plain(key), "value": _plain(value)} for key, value in table.programmed.items()]
        for state, table in tables.items()
    }


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
