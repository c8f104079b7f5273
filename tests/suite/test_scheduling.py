"""Core.Scheduling's subjects: sums, means and what follows from them, on figures as a cluster gives them."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import nullcontext

import pytest

from op_readiness.cluster.watching import WatchTimeout
from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Outcome
from op_readiness.observe.judging import Try
from op_readiness.observe.quantities import MIB, in_bytes, in_millicores, number
from op_readiness.suite.subjects.scheduling import full_node
from op_readiness.suite.subjects.scheduling.allocatable import cpu_share, memory_share
from op_readiness.suite.subjects.scheduling.cpu_limit import Sample, _mean
from op_readiness.suite.subjects.scheduling.full_node import FullNodes, requested
from op_readiness.suite.subjects.scheduling.memory_limit import MOST_MIB, MemoryLimit, Seen, _broken
from op_readiness.suite.subjects.scheduling.os_field import FORBIDDEN, WORDS, _not_refused
from op_readiness.suite.subjects.scheduling.pending import Pending

from .subjects.storage.bench import bench

NODE = NodeFact("win-1", "windows", "10.0.20348")


def status(allocatable: str, cpu: str = "4") -> dict[str, dict[str, str]]:
    return {"capacity": {"memory": "16Gi", "cpu": "4"}, "allocatable": {"memory": allocatable, "cpu": cpu}}


@pytest.mark.parametrize(
    ("configuration", "allocatable"),
    [
        ({}, "16Gi"),
        ({"systemReserved": {"memory": "2Gi"}, "evictionHard": {"memory.available": "500Mi"}}, "13836Mi"),
        ({"systemReserved": {"memory": "1Gi"}, "kubeReserved": {"memory": "1Gi"}}, "14Gi"),
        ({"evictionHard": {"memory.available": "10%"}}, "15099494Ki"),
        ({"evictionSoft": {"memory.available": "1Gi"}}, "16Gi"),
    ],
)
def test_allocatable_memory_is_capacity_less_reservations_and_hard_eviction(configuration, allocatable):
    """In percent of the capacity too; a soft threshold is not taken off."""
    assert memory_share(status(in_bytes(allocatable)), configuration).right


def test_a_node_that_ignores_its_reservations_is_not_right():
    """Neither in memory nor in CPU."""
    configuration = {"systemReserved": {"memory": "2Gi", "cpu": "500m"}}
    assert not memory_share(status("16Gi"), configuration).right
    assert not cpu_share(status("14Gi"), configuration).right
    assert cpu_share(status("14Gi", "3500m"), configuration).right


def test_usage_is_the_difference_of_two_counters_over_their_own_time():
    """A counter that is missing, or did not move, is no data and never `within the limit`."""
    assert _mean(Sample(0, 10), Sample(60, 40)) == 0.5
    assert [_mean(None, Sample(60, 40)), _mean(Sample(0, 40), Sample(60, 40)), _mean(Sample(60, 1), Sample(60, 2))] == [
        None, None, None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seen", "broken"),
    [
        ({"commits": [400 * MIB], "taken": 450, "refused": "no memory"}, ""),
        ({"commits": [560 * MIB], "taken": 500, "refused": "no memory"}, ""),
        ({"commits": [600 * MIB], "taken": 500, "refused": "no memory"}, "not honoured"),
        ({"commits": [400 * MIB], "taken": MOST_MIB}, "not honoured"),
        ({"commits": [400 * MIB], "taken": 450}, "neither given nor refused"),
        ({"commits": [400 * MIB], "taken": 450, "ended": "exit code 1"}, ""),
        ({"commits": [400 * MIB], "taken": 450, "refused": "x", "not_ready": "Ready is Unknown"}, "stay Ready"),
        ({"commits": [400 * MIB], "taken": 450, "refused": "x", "lost": "4 of 18 tries lost"}, "neighbour"),
    ],
)
def test_a_memory_limit_is_held_by_commit_and_refusal(seen, broken):
    """One allocation above the limit is where a sample may fall; an end with an error is a refusal too."""
    finding = _broken(Seen(NODE, {}, **seen))
    assert (broken in finding.what) if broken and finding else (finding is None and not broken)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ({"commits": [MIB, 400 * MIB], "times": {"10:00:00Z", "10:00:10Z"}, "taken": 450}, None),
        ({"commits": [MIB] * 18, "times": {"10:00:00Z"}, "taken": 450}, "18 in 18 samples, all of 10:00:00Z"),
        ({"taken": 450}, "0 in 18 samples"),
        ({"commits": [MIB, MIB], "times": {"10:00:00Z", "10:00:10Z"}}, "it has said nothing of this run"),
    ],
)
def test_figures_that_stand_still_are_no_data(seen, says):
    """A limit is not honoured by a figure from before the Pod took memory."""
    finding = MemoryLimit._unknown(None, Seen(NODE, {"metadata": {"namespace": "n", "name": "p"}}, **seen))
    assert (finding and finding.seen) == says


def test_a_pods_request_is_what_the_scheduler_counts():
    """Containers and sidecars together, or the largest init container; overhead on top."""
    def container(memory, **more):
        return {"resources": {"requests": {"memory": memory}}, **more}

    spec = {
        "containers": [container("1Gi"), container("512Mi"), {}],
        "initContainers": [container("3Gi"), container("256Mi", restartPolicy="Always")],
        "overhead": {"memory": "10Mi"},
    }
    assert requested({"spec": spec}) == 3 * 1024 * MIB + 10 * MIB


def test_quantities_of_all_kinds():
    """Suffixes, exponents and numbers; anything else is refused."""
    assert (in_bytes("1Ki"), in_bytes("1e3"), in_bytes("128974848")) == (1024, 1000, 128974848)
    assert (in_millicores("1.5"), in_millicores("250m")) == (1500, 250)
    with pytest.raises(ValueError, match="not a quantity"):
        number("many")


LINUX_FIELDS = [f"{field}: Forbidden: {WORDS}" for field in FORBIDDEN]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (LINUX_FIELDS, []),
        (LINUX_FIELDS[1:], ["spec.hostPID: no word of it"]),
        (["spec.hostPID: Invalid value: true", *LINUX_FIELDS[1:]], ["spec.hostPID: Invalid value: true"]),
        (None, [f"{field}: accepted" for field in FORBIDDEN]),
    ],
)
def test_each_field_of_linux_must_be_refused_by_its_own_name(said, wrong):
    """That a Pod is refused for another field, or in other words, is no refusal of this one."""
    assert _not_refused(said, FORBIDDEN, WORDS) == wrong


def test_a_pod_that_pod_security_refuses_was_not_refused_for_its_fields():
    """Admission looks at it only afterwards."""
    wrong = _not_refused(['pods "tried" is forbidden: violates PodSecurity "baseline"'], FORBIDDEN[:1], WORDS)
    assert wrong[0].startswith("not refused for its fields") and wrong[1:] == ["spec.hostPID: no word of it"]


@pytest.mark.parametrize(
    ("pod", "events", "error"),
    [
        ({"phase": "Pending", "reason": "Unschedulable", "message": "0/4: 2 Insufficient cpu."}, [], None),
        ({"phase": "Pending", "reason": "Unschedulable", "message": "2 Insufficient vpc/IPv4."}, [], CouldNotTell),
        ({"phase": "Pending", "reason": "SchedulerError", "message": "Insufficient cpu"}, [], CouldNotTell),
        ({"phase": "Failed", "node": "win-1"}, [], AbilityNotMet),
        ({"phase": "Running", "node": "win-9"}, ["TriggeredScaleUp"], CouldNotTell),
        ({"phase": "Running", "node": "win-9"}, ["Scheduled"], AbilityNotMet),
    ],
)
def test_a_large_pod_is_pending_for_want_of_what_it_asks_for(pod, events, error):
    """Nothing but Unschedulable and the resource's own name will do; an autoscaler's new Node is no failure."""
    condition = {"type": "PodScheduled", "status": "False", "reason": pod.get("reason"), "message": pod.get("message")}
    shown = {
        "metadata": {"name": "too-much-cpu"}, "spec": {"nodeName": pod.get("node", "")},
        "status": {"phase": pod["phase"], "conditions": [] if "node" in pod else [condition]},
    }  # fmt: skip
    with bench() as made:
        made.cluster.events = [{"involvedObject": {"name": "too-much-cpu"}, "reason": reason} for reason in events]
        pending = Pending(made.workshop, [NODE], asked={"cpu": "5"})
        with pytest.raises(error) if error else nullcontext():
            pending._must_be_pending("cpu", shown)


def asking(name: str, node: str, memory: str, phase: str = "Running"):
    container = {"resources": {"requests": {"memory": memory}}}
    return {"metadata": {"name": name}, "spec": {"nodeName": node, "containers": [container]},
            "status": {"phase": phase}}  # fmt: skip


FULL = [asking("filler-0", "win-1", "7936Mi"), asking("web", "win-1", "1Gi", "Succeeded")]
GIVEN = asking("mem-failure-pod", "win-1", "1Gi", "Failed")


@pytest.mark.parametrize(
    ("message", "pod", "pods", "error"),
    [
        ("0/4: 2 Insufficient memory.", asking("mem-failure-pod", "", "1Gi"), FULL, None),
        ("0/4: 2 Insufficient memory.", GIVEN, [*FULL, GIVEN], AbilityNotMet),
        ("0/4: 2 Insufficient memory.", GIVEN, [asking("filler-0", "win-1", "6Gi"), GIVEN], CouldNotTell),
        (None, GIVEN, [*FULL, GIVEN], AbilityNotMet),
        (None, GIVEN, [asking("filler-0", "win-1", "7Gi"), GIVEN], CouldNotTell),
        (None, asking("mem-failure-pod", "", "1Gi"), [], AbilityNotMet),
        ("0/4: 2 node(s) had untolerated taint(s).", asking("mem-failure-pod", "", "1Gi"), FULL, CouldNotTell),
    ],
)
def test_a_pod_beyond_what_is_left_is_refused_for_memory(monkeypatch, message, pod, pods, error):
    """One that does not fit for another reason shows nothing of memory; nor may anybody bind it afterwards, unless the
    Node has room again because another Pod of it has ended.
    """

    def event(*_, **__):
        if message is None:
            raise WatchTimeout("Events", 180, [], None)
        return message

    monkeypatch.setattr(full_node, "wait_for", event)
    with bench() as made, pytest.raises(error) if error else nullcontext():
        made.cluster.objects["Node", "win-1"] = {"status": {"allocatable": {"memory": "8Gi"}}}
        made.cluster.events = pods
        full = FullNodes(made.workshop, [NODE], TurnedClock())
        monkeypatch.setattr(FullNodes, "_pod", lambda self, name: pod)
        full._refused()
        assert made.parts(Outcome.PASSED) == ["past allocatable a Pod of 1Gi"]


@pytest.mark.parametrize(
    ("lost", "said"),
    [([], ""), ([0], ""), ([9], ""), ([0, 1], "2 of 18 tries lost"), ([5, 9], "2 of 18 tries lost"),
     (range(18), "no answer in 18 tries")],
)  # fmt: skip
def test_a_neighbour_may_lose_one_answer_and_the_first_is_none_but_one(lost, said):
    """A single loss in eighteen shows nothing, whichever it is."""
    tries = [Try(good=n not in lost, name="" if n in lost else "quiet-0") for n in range(18)]
    answered: Future = Future()
    answered.set_result(("win-1", tries))
    with bench() as made:
        limit = MemoryLimit(made.workshop, None, None, [NODE], [])
        limit.seen, limit.neighbours = [Seen(NODE, {})], [{"metadata": {"name": "quiet-0"}}]
        limit._neighbours_answered([answered])
        assert limit.seen[0].lost.startswith(said) if said else not limit.seen[0].lost
