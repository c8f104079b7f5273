"""Which Windows Nodes a run speaks of: all, a number drawn with a printed seed, or those of a selector."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.model.facts import Facts, NodeFact

DEFAULT = 10
"""How many Windows Nodes are tested unless told otherwise."""
EACH_BUILD = 2
"""How many of each OS build are drawn at least."""


@dataclass(frozen=True)
class ChosenNodes:
    """The Windows Nodes tested, of how many; `seed` is set where they were drawn."""

    nodes: tuple[NodeFact, ...]
    of: int
    seed: str = ""

    def __str__(self) -> str:
        drawn = f", drawn with seed {self.seed}" if self.seed else ""
        return f"{len(self.nodes)} of {self.of} Windows Nodes{drawn}"


def choose_windows_nodes(facts: Facts, wanted: str, seed: str) -> ChosenNodes:
    """The Nodes that `--windows-nodes` asks for. Raises UsageError for what cannot be read, or matches nothing."""
    usable = facts.usable_nodes("windows")
    total = sum(node.os == "windows" for node in facts.nodes)
    if not usable:
        raise OpReadinessError(f"{facts.server} has no Windows Node that takes Pods")
    if wanted == "all":
        return ChosenNodes(tuple(usable), total)
    if wanted == "" or wanted.isdecimal():
        count = int(wanted) if wanted else DEFAULT
        if count < 1:
            raise UsageError("--windows-nodes takes all, a number from 1 on, or a label selector, not 0")
        return _drawn(usable, count, total, seed, exactly=bool(wanted))
    found = tuple(node for node in usable if matches(wanted, node))
    if not found:
        names = ", ".join(node.name for node in usable[:10])
        why = "no Windows Node that takes Pods has this name or these labels"
        raise UsageError(f"--windows-nodes {wanted}: {why} (known: {names})")
    return ChosenNodes(found, total)


def _drawn(usable: list[NodeFact], count: int, total: int, seed: str, *, exactly: bool) -> ChosenNodes:
    if count >= len(usable):
        return ChosenNodes(tuple(usable), total)
    drawing = random.Random(seed)
    builds = {node.build: [other for other in usable if other.build == node.build] for node in usable}
    shuffled = [drawing.sample(builds[build], len(builds[build])) for build in sorted(builds)]
    first = [same[turn] for turn in range(EACH_BUILD) for same in shuffled if turn < len(same)]
    rest = [node for node in usable if node not in first]
    chosen = (first + drawing.sample(rest, len(rest)))[: count if exactly else max(count, len(first))]
    return ChosenNodes(tuple(sorted(chosen, key=lambda node: node.name)), total, seed)


def matches(selector: str, node: NodeFact) -> bool:
    """Whether a Node has the labels: `key`, `!key`, `key=value`, `key!=value`, joined by commas; or is named so."""
    return all(_matches_one(term.strip(), node) for term in _terms(selector))


def _terms(selector: str) -> Iterable[str]:
    if "(" in selector or ")" in selector:
        raise UsageError(f"--windows-nodes {selector}: no sets here; write key=value, key!=value, key or !key")
    return [term for term in selector.split(",") if term.strip()]


def _matches_one(term: str, node: NodeFact) -> bool:
    if "!=" in term:
        key, _, value = term.partition("!=")
        return node.labels.get(key.strip()) != value.strip()
    if "=" in term:
        key, _, value = term.replace("==", "=").partition("=")
        return node.labels.get(key.strip()) == value.strip()
    if term.startswith("!"):
        return term[1:] not in node.labels
    return term in node.labels or term == node.name
