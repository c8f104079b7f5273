"""Taints of Nodes, and how long Pods stay beside them."""

from typing import Any

from op_readiness.simulator.controlplane.controllers.nodehealth import gone_silent, stays_for, wanted_taints

NOW = "2026-01-01T00:00:00Z"


def node(ready: str, taints: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}, {"type": "MemoryPressure", "status": "False"}]
    meta = {"name": "win-1", "creationTimestamp": NOW}
    return {"metadata": meta, "spec": {"taints": taints or [], **spec}, "status": {"conditions": conditions}}


def keys(taints: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((each["key"].removeprefix("node.kubernetes.io/"), each["effect"]) for each in taints)


def test_a_silent_node_is_unreachable_and_keeps_its_own_taints():
    own = {"key": "os", "value": "windows", "effect": "NoSchedule"}
    assert keys(wanted_taints(node("Unknown", [own]), NOW)) == [
        ("os", "NoSchedule"), ("unreachable", "NoExecute"), ("unreachable", "NoSchedule"),
    ]


def test_a_ready_node_loses_the_controllers_taints():
    old = wanted_taints(node("False"), NOW)
    assert keys(old) == [("not-ready", "NoExecute"), ("not-ready", "NoSchedule")]
    assert wanted_taints(node("True", old), NOW) == []


def test_a_cordoned_node_is_tainted_and_times_are_kept():
    first = wanted_taints(node("True", unschedulable=True), NOW)
    assert keys(first) == [("unschedulable", "NoSchedule")]
    assert wanted_taints(node("True", first, unschedulable=True), "later") == first


def test_conditions_of_a_silent_node_are_unknown():
    said = {each["type"]: (each["status"], each["reason"]) for each in gone_silent(node("True"), NOW)}
    assert said["Ready"] == ("Unknown", "NodeStatusUnknown")
    assert said["DiskPressure"] == ("Unknown", "NodeStatusNeverUpdated")


def test_a_pod_stays_as_long_as_its_tolerations_say():
    taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
    toleration = {"key": taint["key"], "operator": "Exists", "effect": "NoExecute"}
    assert stays_for({"spec": {}}, []) is None
    assert stays_for({"spec": {}}, [taint]) == 0
    assert stays_for({"spec": {"tolerations": [{**toleration, "tolerationSeconds": 300}]}}, [taint]) == 300
    assert stays_for({"spec": {"tolerations": [toleration]}}, [taint]) is None
