"""Pods that a run makes: what they tolerate."""

from op_readiness.model.facts import NodeFact
from op_readiness.workloads.pods import outlasting, pod


def test_a_pod_that_outlasts_a_lost_node_is_sent_to_none():
    """It tolerates being there, and not being sent there; the Node's own taints stay tolerated."""
    taint = {"key": "os", "value": "windows", "effect": "NoSchedule"}
    node = NodeFact("win-1", "windows", "10.0.20348", taints=(taint,))
    made = outlasting(pod("p", "n", os="windows", image="i", labels={}, nodes=[node], node=node, args=[]))
    tolerated = [(one["key"], one["effect"]) for one in made["spec"]["tolerations"]]
    assert tolerated == [
        ("os", "NoSchedule"), ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    ]  # fmt: skip
    assert all("tolerationSeconds" not in one for one in made["spec"]["tolerations"])
