"""A cluster of simulated Nodes without a control plane: a tiny API in memory, a clock that tests turn."""

from __future__ import annotations

import asyncio
import copy
import itertools
from typing import Any

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.clock import TurnedClock
from op_readiness.simulator.network.network import Network
from op_readiness.simulator.nodes import statuswriter
from op_readiness.simulator.nodes.kubelet import Kubelet
from op_readiness.simulator.nodes.pod import PodWorker
from op_readiness.simulator.nodes.registration import Registration
from op_readiness.simulator.nodes.specs import parse_nodes
from op_readiness.simulator.nodes.upkeep import watch_sources
from op_readiness.simulator.programs.running import run
from op_readiness.simulator.world import World

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.63.0"


class MemoryApi:
    """Objects by path; a patch of a status merges its fields."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.events: list[Object] = []
        self.patches: list[tuple[str, Object]] = []
        self.tokens = itertools.count(1)
        self.world: World

    async def get(self, path: str) -> Object:
        if path not in self.objects:
            raise ApiError(404, "NotFound", path)
        return self.objects[path]

    async def create(self, path: str, obj: Object) -> Object:
        return await self.request("POST", path, obj)

    async def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> Object:
        if path.endswith("/events"):
            self.events.append(body)
        if path.endswith("/token"):
            return {"status": {"token": f"token-{next(self.tokens)}"}}
        return dict(body)

    async def patch(self, path: str, body: Object, kind: str = "merge") -> Object:
        self.patches.append((path, copy.deepcopy(body)))
        pod = self.objects.get(path.removesuffix("/status"))
        if pod is not None and "status" in body:
            pod.setdefault("status", {}).update(body["status"])
        return body

    async def delete(self, path: str, options: Object | None = None) -> Object:
        pod = self.objects.pop(path)
        self.world.pods._apply(None, (pod["metadata"]["namespace"], pod["metadata"]["name"]))
        return pod


class Cluster:
    """Nodes win-1 (2022), win-2 (2025), linux-1; `pod` creates a Pod bound to one of them."""

    def __init__(self, **spec: Any) -> None:
        statuswriter.MOMENT_SECONDS = 0
        self.api, self.clock = MemoryApi(), TurnedClock()
        nodes = parse_nodes(spec.pop("nodes", {"windows": 2, "linux": 1}))
        self.world = World(self.api, self.clock, nodes, seed=1)  # type: ignore[arg-type]
        self.api.world = self.world
        self.world.network = Network(self.world)
        for node in self.world.nodes.values():
            registration = Registration(self.api, self.clock, node, 3600.0)  # type: ignore[arg-type]
            self.world.kubelets[node.name] = Kubelet(self.world, node, registration, run)
        watch_sources(self.world)
        for informer in self.world._informers.values():
            informer.synced.set()
        self.world.pods.handlers.append(self._changed)
        self._uids = itertools.count(1)

    async def __aenter__(self) -> Cluster:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.world.stop()
        self.world.network.close()

    def _changed(self, old: Object | None, new: Object | None) -> None:
        self.world.kubelets[(new or old or {})["spec"]["nodeName"]].pod_changed(old, new)

    def put(self, path: str, namespace: str, obj: Object) -> None:
        """Make a ConfigMap, Secret or Service known, or change it."""
        obj["metadata"] = {"namespace": namespace, "resourceVersion": "1", **obj["metadata"]}
        self.world.informer(path)._apply(obj, (namespace, obj["metadata"]["name"]))

    def pod(self, name: str, node: str = "win-1", *, container: Object | None = None, **spec: Any) -> Object:
        """Create a bound Pod of agnhost (netexec unless told otherwise)."""
        one = {"name": "c", "image": AGNHOST, "args": ["netexec"], **(container or {})}
        uid = f"uid-{next(self._uids)}"
        meta = {"name": name, "namespace": "t", "uid": uid, "resourceVersion": "1", "generation": 1}
        spec = {"nodeName": node, "containers": [one], "terminationGracePeriodSeconds": 30, **spec}
        body = {"metadata": meta, "spec": spec}
        self.api.objects[f"/api/v1/namespaces/t/pods/{name}"] = body
        self.world.pods._apply(body, ("t", name))
        return body

    def ask_to_go(self, name: str, grace: int = 30) -> None:
        """What a DELETE of a bound Pod does: it gets a deletionTimestamp."""
        old = self.api.objects[f"/api/v1/namespaces/t/pods/{name}"]
        new = copy.deepcopy(old)
        new["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": grace}
        self.api.objects[f"/api/v1/namespaces/t/pods/{name}"] = new
        self.world.pods._apply(new, ("t", name))

    async def turn(self, seconds: float) -> None:
        """Let cluster time pass."""
        await self.clock.turn(seconds)
        await asyncio.sleep(0.001)
        await self.clock.turn(0)

    def worker(self, name: str) -> PodWorker:
        """The Pod's worker."""
        return next(
            worker
            for kubelet in self.world.kubelets.values()
            for worker in kubelet.workers.values()
            if worker.pod["metadata"]["name"] == name
        )

    def status(self, name: str) -> Object:
        """The status in the API."""
        return self.api.objects[f"/api/v1/namespaces/t/pods/{name}"].get("status", {})

    def state(self, name: str) -> Object:
        """The state of its first container."""
        return dict(self.status(name)["containerStatuses"][0]["state"])

    def ready(self, name: str) -> bool:
        """Its Ready condition."""
        conditions = self.status(name).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def reasons(self, name: str) -> list[str]:
        """Reasons of its Events, in order."""
        return [event["reason"] for event in self.api.events if event["involvedObject"]["name"] == name]

    def log(self, name: str) -> str:
        """What its first container has written."""
        log = self.worker(name).containers[0].log
        return "" if log is None else b"".join(line.data for line in log.lines).decode()
