"""The plan: passes, order, certain skips, workers that fit."""

from __future__ import annotations

import pytest

from op_readiness.model.errors import SkipReason
from op_readiness.runner.plan import interleaved, make_plan, spread_seconds, version_allows

from .samples import ability, chosen, facts, node, selection


def plan(*abilities, known=None, workers="auto", disruptive=False):
    known = known or facts()
    return make_plan(selection(*abilities), known, chosen(known), workers=workers, disruptive=disruptive)


def test_the_longest_stands_beside_the_shortest():
    """pytest-xdist hands a worker neighbours, so each pair is a long and a short one."""
    ordered = interleaved([ability(f"a-{n}", seconds=n) for n in (1, 2, 3, 4, 5)])
    assert [a.seconds for a in ordered] == [5, 1, 4, 2, 3]


def test_serial_and_disruptive_abilities_run_alone():
    """Each tag has its pass, and disruptive abilities are opted in."""
    made = plan(
        ability("a-a"), ability("b-b", tags=("serial",)), ability("c-c", tags=("serial", "disruptive")), disruptive=True
    )
    passes = [[a.id for a in abilities] for abilities in (made.concurrent, made.serial, made.disruptive)]
    assert passes == [["a-a"], ["b-b"], ["c-c"]]


@pytest.mark.parametrize(
    ("requires", "more", "known", "reason"),
    [
        ({}, {"tags": ("disruptive",)}, facts(), SkipReason.NOT_OPTED_IN),
        ({}, {"kubernetes_versions": ">=1.99"}, facts(), SkipReason.VERSION),
        ({"windowsNodes": 3}, {}, facts(), SkipReason.TOO_FEW_NODES),
        ({"linuxNodes": 1}, {}, facts(node("win-1")), SkipReason.TOO_FEW_NODES),
        ({"nodes": 2}, {}, facts(node("win-1"), node("l", "linux", ready=False)), SkipReason.TOO_FEW_NODES),
        ({"freePods": 10}, {}, facts(node("win-1", pods_running=105)), SkipReason.TOO_FEW_NODES),
        ({"dns": True}, {}, facts(dns_ip=""), SkipReason.NOT_APPLICABLE),
        ({"dualStack": True}, {}, facts(), SkipReason.NOT_APPLICABLE),
        ({"gmsa": True}, {}, facts(gmsa_versions=()), SkipReason.NOT_APPLICABLE),
        ({"inputs": ["gmsa.domain"]}, {}, facts(), SkipReason.MISSING_INPUT),
        ({"nodesProxy": True}, {}, facts(rights={"get nodes/proxy": False}), SkipReason.MISSING_RIGHT),
    ],
)
def test_what_cannot_be_tested_is_skipped_with_its_reason(requires, more, known, reason):
    """A certain skip has a typed reason and a sentence, and does not run."""
    made = plan(ability("a-a", requires=requires, **more), ability("b-b"), known=known)
    assert made.skips["a-a"].reason == reason
    assert made.skips["a-a"].why
    assert [a.id for a in made.abilities] == ["b-b"]


def test_nodes_kept_for_the_control_plane_take_no_test_pods():
    """A Node that is there and does not count is named with the reason."""
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    known = facts(node("win-1"), node("master", "linux", taints=(taint,)))
    made = plan(ability("a-a", requires={"linuxNodes": 1}), known=known)
    why = "requires 1 Linux Node that takes Pods, this run has none (master is kept for the control plane)"
    assert made.skips["a-a"].why == why


def test_workers_are_lowered_until_their_pods_fit():
    """The Pods of what runs together fit on the fullest Node, and the plan says what lowered the number."""
    known = facts(node("win-1", pods_allocatable=20, pods_running=6), node("win-2"))
    made = plan(*[ability(f"a-{n}") for n in range(10)], known=known)
    assert made.workers == 3
    assert "win-1 has room for 13 more Pods" in made.notes[0]


def test_no_more_workers_than_abilities():
    """A worker costs seconds to start."""
    assert plan(ability("a-a"), ability("b-b")).workers == 2
    assert plan(*[ability(f"a-{n}") for n in range(20)]).workers == 8
    assert plan(*[ability(f"a-{n}") for n in range(20)], workers="3").workers == 3


@pytest.mark.parametrize(
    ("wanted", "server", "allowed"),
    [
        (">=1.24", "v1.37.2", True),
        (">=1.24", "v1.23.17-eks-1", False),
        (">=1.24", "v1.29.0+k3s1", True),
        ("", "x", True),
        (">=1.24", "weird", True),
    ],
)
def test_versions_of_distributions_are_understood(wanted, server, allowed):
    """What follows the version proper does not matter."""
    assert version_allows(wanted, server) is allowed


def test_the_estimate_spreads_over_workers():
    """Two workers, longest first."""
    assert spread_seconds([10, 6, 5, 4], 2) == 14
