"""How a Node gets into the cluster and stays there: the Node object, its status, its Lease."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from op_readiness.simulator.api import Api, ApiError, Object
from op_readiness.simulator.clock import Clock
from op_readiness.simulator.nodes.failures import UNREACHABLE
from op_readiness.simulator.nodes.images import full, resolve
from op_readiness.simulator.nodes.node import Node
from op_readiness.simulator.nodes.stamps import now, now_micro

KUBELET_VERSION = "v1.37.2"
SIMULATED_LABEL = "op-readiness.dev/simulated"
LEASE_SECONDS = 10.0
STATUS_SECONDS, UPDATE_SECONDS = 300.0, 10.0
"""nodeStatusReportFrequency and nodeStatusUpdateFrequency."""
LEAST_PAUSE = 0.5
"""Real seconds between two looks for news, however fast the cluster runs: there may be a thousand Nodes."""


def node_object(node: Node) -> Object:
    """The Node as its kubelet creates it."""
    labels = {
        "kubernetes.io/os": node.os, "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node.name,
        "beta.kubernetes.io/os": node.os, "beta.kubernetes.io/arch": "amd64", SIMULATED_LABEL: "true",
    }  # fmt: skip
    if node.build:
        labels["node.kubernetes.io/windows-build"] = node.build
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels | node.spec.labels},
        "spec": {
            "podCIDR": node.pod_cidr, "podCIDRs": node.pod_cidrs, "taints": [dict(taint) for taint in node.spec.taints]
        },
    }  # fmt: skip


def node_status(node: Node, at: str, since: str) -> Object:
    """The status as its kubelet reports it; `at` and `since` are time stamps of heartbeat and last change."""
    capacity = {
        "cpu": node.spec.cpu, "memory": node.spec.memory, "pods": node.spec.pods, "ephemeral-storage": "125275116Ki"
    }  # fmt: skip
    allocatable = capacity | {"memory": node.allocatable_memory}
    return {
        "addresses": [
            {"$patch": "replace"},
            *({"type": "InternalIP", "address": ip} for ip in node.host.fact("address", "InternalIP").items),
            {"type": "Hostname", "address": node.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "capacity": capacity,
        "allocatable": allocatable | {"ephemeral-storage": "115453546662"},
        "conditions": _conditions(node, at, since),
        "nodeInfo": _node_info(node),
        "images": _images(node),
        "declaredFeatures": ["ExtendWebSocketsToKubelet"],
    }


def _conditions(node: Node, at: str, since: str) -> list[Object]:
    pressure = ("True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
    enough = ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")
    down = ("False", "KubeletNotReady", "node is shutting down")
    ready = ("True", "KubeletReady", "kubelet is posting ready status")
    shown = (
        ("MemoryPressure", *(pressure if node.memory_pressure else enough)),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", *(down if node.shutting_down else ready)),
    )
    return [
        {"type": kind, "status": status, "reason": reason, "message": message,
         "lastHeartbeatTime": at, "lastTransitionTime": since}
        for kind, status, reason, message in shown
    ]  # fmt: skip


def _node_info(node: Node) -> Object:
    machine = uuid.uuid5(uuid.NAMESPACE_DNS, node.name)
    return {
        "machineID": node.name if node.os == "windows" else machine.hex,
        "systemUUID": str(machine).upper(),
        "bootID": node.boot_id,
        "kernelVersion": node.spec.kernel,
        "osImage": node.spec.os_image,
        "containerRuntimeVersion": node.spec.runtime,
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": node.os,
        "architecture": "amd64",
    }


def _images(node: Node) -> list[Object]:
    known = node.images.programmed.items()
    images = [resolve(reference, node.os, node.build) for reference, pull in known if pull.present and not pull.error]
    return [
        {"names": [image.image_id, full(image.reference)], "sizeBytes": image.variant.size} for image in images[:50]
    ]


def _news(node: Node) -> Object:
    """What a kubelet reports at once when it changes."""
    status = node_status(node, "", "")
    return {name: status[name] for name in ("addresses", "capacity", "allocatable", "images")}


class Registration:
    """Registers one Node and keeps it alive while `run` runs; `lease_seconds` is real time."""

    def __init__(self, api: Api, clock: Clock, node: Node, lease_seconds: float) -> None:
        self._api, self._clock, self._node, self._lease_seconds = api, clock, node, lease_seconds
        self._since = now()
        self._told: Object = {}

    async def register(self) -> None:
        """Create Node and Lease and report the first status; a Node that is already there is taken over."""
        await self._create("/api/v1/nodes", node_object(self._node))
        await self.report()
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._node.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": self._node.name, "leaseDurationSeconds": 40, "renewTime": now_micro()},
        }
        await self._create("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", lease)

    async def report(self) -> None:
        """Send the status."""
        status = node_status(self._node, now(), self._since)
        self._told = _news(self._node)
        await self._api.patch(f"/api/v1/nodes/{self._node.name}/status", {"status": status}, "strategic")

    async def heal(self) -> None:
        """Put back what somebody changed of the Node's object: its taints, and a status that is no longer true."""
        known = await self._api.get(f"/api/v1/nodes/{self._node.name}")
        taints = known.get("spec", {}).get("taints") or []
        kept = [taint for taint in taints if taint["key"].startswith("node.kubernetes.io/")]
        wanted = [*(dict(taint) for taint in self._node.spec.taints), *kept]
        if taints != wanted:
            await self._api.patch(f"/api/v1/nodes/{self._node.name}", {"spec": {"taints": wanted or None}})
        await self.tell()

    async def tell(self) -> None:
        """Report what is new, if anything is; a report that fails follows with a later look."""
        if self._told != _news(self._node):
            await _kept(self.report())

    async def follow(self) -> None:
        """Report the status at once if what a kubelet reports of its Node is no longer what it has reported."""
        if self._told != _news(self._node):
            await _kept(self.report())

    async def changed(self) -> None:
        """Report a changed condition at once; a report that fails follows with a later beat."""
        self._since = now()
        await _kept(self.report())

    async def run(self) -> None:
        """Renew the Lease until cancelled; report the status every 5 min, and when something in it is new."""
        await asyncio.gather(self._beats(), self._news())

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds)
            await _kept(self._renew())

    async def _news(self) -> None:
        reported = self._clock.now()
        while True:
            await self._clock.sleep(max(UPDATE_SECONDS, LEAST_PAUSE * self._clock.rate))
            if self._clock.now() - reported > STATUS_SECONDS:
                self._told, reported = {}, self._clock.now()
            await self.tell()

    async def _renew(self) -> None:
        path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self._node.name}"
        await self._api.patch(path, {"spec": {"renewTime": now_micro()}})

    async def _create(self, path: str, obj: Object) -> None:
        try:
            await self._api.create(path, obj)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise


async def _kept(call: Any) -> None:
    """A heartbeat that failed is tried again at the next beat, as a kubelet does."""
    try:
        await call
    except (ApiError, *UNREACHABLE):
        return
