"""A world of tables and nothing else, for self-tests of faults: Nodes, an event bus, a clock turned by hand."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.network.keys import Backend, LbKey, LbValue
from op_readiness.simulator.network.table import Table
from op_readiness.simulator.network.tables import NodeTables
from op_readiness.simulator.nodes.channels import channel_table
from op_readiness.simulator.nodes.images import image_table


@dataclass
class FakeNode:
    name: str
    os: str
    build: str = "10.0.20348"
    ip: str = "10.240.0.11"
    pod_cidr: str = "10.244.1.0/24"
    ip6: str = ""
    pod_cidr6: str = ""
    tables: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = {table.state: table for table in NodeTables(self).all()}
        self.tables |= {"CHAN": channel_table(self.name), "IMG": image_table(self.name)}
        self.tables |= {"LIMIT": Table("LIMIT", self.name), "NODE": Table("NODE", self.name)}


class Objects:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}


class FakeApi:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.items: list[dict[str, Any]] = []

    async def get(self, path: str) -> dict[str, Any]:
        self.calls.append(("GET", path))
        return {"items": self.items}

    async def delete(self, path: str) -> None:
        self.calls.append(("DELETE", path))

    async def patch(self, path: str, body: Any) -> None:
        self.calls.append(("PATCH", path))


class FakeWorld:
    def __init__(self, seed: int = 0) -> None:
        self.clock = TurnedClock()
        self.random = random.Random(seed)
        nodes = [FakeNode(f"win-{n}", "windows") for n in (1, 2, 3)] + [
            FakeNode(f"linux-{n}", "linux", "") for n in (1, 2)
        ]
        self.nodes = {node.name: node for node in nodes}
        self.services, self.pods = Objects(), Objects()
        self.services.objects["shop", "web"] = {"spec": {"ports": [{"port": 80, "targetPort": "http"}]}}
        self.api = FakeApi()
        self.restarted: list[tuple[str, str]] = []
        self._handlers: list[Any] = []

    def on_event(self, handler: Any) -> None:
        self._handlers.append(handler)

    def emit(self, event: str, **fields: Any) -> None:
        for handler in self._handlers:
            handler(event, fields)

    def spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work, name=name)

    async def restart(self, component: str, node: str) -> None:
        self.restarted.append((component, node))


def lb_key(name: str = "web", port: int = 80, **changes: Any) -> LbKey:
    fields: dict[str, Any] = {
        "namespace": "shop", "name": name, "port_name": "", "service_port": port, "protocol": "TCP",
        "face": "ClusterIP", "family": "IPv4", "vip": "10.96.0.20", "port": port,
    }  # fmt: skip
    return LbKey(**{**fields, **changes})


def lb_value(*ips: str, port: int = 8080) -> LbValue:
    return LbValue(tuple(Backend(ip, port) for ip in ips), internal_port=port)


def fault(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"file": {"name": "a-fault", "title": "A fault", "steps": list(steps), **more}}
