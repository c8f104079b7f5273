"""Extend.NetworkPolicy: who is let in at Windows Pods before, under and after each policy, by Pod IP and Service."""

from op_readiness.suite import ability
from op_readiness.workloads import policies


@ability("np-pod-ingress")
def test_windows_pods_are_protected_from_other_pods(two_spaces):
    two_spaces.truth_must_hold()

    two_spaces.apply(policies.deny_all())
    two_spaces.truth_must_hold()
    two_spaces.probes_must_go_on()

    two_spaces.apply(policies.allow_everyone(to="a"))
    two_spaces.truth_must_hold()

    two_spaces.apply(policies.allow_only("b", to="a"))
    two_spaces.withdraw("allow-all-to-a")
    two_spaces.add_pods()
    two_spaces.truth_must_hold()

    two_spaces.withdraw()
    two_spaces.truth_must_hold()


@ability("np-namespace-ingress")
def test_windows_pods_are_protected_from_other_namespaces(three_spaces):
    three_spaces.truth_must_hold()

    three_spaces.apply(policies.deny_other_namespaces())
    three_spaces.truth_must_hold()
    three_spaces.probes_must_go_on()
    three_spaces.loopback_must_lose_nothing()

    three_spaces.withdraw()
    three_spaces.truth_must_hold()
