"""Which Nodes a simulated cluster has: counts or full descriptions in, one NodeSpec for each out.

Builds, names and sizes are those of real machines: Windows Server 2022 and 2025 by turns, 4 CPUs and 16 GiB.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

from op_readiness.simulator.processes import StartFailed

WINDOWS_BUILDS = {
    "10.0.17763": ("10.0.17763.7009", "Windows Server 2019 Datacenter"),
    "10.0.20348": ("10.0.20348.3807", "Windows Server 2022 Datacenter"),
    "10.0.26100": ("10.0.26100.4349", "Windows Server 2025 Datacenter"),
}
DEFAULT_BUILDS = ("10.0.20348", "10.0.26100")
LINUX_KERNEL, LINUX_IMAGE = "6.8.0-60-generic", "Ubuntu 24.04.2 LTS"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "windows": ("win", {"os": "windows"}),
    "linux": ("linux", {"os": "linux"}),
    "control-plane": (
        "control-plane",
        {"os": "linux", "labels": {CONTROL_PLANE: ""}, "taints": [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]},
    ),
}
"""Kinds of Nodes that are given by number: the prefix of their names, and their fields; kubeadm taints the last."""
FIRST_NODE_IP, FIRST_NODE_IP6 = ipaddress.IPv4Address("10.240.0.11"), ipaddress.IPv6Address("fd00:10:240::b")


@dataclass(frozen=True)
class NodeSpec:
    """One Node as asked for. `build` is empty on Linux; quantities are Kubernetes' words."""

    name: str
    os: str
    build: str = ""
    taints: tuple[dict[str, str], ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    cpu: str = "4"
    memory: str = "16Gi"
    pods: str = "110"
    runtime: str = "containerd://1.7.27"
    ip: str = ""
    pod_cidr: str = ""
    ip6: str = ""
    pod_cidr6: str = ""
    """IPv6 address and Pod range, empty on a cluster of one family."""
    index: int = 0
    shutdown_grace: float = 0.0
    shutdown_grace_critical: float = 0.0
    """The kubelet's shutdownGracePeriod and shutdownGracePeriodCriticalPods, in seconds."""

    @property
    def kernel(self) -> str:
        """The kernel version that the kubelet reports."""
        return WINDOWS_BUILDS[self.build][0] if self.os == "windows" else LINUX_KERNEL

    @property
    def os_image(self) -> str:
        """The operating system's name."""
        return WINDOWS_BUILDS[self.build][1] if self.os == "windows" else LINUX_IMAGE


def dual_stack(spec: NodeSpec) -> NodeSpec:
    """The same Node with an IPv6 address and Pod range beside those of IPv4."""
    return replace(spec, ip6=str(FIRST_NODE_IP6 + spec.index), pod_cidr6=f"fd00:10:244:{spec.index + 1:x}::/64")


def parse_nodes(asked: Any) -> list[NodeSpec]:
    """The Nodes of {"windows": n, "linux": m, "control-plane": k} or of a list of descriptions; else StartFailed."""
    described = _counted(asked) if isinstance(asked, dict) else asked
    if not isinstance(described, list):
        raise StartFailed("nodes: a count for each OS, or a list of Nodes, is needed")
    builds = cycle(DEFAULT_BUILDS)
    specs = [_spec(one, index, builds) for index, one in enumerate(described)]
    names = [spec.name for spec in specs]
    if len(set(names)) != len(names):
        raise StartFailed("nodes: two Nodes have the same name")
    return specs


def _counted(counts: dict[str, Any]) -> list[dict[str, Any]]:
    unknown = set(counts) - set(KINDS)
    if unknown:
        raise StartFailed(f"nodes: unknown OS {', '.join(sorted(unknown))}; {', '.join(KINDS)} are known")
    return [
        {"name": f"{prefix}-{number}", **fields}
        for kind, (prefix, fields) in KINDS.items()
        for number in range(1, int(counts.get(kind, 0)) + 1)
    ]


def _spec(one: dict[str, Any], index: int, builds: Any) -> NodeSpec:
    known = {"name", "os", "build", "taints", "labels", "cpu", "memory", "pods", "runtime",
             "shutdown_grace", "shutdown_grace_critical"}  # fmt: skip
    if not isinstance(one, dict) or set(one) - known or not {"name", "os"} <= set(one):
        raise StartFailed(f"nodes: a Node has name, os and of the others {', '.join(sorted(known))}: {one}")
    if one["os"] not in ("windows", "linux"):
        raise StartFailed(f"nodes: {one['name']}: os is windows or linux, not {one['os']}")
    build = _build(one, builds) if one["os"] == "windows" else ""
    fields = {key: str(one[key]) for key in ("cpu", "memory", "pods", "runtime") if key in one}
    return NodeSpec(
        name=one["name"], os=one["os"], build=build, taints=tuple(one.get("taints") or ()),
        labels=dict(one.get("labels") or {}), ip=str(FIRST_NODE_IP + index), pod_cidr=_pod_cidr(index), index=index,
        shutdown_grace=float(one.get("shutdown_grace") or 0),
        shutdown_grace_critical=float(one.get("shutdown_grace_critical") or 0), **fields,
    )  # fmt: skip


def _build(one: dict[str, Any], builds: Any) -> str:
    build = str(one.get("build") or next(builds))
    if build not in WINDOWS_BUILDS:
        raise StartFailed(f"nodes: {one['name']}: build {build} is none of {', '.join(WINDOWS_BUILDS)}")
    return build


def _pod_cidr(index: int) -> str:
    """A /24 of 10.244.0.0/16, and beyond 254 Nodes of the ranges that follow."""
    return f"10.{244 + (index + 1) // 256}.{(index + 1) % 256}.0/24"
