"""Extend.NetworkPolicy: the same policies between Windows and Linux Pods, in both directions."""

from op_readiness.suite import ability
from op_readiness.workloads import policies


@ability("np-cross-os")
def test_policies_hold_between_linux_and_windows_pods(cross_os):
    cross_os.truth_must_hold()

    cross_os.apply(policies.deny_all())
    cross_os.truth_must_hold()

    cross_os.apply(policies.allow_everyone(to="a"))
    cross_os.truth_must_hold()

    cross_os.apply(policies.allow_only("b", to="a"))
    cross_os.apply(policies.allow_only("a", to="b"))
    cross_os.withdraw("allow-all-to-a")
    cross_os.truth_must_hold()

    cross_os.withdraw()
    cross_os.truth_must_hold()
