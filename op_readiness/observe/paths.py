"""Which legs an ability walks: targets made of Pods, and pairs of clients and targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from op_readiness.model.facts import NodeFact
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed, pod_target
from op_readiness.observe.traffic import Target

FULL_MESH = 4
"""Nodes up to which every client walks to every target; beyond, each walks to its own Node and the next two."""


def pods(found: Iterable[dict[str, Any]]) -> list[Target]:
    """Each Pod by its IP, over TCP."""
    return [pod_target(pod) for pod in found]


def pods_every_way(found: Iterable[dict[str, Any]]) -> list[Target]:
    """Each Pod by its IP, over TCP, over UDP, and with a body that does not fit one packet."""
    return [
        target
        for pod in found
        for target in (pod_target(pod), pod_target(pod, protocol="UDP"), pod_target(pod, large=True))
    ]


def mesh(clients: Sequence[Client], targets: Sequence[Target]) -> list[tuple[Client, Target]]:
    """Every pair up to FULL_MESH targets; beyond, a ring: each Node is client and target of its neighbours."""
    if len(targets) <= FULL_MESH:
        return [(client, target) for client in clients for target in targets]
    nodes = [target.node for target in targets]
    pairs = []
    for n, client in enumerate(clients):
        start = nodes.index(client.place.node) if client.place.node in nodes else n
        pairs += [(client, targets[(start + step) % len(targets)]) for step in range(3)]
    if outside := [client for client in clients if client.place.node not in nodes]:
        pairs += [(outside[0], target) for target in targets if (outside[0], target) not in pairs]
    return pairs


def to_other_nodes(
    clients: Sequence[Client], exposed: Exposed, nodes: Sequence[NodeFact], port_name: str = "http"
) -> list[tuple[Client, Target]]:
    """Each client to the NodePort on every Node but its own, which a Windows Node cannot reach; beyond FULL_MESH Nodes
    to those of the next two.
    """
    count = len(nodes) if len(nodes) <= FULL_MESH else 2
    return [
        (client, exposed.by_node_port(node, port_name))
        for client in clients
        for node in neighbours(client, nodes, count)
    ]


def to_own_node(
    clients: Sequence[Client], exposed: Exposed, nodes: Sequence[NodeFact]
) -> list[tuple[Client, Target]]:
    """Each client to the NodePort on its own Node."""
    own = {node.name: node for node in nodes}
    return [(client, exposed.by_node_port(own[client.place.node])) for client in clients if client.place.node in own]


def neighbours(client: Client, nodes: Sequence[NodeFact], count: int = 1) -> list[NodeFact]:
    """The next `count` Nodes after the client's own in a ring of `nodes`."""
    names = [node.name for node in nodes]
    start = names.index(client.place.node) + 1 if client.place.node in names else 0
    ring = [nodes[(start + step) % len(nodes)] for step in range(len(nodes))]
    return [node for node in ring if node.name != client.place.node][:count]
