"""Extend.NetworkPolicy, beyond KEP-2578: where Windows Pods may go, and on which of their ports they are reached."""

from op_readiness.suite import ability
from op_readiness.workloads import policies
from op_readiness.workloads.pods import HTTP_PORT, UDP_PORT


@ability("np-default-deny-egress")
def test_windows_pods_go_nowhere_but_where_they_may(leaving):
    leaving.truth_must_hold()

    leaving.apply(policies.deny_all_egress())
    leaving.truth_must_hold()

    leaving.apply(policies.allow_egress_to("b", HTTP_PORT))
    leaving.truth_must_hold()

    leaving.apply(policies.allow_dns())
    leaving.truth_must_hold()

    leaving.withdraw()
    leaving.truth_must_hold()


@ability("np-port-rules")
def test_windows_pods_are_reached_on_the_allowed_ports_alone(two_doors):
    two_doors.truth_must_hold()

    number = policies.allow_port(HTTP_PORT, to="b")
    two_doors.apply(number)
    two_doors.truth_must_hold()

    beyond_the_first = policies.allow_port(UDP_PORT, to="b", last=UDP_PORT + 1)
    two_doors.apply(beyond_the_first)
    two_doors.withdraw(number["metadata"]["name"])
    two_doors.truth_must_hold()
    two_doors.probes_must_go_on()

    two_doors.apply(policies.allow_port("http", to="b"))
    two_doors.withdraw(beyond_the_first["metadata"]["name"])
    two_doors.truth_must_hold()

    two_doors.withdraw()
    two_doors.truth_must_hold()
