"""What is known of a cluster before anything is tested: gathered once by the runner, handed to the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.findings import Place, Record

RESERVED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
"""Taints with which installers keep Nodes for the control plane; other taints are tolerated by test Pods."""
KEEPS_AWAY = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class NodeFact(Record):
    """One Node as the API shows it. `build` is `10.0.20348` and the like on Windows, the kernel version on Linux."""

    name: str
    os: str
    build: str
    os_image: str = ""
    kubelet: str = ""
    runtime: str = ""
    ready: bool = True
    schedulable: bool = True
    internal_ips: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    taints: tuple[dict[str, str], ...] = ()
    pods_allocatable: int = 110
    pods_running: int = 0
    boot_id: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether a test Pod can and may run here: what is kept for the control plane is left to it."""
        return self.ready and self.schedulable and not self.reserved

    @property
    def reserved(self) -> bool:
        """Whether a taint keeps Pods that are not the control plane's away."""
        return any(taint["key"] in RESERVED and taint.get("effect") in KEEPS_AWAY for taint in self.taints)

    @property
    def unusable(self) -> str:
        """Why no test Pod runs here, in a few words; empty where one does."""
        if not self.ready:
            return "is not ready"
        return "is cordoned" if not self.schedulable else "is kept for the control plane" if self.reserved else ""

    @property
    def place(self) -> Place:
        """The Node as one end of a path."""
        return Place(node=self.name, os=self.os, build=self.build)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NodeFact:
        """The fact that `to_dict` gave."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        for name in ("internal_ips", "pod_cidrs", "taints"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)


@dataclass(frozen=True)
class Facts(Record):
    """One cluster. `dns_ip` is the ClusterIP of the cluster's DNS Service, empty when there is none.

    `rights` maps "create pods" and the like to what SelfSubjectAccessReview answered. `gmsa_versions` are the served
    versions of GMSACredentialSpec (none: not installed), `gmsa_webhook` the MutatingWebhookConfiguration that fills
    such specs in; empty where there is none, `unknown` where we may not look.
    """

    server: str
    version: str
    nodes: tuple[NodeFact, ...]
    context: str = ""
    user: str = ""
    dns_ip: str = ""
    dns_domain: str = "cluster.local"
    ip_families: tuple[str, ...] = ("IPv4",)
    simulated: bool = False
    rights: dict[str, bool] = field(default_factory=dict)
    gmsa_versions: tuple[str, ...] = ()
    gmsa_webhook: str = ""

    def node(self, name: str) -> NodeFact:
        """The Node of that name; raises KeyError."""
        return next(node for node in self.nodes if node.name == name)

    def usable_nodes(self, os: str) -> list[NodeFact]:
        """Nodes of an operating system on which test Pods can and may run, by name."""
        return sorted((n for n in self.nodes if n.os == os and n.usable), key=lambda n: n.name)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        """The facts that `to_dict` gave."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        known["nodes"] = tuple(NodeFact.from_dict(node) for node in data["nodes"])
        known["gmsa_versions"] = tuple(data.get("gmsa_versions", ()))
        known["ip_families"] = tuple(data.get("ip_families", ("IPv4",)))
        return cls(**known)
