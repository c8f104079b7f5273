"""Extend.Worker: how Windows Nodes are set up for those who look after them."""

from op_readiness.suite import ability


@ability("wk-defender-exclusions")
def test_defender_leaves_out_the_runtime(defender):
    defender.must_leave_out_containerd()


@ability("wk-admin-access")
def test_administrators_can_log_on(admin_access):
    admin_access.must_be_open()
    admin_access.record_reachability()


@ability("wk-node-inventory")
def test_a_node_says_what_it_is(inventory):
    inventory.must_be_told()


@ability("wk-dead-endpoint-leak")
def test_nothing_is_left_of_pods_that_are_gone(leftovers):
    leftovers.count()
    leftovers.churn()
    leftovers.must_be_none()
