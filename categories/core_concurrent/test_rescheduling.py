"""Core.Concurrent: a Deployment's Pod replaced again and again."""

from op_readiness.suite import ability


@ability("con-reschedule-50")
def test_a_pod_is_rescheduled_fifty_times_in_a_row(rescheduling):
    rescheduling.replace(times=50)
    rescheduling.every_successor_must_have_answered()
    rescheduling.nothing_must_be_left()
    rescheduling.must_route_at_last()
    rescheduling.nodes_must_hold_no_more()
