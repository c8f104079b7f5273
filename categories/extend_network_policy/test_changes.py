"""Extend.NetworkPolicy: a policy that is changed in place, time and again, and then deleted."""

from op_readiness.suite import ability

CHANGES = 5


@ability("np-policy-update-delete")
def test_changes_and_deletion_of_a_policy_take_effect(flipped):
    flipped.truth_must_hold()

    flipped.allow()
    flipped.truth_must_hold()
    for _ in range(CHANGES):
        flipped.flip()
        flipped.truth_must_hold()

    flipped.withdraw()
    flipped.truth_must_hold()
    flipped.add_pods()
    flipped.truth_must_hold()
