"""What a run will do, known before it does anything: abilities in their passes and order, certain skips, workers."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from op_readiness.model.abilities import Ability
from op_readiness.model.errors import SkipReason
from op_readiness.model.facts import Facts
from op_readiness.reports.text import count
from op_readiness.runner.nodes import ChosenNodes
from op_readiness.runner.selection import Selection

MOST_WORKERS = 8
PODS_AN_ABILITY = 4
"""Pods that one ability has on one Node at once, unless its `requires` says more."""
STANDING_PODS = 1
STANDING_SECONDS = 30.0


@dataclass(frozen=True)
class Skip:
    """Why an ability will not be tested, in a typed reason and a sentence."""

    reason: str
    why: str


@dataclass(frozen=True)
class Plan:
    """`concurrent`, `serial` and `disruptive` are the passes, each in the order in which it is handed out."""

    selection: Selection
    nodes: ChosenNodes
    skips: dict[str, Skip]
    concurrent: tuple[Ability, ...]
    serial: tuple[Ability, ...]
    disruptive: tuple[Ability, ...]
    workers: int
    notes: tuple[str, ...] = field(default=())

    @property
    def abilities(self) -> tuple[Ability, ...]:
        """Everything that will run, pass by pass."""
        return self.concurrent + self.serial + self.disruptive

    @property
    def planned(self) -> int:
        """How many selected abilities have no test yet."""
        return sum(ability.planned for ability in self.selection.abilities)

    @property
    def seconds(self) -> float:
        """Expected cluster seconds, from what the catalogue says of each ability."""
        alone = sum(ability.seconds for ability in self.serial + self.disruptive)
        return STANDING_SECONDS + spread_seconds([a.seconds for a in self.concurrent], self.workers) + alone


def make_plan(
    selection: Selection, facts: Facts, nodes: ChosenNodes, *, workers: str, disruptive: bool, provider: str = "",
    e2e_binary: str = "", inputs: Mapping[str, Any] | None = None,
) -> Plan:  # fmt: skip
    """The plan of a run. `workers` is a number or `auto`; `e2e_binary` runs entries with `focus`."""
    skips = {id: Skip(SkipReason.LEFT_OUT, why) for id, why in selection.left_out.items()}
    for ability in selection.runnable:
        skip = certain_skip(ability, facts, nodes, disruptive=disruptive)
        if skip := skip or _without_e2e(ability, provider, e2e_binary) or _without_inputs(ability, inputs or {}):
            skips[ability.id] = skip
    run = [ability for ability in selection.runnable if ability.id not in skips]
    concurrent = interleaved([a for a in run if not {"serial", "disruptive"} & set(a.tags)])
    fit, notes = worker_count(concurrent, facts, nodes, workers)
    return Plan(
        selection=selection,
        nodes=nodes,
        skips=skips,
        concurrent=tuple(concurrent),
        serial=tuple(a for a in run if "serial" in a.tags and "disruptive" not in a.tags),
        disruptive=tuple(a for a in run if "disruptive" in a.tags),
        workers=fit,
        notes=notes,
    )


def certain_skip(ability: Ability, facts: Facts, nodes: ChosenNodes, *, disruptive: bool) -> Skip | None:
    """Why the ability cannot be tested on this cluster, or None. Never rests on what the ability itself judges."""
    if "disruptive" in ability.tags and not disruptive:
        return Skip(SkipReason.NOT_OPTED_IN, "it reboots, restarts or fills Nodes: add --disruptive")
    if not version_allows(ability.kubernetes_versions, facts.version):
        why = f"requires Kubernetes {ability.kubernetes_versions}; the server is {facts.version}"
        return Skip(SkipReason.VERSION, why)
    return _too_few(ability, facts, nodes) or _lacking(ability, facts)


def _without_e2e(ability: Ability, provider: str, binary: str) -> Skip | None:
    """Why specs of e2e.test are not run, or None."""
    if not ability.focus:
        return None
    if provider in ability.skip_providers:
        return Skip(SkipReason.PROVIDER, f"its entry leaves out provider {provider} (skipProviders)")
    if not binary:
        why = "it has specs of e2e.test in place of a native test: add --e2e-binary PATH"
        return Skip(SkipReason.MISSING_INPUT, why)
    return None


def _without_inputs(ability: Ability, inputs: Mapping[str, Any]) -> Skip | None:
    """Why an ability is not tested of which the operator has not told what it needs, or None."""
    wanted = ability.requires.get("inputs") or ()
    if not wanted:
        return None
    from op_readiness.runner.inputs import how_to_give, missing

    lacking = missing(inputs, wanted)
    if not lacking:
        return None
    return Skip(SkipReason.MISSING_INPUT, f"requires {', '.join(lacking)}: {how_to_give(lacking)}")


def _too_few(ability: Ability, facts: Facts, nodes: ChosenNodes) -> Skip | None:
    needs = ability.requires
    windows, linux = len(nodes.nodes), len(facts.usable_nodes("linux"))
    for kind, wanted, there in (
        ("Windows Node", needs.get("windowsNodes", 1), windows),
        ("Linux Node", needs.get("linuxNodes", 0), linux),
    ):
        if there < wanted:
            takes = "takes" if wanted == 1 else "take"
            why = f"requires {count(wanted, kind)} that {takes} Pods, this run has {there or 'none'}"
            return Skip(SkipReason.TOO_FEW_NODES, why + ("" if kind == "Windows Node" else _not_taking(facts)))
    ready = windows + sum(node.ready for node in facts.nodes if node.os == "linux")  # a Node that only has an address
    if ready < needs.get("nodes", 0):
        return Skip(SkipReason.TOO_FEW_NODES, f"requires {count(needs['nodes'], 'Ready Node')}, this run has {ready}")
    free = max((node.pods_allocatable - node.pods_running for node in nodes.nodes), default=0)
    if free < needs.get("freePods", 0):
        return Skip(SkipReason.TOO_FEW_NODES, f"requires {needs['freePods']} free Pods on one Windows Node; {free} are")
    return None


def _not_taking(facts: Facts) -> str:
    """Why Linux Nodes that are there do not count."""
    why = [f"{node.name} {node.unusable}" for node in facts.nodes if node.os == "linux" and not node.usable]
    return f" ({', '.join(why[:3])}{' ...' if len(why) > 3 else ''})" if why else ""


def _lacking(ability: Ability, facts: Facts) -> Skip | None:
    needs = ability.requires
    if needs.get("dns") and not facts.dns_ip:
        return Skip(SkipReason.NOT_APPLICABLE, "the cluster has no DNS Service kube-system/kube-dns")
    if needs.get("dualStack") and len(facts.ip_families) < 2:
        families = ", ".join(facts.ip_families)
        return Skip(SkipReason.NOT_APPLICABLE, f"requires dual stack; Windows Nodes have {families} only")
    if needs.get("nodesProxy") and not facts.rights.get("get nodes/proxy", True):
        return Skip(SkipReason.MISSING_RIGHT, "requires the right to get nodes/proxy")
    if needs.get("gmsa") and not facts.gmsa_versions:
        why = "the cluster does not serve gmsacredentialspecs.windows.k8s.io: no GMSA kind is installed"
        return Skip(SkipReason.NOT_APPLICABLE, f"{why} (kubernetes.io: Configure GMSA for Windows Pods and containers)")
    return None


def version_allows(wanted: str, server: str) -> bool:
    """Whether a server version such as `v1.37.2-eks-1` satisfies `>=1.24` or `==1.36.* || ==1.37.*`.

    One that cannot be read does.
    """
    if not wanted:
        return True
    plain = server.removeprefix("v").replace("+", "-").partition("-")[0]
    try:
        version = Version(plain)
        return any(SpecifierSet(one).contains(version, prereleases=True) for one in wanted.split("||"))
    except InvalidVersion:
        return True


def interleaved(abilities: Sequence[Ability]) -> list[Ability]:
    """The k-th longest beside the k-th shortest: pytest-xdist hands a worker neighbours in pairs."""
    ordered = sorted(abilities, key=lambda ability: (-ability.seconds, ability.id))
    half = (len(ordered) + 1) // 2
    long, short = ordered[:half], ordered[half:][::-1]
    paired = [ability for pair in zip(long, short, strict=False) for ability in pair]
    return paired + long[len(short) :]


def worker_count(
    concurrent: Sequence[Ability], facts: Facts, nodes: ChosenNodes, wanted: str
) -> tuple[int, tuple[str, ...]]:
    """How many abilities may run side by side, so that their Pods fit on every Node; and what lowered the number."""
    most = min(MOST_WORKERS if wanted == "auto" else int(wanted), max(1, len(concurrent)))
    pods = sorted((int(a.requires.get("freePods", PODS_AN_ABILITY)) for a in concurrent), reverse=True)
    tight = min(nodes.nodes, key=lambda node: node.pods_allocatable - node.pods_running)
    free = tight.pods_allocatable - tight.pods_running - STANDING_PODS
    fit = most
    while fit > 1 and sum(pods[:fit]) > free:
        fit -= 1
    if fit == most:
        return most, ()
    return fit, (f"{fit} workers instead of {most}: Node {tight.name} has room for {max(0, free)} more Pods",)


def spread_seconds(seconds: Sequence[float], workers: int) -> float:
    """How long the abilities take side by side, longest first."""
    loads = [0.0] * max(1, workers)
    for one in sorted(seconds, reverse=True):
        heapq.heapreplace(loads, loads[0] + one)
    return max(loads)
