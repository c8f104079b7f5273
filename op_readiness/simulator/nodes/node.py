"""A simulated Node: what it is, the tables that its components write, and what survives a reboot."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.domain.identity import IdTable, id_table
from op_readiness.simulator.network.table import Table
from op_readiness.simulator.nodes.channels import Channels, channel_table
from op_readiness.simulator.nodes.host import HostFacts
from op_readiness.simulator.nodes.images import ImageTable, Pull, image_table
from op_readiness.simulator.nodes.latency import PROFILES, Latency
from op_readiness.simulator.nodes.limits import Limits
from op_readiness.simulator.nodes.mounted import VolumeTable, volume_table
from op_readiness.simulator.nodes.quantities import bytes_of, value_of
from op_readiness.simulator.nodes.specs import NodeSpec
from op_readiness.simulator.programs.files import FileSystem
from op_readiness.simulator.programs.images import host_tree

FEW_DAYS = 345_600.0
RESERVED_BYTES = 2 * 1024**3
EVICTION_HARD = {"windows": "500Mi", "linux": "100Mi"}
"""evictionHard, memory.available: the kubelet's defaults."""


@dataclass
class Node:
    """One Node. `tables` holds all of its tables by state; the network adds its own."""

    spec: NodeSpec
    latency: Latency
    boots: int = 1
    tables: dict[str, Table[Any, Any]] = field(default_factory=dict)
    memory_pressure: bool = False
    shutting_down: bool = False
    booted: float = -FEW_DAYS
    """When it came up, in cluster seconds."""

    def __post_init__(self) -> None:
        self.channels: Channels = channel_table(self.name)
        self.images: ImageTable = image_table(self.name)
        self.host_files = FileSystem(self.os, host_tree(self.os))
        self.volumes: VolumeTable = volume_table(self.name)
        self.identities: IdTable = id_table(self.name)
        self.limits = Limits(self.name, float(value_of(self.spec.cpu)))
        self.limits.set_node("reserved", RESERVED_BYTES)
        self.limits.set_node("eviction", bytes_of(EVICTION_HARD[self.os]))
        self.host = HostFacts(self.spec)
        self.boot_id = self._drawn_boot_id()
        self.tables |= {"CHAN": self.channels, "IMG": self.images, "VOL": self.volumes, "ID": self.identities}
        self.tables |= {"LIMIT": self.limits.table, "NODE": self.host.table}

    @classmethod
    def of(cls, spec: NodeSpec, profile: str) -> Node:
        """A Node by its description; `profile` is quick or realistic."""
        return cls(spec, PROFILES[profile, spec.os])

    def boot(self, now: float) -> None:
        """It has come up once more."""
        self.boots, self.booted = self.boots + 1, now
        self.boot_id = self._drawn_boot_id()
        self.shutting_down = self.memory_pressure = False

    def heal(self) -> None:
        """Forget what faults have written into its tables: channels and volumes are well, pulled images are there."""
        self.channels.programmed.clear()
        self.volumes.programmed.clear()
        self.limits.heal()
        self.host.heal()
        for reference, pull in list(self.images.programmed.items()):
            self.images.set(reference, Pull(present=True) if pull.present else None)

    @property
    def name(self) -> str:
        """The Node's name."""
        return self.spec.name

    @property
    def os(self) -> str:
        """`windows` or `linux`."""
        return self.spec.os

    @property
    def build(self) -> str:
        """The Windows build, as 10.0.20348; empty on Linux."""
        return self.spec.build

    @property
    def ip(self) -> str:
        """InternalIP."""
        return self.spec.ip

    @property
    def pod_cidr(self) -> str:
        """Where its Pods' addresses come from."""
        return self.spec.pod_cidr

    @property
    def ip6(self) -> str:
        """InternalIP of IPv6, empty without dual stack."""
        return self.spec.ip6

    @property
    def pod_cidr6(self) -> str:
        """Where its Pods' IPv6 addresses come from, empty without dual stack."""
        return self.spec.pod_cidr6

    @property
    def ips(self) -> list[str]:
        """Its InternalIPs, one a family."""
        return [ip for ip in (self.ip, self.ip6) if ip]

    @property
    def reported_ips(self) -> list[str]:
        """The InternalIPs that its kubelet reports, and gives to Pods as those of their host."""
        return list(self.host.fact("address", "InternalIP").items) or [self.ip]

    @property
    def pod_cidrs(self) -> list[str]:
        """The ranges of its Pods' addresses, one a family."""
        return [cidr for cidr in (self.pod_cidr, self.pod_cidr6) if cidr]

    @property
    def allocatable_memory(self) -> str:
        """What Pods may have of its memory: all but what a kubelet keeps for the system, and its eviction threshold."""
        kept = self.limits.of_node("reserved") + self.limits.of_node("eviction")
        return f"{(bytes_of(self.spec.memory) - int(kept)) // 1024}Ki"

    def _drawn_boot_id(self) -> str:
        """Windows counts its boots, Linux draws a UUID each time; it is the same until the next boot."""
        if self.host.fact("boot", "id").value == "count":
            return str(20 + self.spec.index + self.boots)
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}/boot/{self.boots}"))
