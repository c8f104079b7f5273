"""Facts and abilities for self-tests of the runner."""

from __future__ import annotations

from op_readiness.model.abilities import Ability, Category
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.runner.nodes import ChosenNodes
from op_readiness.runner.selection import Selection, select


def node(name: str, os: str = "windows", build: str = "10.0.20348", **more) -> NodeFact:
    return NodeFact(name=name, os=os, build=build, **more)


def facts(*nodes: NodeFact, version: str = "v1.37.2", **more) -> Facts:
    there = nodes or (node("win-1"), node("win-2"), node("linux-1", "linux", "6.8"))
    more = {"dns_ip": "10.96.0.10", **more}
    return Facts(server="https://api.example:6443", version=version, nodes=there, **more)


def ability(id: str, seconds: float = 30.0, category: str = "Core.Network", **more) -> Ability:
    return Ability(id, category, f"Ability to {id}", seconds=seconds, **more)


def selection(*abilities: Ability) -> Selection:
    return select([Category("Core.Network", "", abilities)])


def chosen(known: Facts) -> ChosenNodes:
    windows = tuple(known.usable_nodes("windows"))
    return ChosenNodes(windows, len(windows))
