"""Would it help to delete Pods of lower priority? Which ones, on which Node, and what to say if not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from op_readiness.simulator.api import Object, key_of
from op_readiness.simulator.controlplane.scheduler.filters import Objection, Wish, objection
from op_readiness.simulator.controlplane.scheduler.snapshot import NodeState, Snapshot
from op_readiness.simulator.controlplane.scheduler.topology import rules_for

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
NEVER = "not eligible due to preemptionPolicy=Never."


@dataclass(frozen=True)
class Outcome:
    """What to say after `preemption: `, and if it helps, the Node and its victims."""

    text: str
    node: str = ""
    victims: list[Object] = field(default_factory=list)


def look(wish: Wish, snapshot: Snapshot, objections: dict[str, Objection]) -> Outcome:
    """Look on every Node whose objection is not final."""
    if wish.pod["spec"].get("preemptionPolicy") == "Never":
        return Outcome(NEVER)
    counts: Counter[str] = Counter()
    choices: list[tuple[tuple[int, int, int, str], list[Object]]] = []
    for name, against in objections.items():
        victims, reasons = ([], (NOT_HELPFUL,)) if against.final else _victims(wish, snapshot, snapshot.nodes[name])
        counts.update(reasons)
        if victims:
            priorities = [_priority(each) for each in victims]
            choices.append(((max(priorities), sum(priorities), len(victims), name), victims))
    if choices:
        (*_, node), victims = min(choices, key=lambda choice: choice[0])
        text = f"found a potential placement for pod on node {node}, preempting {len(victims)} victims"
        return Outcome(text, node, victims)
    said = ", ".join(sorted(f"{count} {reason}" for reason, count in counts.items()))
    return Outcome(f"0/{len(objections)} nodes are available: {said}.")


def _victims(wish: Wish, snapshot: Snapshot, state: NodeState) -> tuple[list[Object], tuple[str, ...]]:
    """The fewest Pods of lower priority whose deletion makes room, or none and why."""
    mine = _priority(wish.pod)
    lower = sorted((pod for pod in state.pods.values() if _priority(pod) < mine), key=_priority, reverse=True)
    if not lower:
        return [], (NO_VICTIMS,)
    gone = [key_of(pod) for pod in lower]
    against = _without(wish, snapshot, state, gone)
    if against is not None:
        return [], against.reasons
    for pod in lower:
        fewer = [key for key in gone if key != key_of(pod)]
        if _without(wish, snapshot, state, fewer) is None:
            gone = fewer
    return [pod for pod in lower if key_of(pod) in gone], ()


def _without(wish: Wish, snapshot: Snapshot, state: NodeState, gone: list[tuple[str, str]]) -> Objection | None:
    left = state.without(gone)
    rules = wish.rules
    if rules.affinity_keys or rules.repelled or rules.unwelcome or rules.spreads:
        world = Snapshot(each.node for each in snapshot.nodes.values())
        world.namespaces = snapshot.namespaces
        for each in snapshot.nodes.values():
            for pod in (left if each is state else each).pods.values():
                world.put(pod, each.name)
        rules = rules_for(wish.pod, world)
    return objection(replace(wish, rules=rules), left)


def _priority(pod: Object) -> int:
    return int(pod["spec"].get("priority") or 0)
