"""What is said of Pods that did not start."""

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.findings import Finding
from op_readiness.observe.starting import with_former_owners


def pod(name, node, ip):
    return {"metadata": {"name": name}, "spec": {"nodeName": node}, "status": {"podIP": ip}}


def test_who_had_an_address_before_is_told_of_the_accused_nodes_pods_alone():
    """C01: an address that came from another Node; others are no part of the finding."""
    error = AbilityNotMet(Finding("not Ready", "Pod b", "Ready", "Running, not Ready", nodes=("win-1",)))
    pods = [pod("b", "win-1", "10.0.0.7"), pod("c", "win-1", "10.0.0.8"), pod("d", "win-2", "10.0.0.9")]
    used = {"10.0.0.7": "a on win-2", "10.0.0.9": "a on win-1"}
    (finding,) = with_former_owners(error, pods, used).findings
    assert finding.seen == "Running, not Ready\n10.0.0.7 of b was used by a on win-2"
