"""The arithmetic of rolling updates."""

from op_readiness.simulator.controlplane.controllers.rolling import Size, fenceposts, grown, resized, share, shrunk


def test_percentages_are_rounded_up_for_surge_and_down_for_unavailable():
    assert fenceposts("25%", "25%", 3) == (1, 0)
    assert share("50%", 5, up=True) == 3
    assert share(2, 5, up=False) == 2


def test_when_both_come_to_nothing_one_pod_may_be_unavailable():
    assert fenceposts(0, "10%", 3) == (0, 1)


def test_the_new_set_grows_by_the_surge_and_never_beyond_what_is_desired():
    assert grown(Size("new", 0), [Size("old", 3)], desired=3, surge=1) == 1
    assert grown(Size("new", 1), [Size("old", 3)], desired=3, surge=1) == 1
    assert grown(Size("new", 2), [Size("old", 0)], desired=3, surge=5) == 3
    assert grown(Size("new", 5), [], desired=3, surge=1) == 3


def test_old_sets_shrink_only_while_enough_pods_are_available():
    new = Size("new", 1, 1, available=0)
    assert shrunk(new, [Size("old", 3, 3, available=3)], desired=3, unavailable=0) == {}
    ready = Size("new", 1, 1, available=1)
    assert shrunk(ready, [Size("old", 3, 3, available=3)], desired=3, unavailable=0) == {"old": 2}


def test_unhealthy_old_pods_go_first():
    sick, well = Size("sick", 2, 2, available=0, age="1"), Size("well", 2, 2, available=2, age="0")
    assert shrunk(Size("new", 1, 1, available=1), [well, sick], desired=4, unavailable=1) == {"sick": 0}


def test_a_scaled_rollout_spreads_the_new_number_in_proportion():
    sizes = [Size("old", 8, age="0"), Size("new", 4, age="1")]
    changed = resized(sizes, "new", desired=20, surge=4, was_allowed=12)
    assert changed == {"old": 16, "new": 8}
