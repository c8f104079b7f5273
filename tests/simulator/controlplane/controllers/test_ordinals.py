"""The order in which a StatefulSet's Pods come and go."""

from op_readiness.simulator.controlplane.controllers.ordinals import Member, Step, next_steps, ordinal_of


def member(ordinal: int, revision: str = "new", *, available: bool = True, **fields: bool) -> Member:
    return Member(ordinal, f"s-{ordinal}", revision, available=available, **fields)


def steps(members: list[Member], replicas: int, *, parallel: bool = False, partition: int = 0, unavailable: int = 1):
    return next_steps(
        members, range(replicas), parallel=parallel, update="new", partition=partition, unavailable=unavailable
    )


def test_ordered_pods_wait_for_the_one_before():
    assert steps([], 3) == [Step(0, create=True)]
    assert steps([member(0, available=False)], 3) == []
    assert steps([member(0)], 3) == [Step(1, create=True)]


def test_parallel_pods_are_made_at_once():
    assert steps([], 3, parallel=True) == [Step(ordinal, create=True) for ordinal in range(3)]


def test_scaling_down_takes_the_highest_first_and_waits_for_it_to_go():
    assert steps([member(n) for n in range(3)], 1) == [Step(2, create=False)]
    assert steps([member(0), member(1), member(2, going=True)], 1) == []
    assert steps([member(0), member(1)], 1) == [Step(1, create=False)]


def test_a_rolling_update_goes_downwards_one_at_a_time():
    old = [member(n, "old") for n in range(3)]
    assert steps(old, 3) == [Step(2, create=False)]
    assert steps([old[0], old[1], member(2, available=False)], 3) == []
    assert steps([old[0], old[1], member(2)], 3) == [Step(1, create=False)]


def test_a_partition_keeps_the_lower_pods():
    assert steps([member(n, "old") for n in range(3)], 3, partition=3) == []
    assert steps([member(0, "old"), member(1, "old"), member(2)], 3, partition=2) == []


def test_a_failed_pod_is_replaced():
    assert steps([member(0, finished=True, available=False)], 1) == [Step(0, create=False)]


def test_ordinals_come_from_names():
    assert (ordinal_of("web-12"), ordinal_of("web"), ordinal_of("web-x")) == (12, -1, -1)
