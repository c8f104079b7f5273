"""A bench for controllers: a real etcd and kube-apiserver, our controllers (or the real ones), and bare-bones kubelets.

The kubelets are a few lines: a Pod that is bound runs and is ready at once, a Pod whose annotation `ends` is there ends
with that exit code, a deleted Pod is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from op_readiness.simulator.api import Api, ApiError, Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.controlplane.controllers import run_controllers
from op_readiness.simulator.controlplane.serving.server import ControlPlane
from op_readiness.simulator.kubeconfig import Access
from op_readiness.simulator.realcontrolplane import RealControlPlane

ROOT_CA = "-----BEGIN CERTIFICATE-----\nof the bench\n-----END CERTIFICATE-----\n"
PODS = "/api/v1/namespaces/{}/pods"


class ApiServerOnly(RealControlPlane):
    """etcd and kube-apiserver, without scheduler and controller manager."""

    def _controller_manager(self, access: Access, port: int) -> list[str]:
        return ["sleep", "1000"]

    def _scheduler(self, access: Access, port: int) -> list[str]:
        return ["sleep", "1000"]


class Kubelets:
    """All Nodes of the bench."""

    def __init__(self, api: Api) -> None:
        self.api, self.silent, self.ips = api, set[str](), iter(range(1, 60000))
        self.unready: set[str] = set()
        self.names: list[str] = []

    async def register(self, name: str, **labels: str) -> None:
        """Make a Node that is Ready."""
        node = {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}}}
        await self.api.create("/api/v1/nodes", node)
        await self.report(name)
        await self.lease(name)
        self.names.append(name)

    async def report(self, name: str, ready: str = "True", **amounts: str) -> None:
        """Post a status."""
        allocatable = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "20Gi", **amounts}
        ready_condition = {"type": "Ready", "status": ready, "reason": "KubeletReady", "lastHeartbeatTime": now()}
        status = {"allocatable": allocatable, "capacity": allocatable, "conditions": [ready_condition]}
        await self.api.patch(f"/api/v1/nodes/{name}/status", {"status": status}, "strategic")

    async def lease(self, name: str) -> None:
        """Renew the Lease."""
        path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now(micro=True)}
        try:
            await self.api.patch(f"{path}/{name}", {"spec": spec})
        except ApiError:
            await self.api.create(path, {"metadata": {"name": name}, "spec": spec})

    async def renew(self) -> None:
        """Keep all Leases fresh until cancelled."""
        while True:
            for name in [name for name in self.names if name not in self.silent]:
                await self.lease(name)
            await asyncio.sleep(0.5)

    async def run(self) -> None:
        """Serve all Pods until cancelled."""
        async for kind, obj in self.api.watch("/api/v1/pods"):
            for pod in obj.get("items") or [] if kind == "LISTED" else [obj] if kind != "DELETED" else []:
                with contextlib.suppress(ApiError):
                    await self._serve(pod)

    async def _serve(self, pod: Object) -> None:
        meta, node = pod["metadata"], pod["spec"].get("nodeName")
        if not node or node in self.silent:
            return
        path = f"{PODS.format(meta['namespace'])}/{meta['name']}"
        phase, ends = pod["status"].get("phase"), (meta.get("annotations") or {}).get("ends")
        if "deletionTimestamp" in meta:
            await self.api.delete(path, {"gracePeriodSeconds": 0})
        elif phase == "Pending":
            ready = "False" if meta.get("labels", {}).get("app") in self.unready else "True"
            number = next(self.ips)
            ip = f"10.244.{number // 200}.{number % 200 + 1}"
            condition = {"type": "Ready", "status": ready, "lastTransitionTime": now()}
            status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
            await self.api.patch(f"{path}/status", {"status": status}, "strategic")
        elif phase == "Running" and ends is not None:
            status = {"phase": "Succeeded" if ends == "0" else "Failed"}
            await self.api.patch(f"{path}/status", {"status": status}, "strategic")


class Bench:
    """The API, the kubelets, and waiting."""

    def __init__(self, api: Api) -> None:
        self.api, self.kubelets = api, Kubelets(api)

    async def until(self, met: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> Any:
        """What `met` gives as soon as it is true."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(ApiError, KeyError, IndexError):
                seen = await met()
                if seen:
                    return seen
            if time.monotonic() > deadline:
                raise AssertionError(f"not met within {seconds:g} s")
            await asyncio.sleep(0.02)

    async def namespace(self, name: str) -> str:
        """A Namespace in which Pods can be made."""
        await self.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
        await self.until(lambda: self.api.get(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        return name

    async def names(self, path: str) -> list[str]:
        """Names of a collection, sorted."""
        return sorted(item["metadata"]["name"] for item in (await self.api.get(path)).get("items") or [])

    async def events(self, namespace: str, reason: str) -> list[str]:
        """Messages of Events."""
        items = (await self.api.get(f"/api/v1/namespaces/{namespace}/events")).get("items") or []
        return [item["message"] for item in items if item["reason"] == reason]


async def _no_dial(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    raise OSError(f"nobody listens on {host}:{port}")


@contextlib.asynccontextmanager
async def bench(folder: Path, assets: str | None, *, rate: float = 20.0, real: bool = False) -> AsyncIterator[Bench]:
    """A control plane whose controllers are ours, or with `real` Kubernetes' own; the embedded one without `assets`."""
    clock = Clock(rate)
    plane: RealControlPlane | ControlPlane = ControlPlane()
    if assets is not None:
        plane = (RealControlPlane if real else ApiServerOnly)(folder, Path(assets), folder / "egress.sock")
    try:
        if isinstance(plane, ControlPlane):
            access: Any = await plane.start(folder, clock, 0, _no_dial)
        else:
            access = await plane.start()
        async with Api(access.server, access.admin_token) as api:
            work = [Bench(api)]
            tasks = [asyncio.create_task(work[0].kubelets.run()), asyncio.create_task(work[0].kubelets.renew())]
            if not real:
                tasks.append(asyncio.create_task(run_controllers(api, clock, root_ca=ROOT_CA)))
            try:
                yield work[0]
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await plane.stop()


def now(*, micro: bool = False) -> str:
    """The time as the API spells it."""
    seconds = time.time()
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{text}.{int(seconds % 1 * 1e6):06d}Z" if micro else f"{text}Z"
