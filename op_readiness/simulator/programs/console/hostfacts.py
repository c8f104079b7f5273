"""What programs of a Node find in its NODE table, and what a write to it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from op_readiness.simulator.nodes.host import FactKey, HostFact
from op_readiness.simulator.programs.process import Process

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node


def node_of(process: Process) -> Node:
    """The Node on which a process runs."""
    found: Node = process.world.nodes[process.network.node]
    return found


def find(node: Node, subject: str, name: str) -> HostFact | None:
    """A fact by its name in any case; faults of the look-up count."""
    return node.host.table.lookup(known_name(node, subject, name))


def known_name(node: Node, subject: str, name: str) -> FactKey:
    """The key of a fact as it was first written."""
    for key in node.host.table:
        if key.subject == subject and key.name.lower() == name.lower():
            return key
    return FactKey(subject, name)


def put(node: Node, subject: str, name: str, fact: HostFact) -> None:
    """Write a fact; raises WriteFailed."""
    key = known_name(node, subject, name)
    if node.host.table.programmed.get(key) is None:
        node.host.table.create(key, fact)
    else:
        node.host.table.update(key, fact)


def remove(node: Node, subject: str, name: str) -> None:
    """Remove a fact that is there; raises WriteFailed."""
    node.host.table.delete(known_name(node, subject, name))
