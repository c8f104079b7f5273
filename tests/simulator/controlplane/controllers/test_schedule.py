"""The scheduler's decisions and texts, as kube-scheduler 1.37.2 gave them."""

from typing import Any

import pytest

from op_readiness.simulator.controlplane.scheduler import schedule

WINDOWS = {"kubernetes.io/os": "windows"}
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


def node(name: str, os: str = "windows", **spec: Any) -> dict[str, Any]:
    labels = {"kubernetes.io/os": os, "kubernetes.io/hostname": name, **spec.pop("labels", {})}
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "3", "ephemeral-storage": "20Gi"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": allocatable}}


def pod(name: str, on: str = "", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "ports": spec.pop("ports", []), "resources": {"requests": spec.pop("requests", {})}}
    meta = {"name": name, "namespace": "t", "uid": name, "labels": labels or {}}
    return {"metadata": meta, "spec": {"nodeName": on, "containers": [container], **spec}}


def rule(kind: str, app: str) -> dict[str, Any]:
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


FOUR = [node("win-1"), node("win-2"), node("linux-1", "linux"), node("linux-2", "linux")]
ONE = [node("win-1")]


def text(reasons: str, preemption: str, total: int) -> str:
    return f"0/{total} nodes are available: {reasons}. preemption: 0/{total} nodes are available: {preemption}."


def spread(key: str) -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": "q"}}
    return [{"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}]


def only(*names: str) -> dict[str, Any]:
    fields = [{"key": "metadata.name", "operator": "In", "values": list(names)}]
    required = {"nodeSelectorTerms": [{"matchFields": fields}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


REFUSALS = {
    "cpu above capacity": (
        pod("p", requests={"cpu": "99"}), ONE, [], text("1 Insufficient cpu", f"1 {NOT_HELPFUL}", 1),
    ),
    "cpu taken": (
        pod("p", requests={"cpu": "2"}), ONE, [pod("x", "win-1", requests={"cpu": "3"})],
        text("1 Insufficient cpu", f"1 {NO_VICTIMS}", 1),
    ),
    "memory and selector": (
        pod("p", requests={"memory": "99Gi"}, nodeSelector=WINDOWS), FOUR, [],
        text("2 Insufficient memory, 2 node(s) didn't match Pod's node affinity/selector", f"4 {NOT_HELPFUL}", 4),
    ),
    "two resources": (
        pod("p", requests={"cpu": "99", "memory": "99Gi"}), ONE, [],
        text("1 Insufficient cpu, 1 Insufficient memory", f"1 {NOT_HELPFUL}", 1),
    ),
    "extended resource": (
        pod("p", requests={"example.com/x": "1"}), ONE, [],
        text("1 Insufficient example.com/x", f"1 {NOT_HELPFUL}", 1),
    ),
    "taint": (
        pod("p"), [node("win-1", taints=[{"key": "os", "value": "windows", "effect": "NoSchedule"}])], [],
        text("1 node(s) had untolerated taint(s)", f"1 {NOT_HELPFUL}", 1),
    ),
    "cordon": (
        pod("p"), [node("win-1", unschedulable=True)], [],
        text("1 node(s) were unschedulable", f"1 {NOT_HELPFUL}", 1),
    ),
    "too many pods": (
        pod("p"), ONE, [pod(f"x{number}", "win-1") for number in range(3)],
        text("1 Too many pods", f"1 {NO_VICTIMS}", 1),
    ),
    "host port": (
        pod("p", ports=[{"containerPort": 80, "hostPort": 80}]), ONE,
        [pod("x", "win-1", ports=[{"containerPort": 80, "hostPort": 80}])],
        text("1 node(s) didn't have free ports for the requested pod ports", f"1 {NO_VICTIMS}", 1),
    ),
    "no such node": (
        pod("p", affinity=only("nope")), FOUR, [],
        text("4 node(s) didn't satisfy plugin(s) [NodeAffinity]", f"4 {NOT_HELPFUL}", 4),
    ),
    "named node too small": (
        pod("p", requests={"cpu": "99"}, affinity=only("win-1")), FOUR, [],
        text("1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity]", f"4 {NOT_HELPFUL}", 4),
    ),
    "own anti-affinity": (
        pod("p", affinity=rule("podAntiAffinity", "x")), ONE, [pod("x", "win-1", {"app": "x"})],
        text("1 node(s) didn't match pod anti-affinity rules", f"1 {NO_VICTIMS}", 1),
    ),
    "anti-affinity of another": (
        pod("p", labels={"app": "p"}), ONE, [pod("x", "win-1", affinity=rule("podAntiAffinity", "p"))],
        text("1 node(s) didn't satisfy existing pods anti-affinity rules", f"1 {NO_VICTIMS}", 1),
    ),
    "affinity": (
        pod("p", affinity=rule("podAffinity", "x")), ONE, [],
        text("1 node(s) didn't match pod affinity rules", f"1 {NOT_HELPFUL}", 1),
    ),
    "no topology label": (
        pod("p", labels={"app": "q"}, topologySpreadConstraints=spread("zone")), ONE, [],
        text(
            "1 node(s) didn't match pod topology spread constraints (missing required label)", f"1 {NOT_HELPFUL}", 1
        ),
    ),
    "no nodes": (pod("p"), [], [], "no nodes available to schedule pods"),
    "no claim": (
        pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "nope"}}]), ONE, [],
        '0/1 nodes are available: persistentvolumeclaim "nope" not found. not found',
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_the_refusal_says_why(case: str):
    wanted, nodes, placed, message = REFUSALS[case]
    decision = schedule(wanted, nodes, placed)
    assert (decision.node, decision.message) == (None, message)


def test_init_containers_count_by_their_hungriest_moment():
    start = [{"name": "i", "resources": {"requests": {"cpu": "5"}}}]
    assert "1 Insufficient cpu" in schedule(pod("p", initContainers=start), ONE, []).message


def test_another_protocol_may_use_the_same_host_port():
    taken = pod("x", "win-1", ports=[{"containerPort": 80, "hostPort": 80}])
    asked = pod("p", ports=[{"containerPort": 80, "hostPort": 80, "protocol": "UDP"}])
    assert schedule(asked, ONE, [taken]).node == "win-1"


def test_a_toleration_opens_a_tainted_node():
    tainted = [node("win-1", taints=[{"key": "os", "value": "windows", "effect": "NoSchedule"}])]
    tolerations = [{"key": "os", "operator": "Equal", "value": "windows", "effect": "NoSchedule"}]
    assert schedule(pod("p", tolerations=tolerations), tainted, []).node == "win-1"


def test_the_os_field_does_not_steer():
    assert schedule(pod("p", os={"name": "linux"}), ONE, []).node == "win-1"


def test_like_pods_are_spread_over_nodes():
    placed: list[dict[str, Any]] = []
    for number in range(4):
        chosen = schedule(pod(f"p{number}", labels={"app": "q"}), FOUR, placed).node
        placed.append(pod(f"p{number}", chosen or "", {"app": "q"}))
    assert sorted(each["spec"]["nodeName"] for each in placed) == ["linux-1", "linux-2", "win-1", "win-2"]


def test_a_hard_spread_waits_for_the_other_domain():
    nodes = [node("win-1"), node("win-2", labels={"full": "yes"})]
    asked = pod("p", labels={"app": "q"}, topologySpreadConstraints=spread("kubernetes.io/hostname"))
    there = pod("x", "win-1", {"app": "q"})
    full = [pod(f"f{number}", "win-2") for number in range(3)]
    assert schedule(asked, nodes, [there]).node == "win-2"
    assert "didn't match pod topology spread constraints" in schedule(asked, nodes, [there, *full]).message


def test_the_first_pod_of_its_kind_may_ask_for_its_own_company():
    assert schedule(pod("p", labels={"app": "p"}, affinity=rule("podAffinity", "p")), ONE, []).node == "win-1"


def test_higher_priority_names_its_victim():
    low = pod("low", "win-1", requests={"cpu": "3"})
    decision = schedule(pod("vip", requests={"cpu": "3"}, priority=1000), ONE, [low])
    assert decision.message.endswith(
        "preemption: found a potential placement for pod on node win-1, preempting 1 victims"
    )
    assert decision.victims == [low]
