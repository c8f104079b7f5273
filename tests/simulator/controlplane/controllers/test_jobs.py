"""What a Job needs next."""

from op_readiness.simulator.controlplane.controllers.jobs import (
    BACKOFF,
    DEADLINE,
    REACHED,
    Tally,
    backoff,
    free_indexes,
    index_text,
    unsupported,
    verdict,
    wanted_active,
)


def test_it_ends_when_enough_pods_have_succeeded():
    spec = {"completions": 3, "parallelism": 2}
    assert verdict(spec, Tally(1, 2, 0), 0) is None
    assert verdict(spec, Tally(0, 3, 1), 0) == ("Complete", REACHED)


def test_it_fails_beyond_its_backoff_limit_or_deadline():
    assert verdict({"completions": 1, "backoffLimit": 1}, Tally(0, 0, 1), 0) is None
    assert verdict({"completions": 1, "backoffLimit": 1}, Tally(0, 0, 2), 0) == ("Failed", BACKOFF)
    assert verdict({"completions": 1, "backoffLimit": 1}, Tally(1, 0, 0, restarts=2), 0) == ("Failed", BACKOFF)
    assert verdict({"completions": 1, "activeDeadlineSeconds": 5}, Tally(1, 0, 0), 5) == ("Failed", DEADLINE)


def test_it_never_runs_more_than_are_still_needed():
    assert wanted_active({"completions": 3, "parallelism": 5}, Tally(0, 1, 0)) == 2
    assert wanted_active({"completions": 3, "parallelism": 2, "suspend": True}, Tally(2, 0, 0)) == 0


def test_a_work_queue_ends_with_its_first_success_and_the_rest():
    spec = {"parallelism": 3}
    assert wanted_active(spec, Tally(2, 1, 0)) == 2
    assert verdict(spec, Tally(2, 1, 0), 0) is None
    assert verdict(spec, Tally(0, 3, 0), 0) == ("Complete", REACHED)


def test_waiting_doubles_with_each_failure():
    assert [backoff(failures) for failures in (0, 1, 2, 3, 20)] == [0, 10, 20, 40, 600]


def test_indexes_are_given_from_the_lowest_and_spelt_as_spans():
    assert free_indexes(5, [0, 2], 2) == [1, 3]
    assert index_text([5, 3, 4, 1, 8, 7]) == "1,3-5,7,8"


def test_what_is_not_known_is_named():
    assert unsupported({"podFailurePolicy": {"rules": []}}) == "podFailurePolicy"
    assert unsupported({"completions": 1}) is None
