"""A world small enough to see through: two Windows and two Linux Nodes, informers filled by hand, a turned clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.network import Namespace, Network, PodNetwork
from op_readiness.simulator.network.interface import HttpRequest, HttpResponse, Peer, Server
from op_readiness.simulator.network.keys import Host

Object = dict[str, Any]
T = TypeVar("T")


class Objects:
    """An informer without an API behind it."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.handlers: list[Callable[[Object | None, Object | None], Any]] = []

    def put(self, obj: Object) -> None:
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        old = self.objects.get(key)
        self.objects[key] = obj
        for handler in self.handlers:
            handler(old, obj)

    def drop(self, namespace: str, name: str) -> None:
        old = self.objects.pop((namespace, name))
        for handler in self.handlers:
            handler(old, None)


class World:
    """What Network asks of the world. With `dual_stack` Nodes and Pods have IPv6 addresses too."""

    def __init__(self, *, dual_stack: bool = False) -> None:
        self.clock = TurnedClock()
        self.random = random.Random(1)
        self.services, self.endpointslices, self.pods = Objects(), Objects(), Objects()
        self.informers: dict[str, Objects] = {}
        builds = {"win-1": "10.0.20348", "win-2": "10.0.26100", "linux-1": "", "linux-2": ""}
        self.nodes = {
            name: Host(
                name, f"10.240.0.{11 + at}", "windows" if build else "linux", build, f"10.244.{at}.0/24",
                ip6=f"fd00:10:240::{11 + at}" if dual_stack else "",
                pod_cidr6=f"fd00:10:244:{at}::/64" if dual_stack else "",
            )
            for at, (name, build) in enumerate(builds.items(), 1)
        }
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.network = Network(self)
        self._uids = 0

    def informer(self, path: str) -> Objects:
        return self.informers.setdefault(path, Objects())

    def emit(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))

    def pod(self, name: str, node: str, space: str = "t", **spec: Any) -> PodNetwork:
        """Attach a Pod, labelled with its name, that serves its name on TCP 8080 (HTTP) and UDP 8081."""
        self._uids += 1
        metadata = {"namespace": space, "name": name, "uid": f"uid-{self._uids}", "labels": {"pod": name}}
        attached = self.network.attach({"metadata": metadata, "spec": spec}, node)
        if not spec.get("hostNetwork"):
            serve_name(attached.namespace, name)
        return attached

    def service(self, name: str, pods: list[PodNetwork], **spec: Any) -> None:
        """A Service `80 -> 8080/TCP`, `90 -> 8081/UDP` in front of Pods."""
        ports = [
            {"name": "http", "port": 80, "protocol": "TCP"},
            {"name": "udp", "port": 90, "protocol": "UDP"},
        ]
        if spec.get("type") == "NodePort":
            ports[0]["nodePort"], ports[1]["nodePort"] = 30080, 30090
        ip = spec.pop("clusterIP", "10.96.0.50")
        self.services.put({
            "metadata": {"namespace": "t", "name": name},
            "spec": {"clusterIP": ip, "clusterIPs": [ip], "ports": ports, **spec},
        })
        self.slice(name, pods)
        if any(":" in one for one in spec.get("clusterIPs", [])):
            self.slice(name, pods, suffix="six", family="IPv6")

    def slice(
        self, name: str, pods: list[PodNetwork], ports: dict[str, int] | None = None, suffix: str = "a",
        family: str = "IPv4",
    ) -> None:
        numbers = ports or {"http": 8080, "udp": 8081}
        self.endpointslices.put({
            "metadata": {
                "namespace": "t", "name": f"{name}-{suffix}", "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": family,
            "ports": [
                {"name": port, "port": number, "protocol": "UDP" if port == "udp" else "TCP"}
                for port, number in numbers.items()
            ],
            "endpoints": [
                {"addresses": [ip], "nodeName": pod.namespace.node, "conditions": {"ready": True}}
                for pod in pods
                for ip in pod.ips
                if (":" in ip) == (family == "IPv6")
            ],
        })

    async def after(self, work: Awaitable[T], seconds: float = 200.0) -> T:
        """What `work` gives when that much time has passed."""
        task = asyncio.ensure_future(work)
        await self.clock.turn(0)
        if not task.done():
            await self.clock.turn(seconds)
        if not task.done():
            task.cancel()
            raise AssertionError("still waiting")
        return task.result()

    async def settled(self) -> None:
        """Let kube-proxies do what changed."""
        await self.clock.turn(2)


def serve_name(namespace: Namespace, name: str, port: int = 8080) -> None:
    async def http(_: HttpRequest, peer: Peer) -> HttpResponse:
        return HttpResponse(200, name.encode(), {"X-Peer": peer.ip})

    async def datagram(_: bytes, __: Peer) -> bytes:
        return name.encode()

    namespace.listen("TCP", port, Server(http=http))
    namespace.listen("UDP", port + 1, Server(datagram=datagram))


async def get(namespace: Namespace, ip: str, port: int = 8080, timeout: float | None = 10) -> HttpResponse:
    connection = await namespace.connect(ip, port, timeout)
    return await connection.request(HttpRequest("GET", "/hostname"), timeout)


async def name_at(namespace: Namespace, ip: str, port: int = 8080, timeout: float | None = 10) -> str:
    return (await get(namespace, ip, port, timeout)).body.decode()


async def udp_name_at(namespace: Namespace, ip: str, port: int = 8081, timeout: float | None = 5) -> str:
    return (await namespace.datagram(ip, port, b"hostname", timeout)).decode()


def run(story: Callable[[World], Awaitable[None]], *, dual_stack: bool = False) -> None:
    """Tell a story in a new world, and leave nothing running."""

    async def told() -> None:
        world = World(dual_stack=dual_stack)
        await world.settled()
        try:
            await story(world)
        finally:
            world.network.close()
            rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

    asyncio.run(told())
