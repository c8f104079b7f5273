"""How long a series is repeated."""

import pytest

from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.traffic import Patience


def test_the_deadline_is_counted_on_the_clusters_clock():
    """120 cluster seconds in series of 50 are over with the third, whatever our own clock says."""
    patience = Patience(Timeouts(scale=0.05), "service_routed", TurnedClock())
    assert [patience.over(50, "x") for _ in range(3)] == [False, False, True]


def test_a_cluster_whose_clock_stands_still_is_not_judged():
    """Our own time runs out while the cluster's did not: nothing can be said."""
    clock = TurnedClock()
    patience = Patience(Timeouts(scale=0.05), "service_routed", clock)
    assert not patience.over(1, "x")
    clock.turn(1000)
    with pytest.raises(CouldNotTell, match="2 s went by there"):
        patience.over(1, "x")


def test_only_a_repeated_series_waits_first():
    """The pause is a command in the Pod."""
    patience = Patience(Timeouts(), "warm_up", TurnedClock())
    assert patience.pause == []
    patience.over(1, "x")
    assert [ask.command for ask in patience.pause] == ["sleep 2"]
