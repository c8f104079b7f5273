"""What a Node offers the scheduler, against its capacity and what its kubelet is configured to keep back.

A kubelet's own sum: allocatable is capacity less systemReserved, kubeReserved and the hard eviction threshold; soft
thresholds are not taken off (pkg/kubelet/cm, node allocatable).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.kubelet import Kubelets
from op_readiness.observe.quantities import GIB, MIB, in_bytes, in_millicores, number, shown
from op_readiness.observe.recorder import Recorder

Object = dict[str, Any]
ADVISED = 2 * GIB
"""Memory that the documentation advises to reserve on a Windows Node."""
ROUNDING = 1024
"""Bytes by which a quantity in Ki may differ from the sum."""


@dataclass(frozen=True)
class Share:
    """One resource of one Node: bytes, or thousandths of a CPU."""

    resource: str
    capacity: int
    reserved: int
    eviction: int
    allocatable: int

    @property
    def expected(self) -> int:
        """What a kubelet offers with this configuration."""
        return self.capacity - self.reserved - self.eviction

    @property
    def right(self) -> bool:
        """Whether the Node offers that."""
        return abs(self.allocatable - self.expected) <= (ROUNDING if self.resource == "memory" else 0)

    def words(self, amount: int) -> str:
        """An amount with its unit."""
        return f"{shown(amount)} ({amount} bytes)" if self.resource == "memory" else f"{amount}m"


def memory_share(status: Object, configuration: Object) -> Share:
    """Memory of a Node, from its status and its kubelet's configuration."""
    capacity = in_bytes(status["capacity"]["memory"])
    reserved = sum(in_bytes(kept.get("memory", 0)) for kept in _reservations(configuration))
    return Share("memory", capacity, reserved, _eviction(configuration, capacity), in_bytes(_allocatable(status)))


def cpu_share(status: Object, configuration: Object) -> Share:
    """CPU of a Node; nothing is evicted for it."""
    capacity = in_millicores(status["capacity"]["cpu"])
    reserved = sum(in_millicores(kept.get("cpu", 0)) for kept in _reservations(configuration))
    return Share("cpu", capacity, reserved, 0, in_millicores((status.get("allocatable") or {}).get("cpu", 0)))


def _allocatable(status: Object) -> str:
    return str((status.get("allocatable") or {}).get("memory", 0))


def _reservations(configuration: Object) -> list[Object]:
    return [configuration.get("systemReserved") or {}, configuration.get("kubeReserved") or {}]


def _eviction(configuration: Object, capacity: int) -> int:
    """The hard threshold of memory in bytes; one in percent is of the capacity."""
    threshold = str((configuration.get("evictionHard") or {}).get("memory.available", "0"))
    if threshold.endswith("%"):
        return int(number(threshold[:-1]) / 100 * capacity)
    return in_bytes(threshold)


@dataclass
class Allocatable:
    """Every selected Windows Node, one question to each."""

    cluster: Cluster
    kubelets: Kubelets
    recorder: Recorder
    nodes: Sequence[NodeFact]

    def must_be_capacity_less_reservations(self) -> None:
        """Memory and CPU of each Node, to the byte and the millicore; all Nodes that differ are named."""
        wrong = [(node, share) for node in self.nodes for share in self._shares(node) if not share.right]
        if wrong:
            raise AbilityNotMet(*[_finding(node, share) for node, share in wrong])

    def _shares(self, node: NodeFact) -> list[Share]:
        configuration = self.kubelets.configuration(node)
        status = self.cluster.get("Node", node.name)["status"]
        shares = [memory_share(status, configuration), cpu_share(status, configuration)]
        for share in shares:
            outcome = Outcome.PASSED if share.right else Outcome.FAILED
            target = f"{share.resource} {share.words(share.allocatable)}"
            self.recorder.part(Part("allocatable", node.place, target, outcome, target_node=node.name))
        self._remember(node, shares[0])
        return shares

    def _remember(self, node: NodeFact, memory: Share) -> None:
        for name, amount in (
            ("capacity", memory.capacity), ("reserved", memory.reserved), ("allocatable", memory.allocatable)
        ):  # fmt: skip
            self.recorder.figure(f"{node.name} memory {name} MiB", amount / MIB)
        if memory.reserved == 0:
            self.recorder.note(f"Node {node.name} reserves no memory for system and kubelet; 2 GiB or more are advised")
        elif memory.reserved < ADVISED:
            self.recorder.note(f"Node {node.name} reserves {shown(memory.reserved)}; 2 GiB or more are advised")


def _finding(node: NodeFact, share: Share) -> Finding:
    less = f"capacity {share.words(share.capacity)} less {share.words(share.reserved)} reserved"
    if share.eviction:
        less += f" and {share.words(share.eviction)} of evictionHard"
    return Finding(
        f"Allocatable {share.resource} is not capacity less what is reserved",
        f"Node {node.name}",
        f"{share.words(share.expected)}: {less}",
        f"{share.words(share.allocatable)}, {share.words(abs(share.allocatable - share.expected))} too "
        + ("much" if share.allocatable > share.expected else "little"),
        f"compare kubectl get node {node.name} -o jsonpath='{{.status}}' with "
        f"kubectl get --raw /api/v1/nodes/{node.name}/proxy/configz",
        (node.name,),
        code="allocatable",
    )
