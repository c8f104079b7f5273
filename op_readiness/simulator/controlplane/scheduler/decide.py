"""The decision for one Pod: a Node, or why none, in the texts of kube-scheduler 1.37.2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.scheduler import preemption
from op_readiness.simulator.controlplane.scheduler.filters import Objection, Wish, objection
from op_readiness.simulator.controlplane.scheduler.placement import named_nodes
from op_readiness.simulator.controlplane.scheduler.quantities import pod_requests
from op_readiness.simulator.controlplane.scheduler.scores import best
from op_readiness.simulator.controlplane.scheduler.snapshot import NodeState, Snapshot, host_ports
from op_readiness.simulator.controlplane.scheduler.topology import rules_for
from op_readiness.simulator.controlplane.scheduler.volumes import Volumes

NO_NODES = "no nodes available to schedule pods"
NOT_NAMED = Objection(("node(s) didn't satisfy plugin(s) [NodeAffinity]",))


@dataclass(frozen=True)
class Decision:
    """A Node's name, or a message why there is none; and the Pods that have to make room first."""

    node: str | None = None
    message: str = ""
    nominated: str = ""
    victims: list[Object] = field(default_factory=list)


def schedule(pod: Object, nodes: Iterable[Object], pods: Iterable[Object]) -> Decision:
    """Decide over plain objects: all Nodes, and the Pods that have a Node."""
    return decide(pod, Snapshot(nodes, pods))


def decide(pod: Object, snapshot: Snapshot, volumes: Volumes | None = None) -> Decision:
    """Decide for that Pod now."""
    if not snapshot.nodes:
        return Decision(message=NO_NODES)
    total = len(snapshot.nodes)
    found = (volumes or Volumes()).look(pod)
    if found.problem:
        return Decision(message=f"0/{total} nodes are available: {found.problem}. not found")
    wish = Wish(pod, pod_requests(pod), host_ports(pod), rules_for(pod, snapshot), tuple(found.terms))
    names = named_nodes(pod)
    fitting: list[NodeState] = []
    objections: dict[str, Objection] = {}
    for name, state in snapshot.nodes.items():
        against = NOT_NAMED if names is not None and name not in names else objection(wish, state)
        if against is None:
            fitting.append(state)
        else:
            objections[name] = against
    if fitting:
        return Decision(node=best(wish, fitting, snapshot).name)
    return _refusal(wish, snapshot, objections)


def _refusal(wish: Wish, snapshot: Snapshot, objections: dict[str, Objection]) -> Decision:
    counts = Counter(reason for each in objections.values() for reason in each.reasons)
    text = f"0/{len(objections)} nodes are available: {listed(counts)}. preemption: "
    outcome = preemption.look(wish, snapshot, objections)
    return Decision(message=text + outcome.text, nominated=outcome.node, victims=outcome.victims)


def listed(counts: Counter[str]) -> str:
    """Reasons with their counts, in text order."""
    return ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
