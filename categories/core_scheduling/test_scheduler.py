"""Core.Scheduling: what Nodes offer, and Pods that ask for more."""

from op_readiness.suite import ability


@ability("sch-pending-over-time")
def test_pods_that_ask_for_too_much_stay_pending(pending):
    pending.small_ones_must_be_scheduled()
    pending.large_ones_must_stay_pending()
    pending.events_must_say_so()
    pending.smaller_ones_must_be_scheduled()


@ability("sch-node-allocatable")
def test_a_node_offers_its_capacity_less_what_is_reserved(allocatable):
    allocatable.must_be_capacity_less_reservations()


@ability("sch-os-field")
def test_a_pod_of_another_system_is_refused(os_field):
    os_field.must_be_validated()
    os_field.must_be_enforced()


@ability("sch-taint-isolation")
def test_unmarked_pods_do_not_land_on_windows_nodes(taints):
    taints.must_keep_unmarked_pods_away()
