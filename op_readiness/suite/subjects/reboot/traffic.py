"""Traffic after a restart, put down to the Nodes that restarted: it was well before, and nothing else was changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.observe.reach import Reach, finding_of, together
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Leg, Target

Pair = tuple[Client, Target]
WITHIN = "service_routed"
"""Network agents and kube-proxy that are Pods start minutes after the kubelet says that its Node is Ready."""


def must_be_well_before(reach: Reach, pairs: Sequence[Pair]) -> None:
    """Every pair answers; raises CouldNotTell, for what is not well before the restart says nothing of it."""
    try:
        reach.pairs(pairs, within=WITHIN, after_change=True)
    except AbilityNotMet as error:
        raise CouldNotTell(*(replace(one, what=f"Before the restart: {one.what}") for one in error.findings)) from error


def must_be_well_after(reach: Reach, pairs: Sequence[Pair], restarted: Collection[str]) -> None:
    """Every pair answers; raises AbilityNotMet, accusing those of the restarted Nodes that the bad ones touch."""
    legs = together(reach.threads, lambda pair: reach.observer.leg(*pair, WITHIN, after_change=True), pairs)
    reach.record(legs)
    bad = [leg for leg in legs if not leg.judgement.good]
    if not bad:
        return
    finding, nodes = finding_of(bad, legs, reach.windows_nodes), touched(bad, restarted)
    hint = bad[0].target.hint(", ".join(nodes), bad[0].control)
    raise AbilityNotMet(replace(finding, what=f"After a restart: {finding.what}", nodes=nodes, hint=hint))


def touched(bad: Sequence[Leg], restarted: Collection[str]) -> tuple[str, ...]:
    """The restarted Nodes at an end of a bad leg; of a Service, those of the Pods that do not answer."""
    found: set[str] = set()
    for leg in bad:
        ends = {leg.client.place.node, leg.target.node} & set(restarted)
        silent = leg.suspects | leg.judgement.missing
        homes = {leg.target.backends[name] for name in silent if name in leg.target.backends} & set(restarted)
        found |= ends or homes or set(leg.target.backends.values()) & set(restarted)
    return tuple(sorted(found or restarted))
