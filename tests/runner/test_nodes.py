"""Which Windows Nodes a run speaks of."""

from __future__ import annotations

import pytest

from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.runner.nodes import choose_windows_nodes

from .samples import facts, node

MANY = facts(
    *[node(f"a-{n:02}", build="10.0.20348", labels={"pool": "a"}) for n in range(30)],
    *[node(f"b-{n}", build="10.0.26100", labels={"pool": "b"}) for n in range(3)],
    node("l-1", "linux"),
)


def names(wanted: str, known=MANY, seed: str = "1") -> list[str]:
    return [n.name for n in choose_windows_nodes(known, wanted, seed).nodes]


def test_ten_are_drawn_and_two_of_each_build_at_least():
    """By default ten of many are tested, no build is left out, and the seed is kept."""
    chosen = choose_windows_nodes(MANY, "", "17")
    assert len(chosen.nodes) == 10
    assert sum(n.build == "10.0.26100" for n in chosen.nodes) >= 2
    assert str(chosen) == "10 of 33 Windows Nodes, drawn with seed 17"


def test_the_same_seed_draws_the_same_nodes():
    """A run can be repeated on the same Nodes."""
    assert names("", seed="x") == names("", seed="x") != names("", seed="y")


def test_all_a_number_and_selectors():
    """Each form of --windows-nodes."""
    assert len(names("all")) == 33
    assert [len(names(str(count))) for count in (1, 4, 12)] == [1, 4, 12]
    assert names("b-1") == ["b-1"]
    assert names("pool=b") == ["b-0", "b-1", "b-2"]
    assert len(names("pool!=b")) == 30
    assert len(names("pool,!zone")) == 33


def test_few_nodes_are_all_tested_and_nothing_is_drawn():
    """Up to ten there is no seed."""
    assert choose_windows_nodes(facts(), "", "1").seed == ""


@pytest.mark.parametrize("wanted", ["pool=c", "0", "pool in (a,b)"])
def test_what_matches_nothing_is_a_usage_error(wanted):
    """An empty choice is never an empty run."""
    with pytest.raises(UsageError, match="--windows-nodes"):
        names(wanted)


def test_no_windows_node_that_takes_pods():
    """Cordoned Nodes are not chosen."""
    with pytest.raises(OpReadinessError, match="no Windows Node"):
        names("", facts(node("win-1", schedulable=False)))
