"""Restarts of Windows Nodes under judgement: who is back, lost or replaced, and what it cost the Service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.cluster.watching import WatchTimeout
from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable, NotTested
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.boots import Fate, NodeState
from op_readiness.observe.checks import Checks
from op_readiness.observe.judging import Try, judge
from op_readiness.observe.outage import Outage
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Leg, Target
from op_readiness.suite.subjects.host_process.running import Ended, HostProcess
from op_readiness.suite.subjects.reboot import rejoin as rejoin_module
from op_readiness.suite.subjects.reboot import restarting as module
from op_readiness.suite.subjects.reboot.all_nodes import AllNodes
from op_readiness.suite.subjects.reboot.rejoin import Rejoin, _not_the_nodes
from op_readiness.suite.subjects.reboot.restarting import Restarting, Return, accepts, bound
from op_readiness.suite.subjects.reboot.traffic import touched

WINDOWS = [NodeFact(f"win-{n}", "windows", "10.0.20348", runtime="containerd://1.7.27") for n in (1, 2, 3)]
ONE, TWO, THREE = WINDOWS
LINUX = NodeFact("linux-1", "linux", "6.8")
BEFORE = NodeState("uid", "21", "True")
BACK, DOWN = NodeState("uid", "22", "True"), NodeState("uid", "21", "Unknown")


def node(name: str, state: NodeState) -> dict[str, Any]:
    ready = {"type": "Ready", "status": state.ready}
    status = {"nodeInfo": {"bootID": state.boot_id}, "conditions": [ready]}
    return {"metadata": {"name": name, "uid": state.uid}, "status": status}


class Listing:
    """The Nodes of a cluster, on a clock that is turned."""

    def __init__(self, **nodes: NodeState) -> None:
        self.clock, self.nodes = TurnedClock(), {name.replace("_", "-"): state for name, state in nodes.items()}

    def list(self, kind: str, labels: str = "") -> list[Any]:
        return [node(name, state) for name, state in self.nodes.items()]

    def find(self, kind: str, name: str) -> Any:
        return node(name, self.nodes[name]) if name in self.nodes else None


def host_process(cluster: Any = None, **inputs: Any) -> HostProcess:
    context = SimpleNamespace(timeouts=Timeouts(scale=0.05), inputs=inputs)
    workshop: Any = SimpleNamespace(
        cluster=cluster, context=context, recorder=Recorder(), namespace="n", threads=ThreadPoolExecutor(2),
        log_of=lambda pod: "Access is denied.(5)\r\n",
    )
    return HostProcess(workshop, WINDOWS, list(WINDOWS))


def restarts(cluster: Any = None, **inputs: Any) -> Restarting:
    return Restarting.of(host_process(cluster, **inputs))


def came(one: NodeFact, fate: Fate = Fate.BACK, **more: Any) -> Return:
    return Return(one, BEFORE, {Fate.BACK: BACK}.get(fate, DOWN), 55.0, fate, **more)


def test_deadlines_are_the_operators_where_he_gives_them():
    """Otherwise ten minutes, and a minute."""
    assert (restarts().timeouts.node_back, restarts().timeouts.service_gap) == (600.0, 60.0)
    given = restarts(reboot={"nodeSeconds": 900.0, "gapSeconds": 5}).timeouts
    assert (given.node_back, given.service_gap, given.scale) == (900.0, 5.0, 0.05)


@pytest.mark.parametrize(("state", "phase", "yes"), [
    ({"terminated": {"exitCode": 0}}, "Succeeded", True),
    ({"terminated": {"exitCode": 1190}}, "Failed", True),
    ({"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}, "Failed", True),
    ({"terminated": {"exitCode": 5}}, "Failed", False),
    ({"terminated": {"exitCode": 128, "reason": "StartError", "message": "m"}}, "Failed", False),
    ({"waiting": {"reason": "ImagePullBackOff"}}, "Pending", False),
    ({}, "Succeeded", True),
    ({}, "Pending", False),
])  # fmt: skip
def test_whether_a_node_was_told_to_restart(state, phase, yes):
    """By the exit code of shutdown.exe; a Pod that was lost with its Node did its work."""
    pod = {"status": {"phase": phase, "containerStatuses": [{"name": "main", "state": state}]}}
    assert accepts(pod)[1] is yes
    assert accepts(None) == ("the Pod is gone", False)


def test_a_pod_that_restarts_a_node_is_bound_to_it_whatever_its_taints():
    """What is judged is the Node, and not whether somebody sends Pods there."""
    made = bound({"spec": {"tolerations": []}}, ONE)
    assert made["spec"] == {"nodeName": "win-1", "tolerations": [{"operator": "Exists"}]}


def test_a_node_that_could_not_be_told_is_unknown_and_one_that_went_all_the_same_is_not():
    """The boot id decides where the Pod was not seen to end."""
    asking = restarts(Listing(win_1=BEFORE, win_2=BACK))
    refused = {"status": {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 5}}}]}}
    assert not asking._went(ONE, refused, BEFORE)
    assert asking._went(TWO, None, BEFORE)
    assert [(one.nodes, one.seen) for one in asking.unknown] == [(("win-1",), "exit code 5; Access is denied.(5)")]
    with pytest.raises(CouldNotTell):
        asking.nothing_may_be_unknown()


def test_a_node_is_waited_for_as_long_as_the_deadline_and_the_delay(monkeypatch):
    """From the call on."""
    cluster, waited = Listing(win_1=DOWN), []

    def wait_for(_cluster, kind, namespace, met, *, name, within):
        waited.append((kind, name, within))
        assert met(None) is None and met(node(name, DOWN)) is None and met(node(name, BACK))
        cluster.clock.turn(within)
        raise WatchTimeout("Node", within, node(name, DOWN), None)

    monkeypatch.setattr(module, "wait_for", wait_for)
    cluster.clock.turn(1.0)
    now, seconds = restarts(cluster)._wait(ONE, BEFORE, 0.0)
    assert waited == [("Node", "win-1", 60.0 + 1.5 - 1.0)]
    assert (now, seconds) == (DOWN, pytest.approx(61.5 / 0.05))


@pytest.mark.parametrize(("one", "two", "here", "fates", "seen"), [
    (BACK, BACK, ["win-9"], [Fate.BACK, Fate.BACK], ""),
    (BACK, DOWN, ["win-9"], [Fate.BACK, Fate.LOST], "Ready Unknown, 630 s after shutdown.exe; new Nodes: win-9"),
    (None, BACK, ["win-9"], [Fate.REPLACED, Fate.BACK], "there is no Node object any more; new Nodes: win-9"),
    (None, None, ["win-9"], [Fate.REPLACED, Fate.LOST], "more; new Nodes: win-9, fewer than Nodes that are gone"),
    (None, None, ["win-9", "win-8"], [Fate.REPLACED, Fate.REPLACED], "new Nodes: win-8, win-9"),
    (None, None, ["win-3"], [Fate.LOST, Fate.LOST], "there is no Node object any more"),
])  # fmt: skip
def test_a_new_node_excuses_no_node_that_is_still_there(one, two, here, fates, seen):
    """An autoscaler that only adds one leaves the other lost, and the finding says so; what is back needs no excuse."""
    asking = restarts(Listing(**dict.fromkeys(here, BEFORE)))
    returns = [Return(node, BEFORE, now, 630.0) for node, now in ((ONE, one), (TWO, two))]
    judged = asking._judged(returns, frozenset({"win-1", "win-2", "win-3"}))
    assert [one.fate for one in judged] == fates
    assert ([one.seen for one in judged if not one.back] or [""])[-1].endswith(seen)


def test_what_became_of_a_node_is_a_statement_a_question_or_a_note():
    """Back and lost are judged; one that never went is unknown, one that was replaced is told."""
    asking = restarts()
    checks = asking.pods.checks
    assert asking.take(came(ONE), checks, "alone")
    for fate in (Fate.LOST, Fate.NOT_RESTARTED, Fate.REPLACED):
        assert not asking.take(came(TWO, fate), checks, "alone")
    recorder = asking.pods.workshop.recorder
    assert [(check.place.node, check.good) for check in checks.taken] == [("win-1", True), ("win-2", False)]
    assert recorder.notes.figures == {"seconds from shutdown.exe to Ready, win-1 alone": 55.0}
    assert [finding.nodes for finding in asking.unknown] == [("win-2",)]
    assert [part.outcome for part in recorder.parts] == ["passed", "failed", "skipped"]
    assert "was replaced when it restarted" in recorder.notes.texts[0]


@pytest.mark.parametrize(("said", "bad"), [
    ('{"booted": 200, "installed": 5}', []),
    ('{"booted": 100, "installed": 5}', ["LastBootUpTime after"]),
    ('{"booted": 200, "installed": 6}', ["InstallDate after"]),
])  # fmt: skip
def test_windows_says_that_it_booted_later_and_was_not_installed_anew(said, bad):
    """A machine that was installed anew has another InstallDate."""
    asking = restarts()
    asking.times = {"win-1": {"booted": 100, "installed": 5}}
    pod = {"metadata": {"namespace": "n", "name": "after-1-0"}}
    checks = asking.pods.checks
    asking.judge_times(Ended(ONE, pod, 0, "exit code 0", said), checks, "after")
    assert [check.path for check in checks.taken if not check.good] == bad
    asking.judge_times(Ended(TWO, pod, None, "did not start: no image"), checks, "after")
    assert [(one.nodes, one.code) for one in asking.unknown] == [(("win-2",), "tool")]


class Kept:
    """The Pods of Nodes, all of them back but those of `broken`."""

    def __init__(self, broken: tuple[str, ...] = ()) -> None:
        self.broken, self.service = broken, {"spec": {"clusterIP": "10.96.0.9"}}

    def had(self, nodes: list[NodeFact]) -> list[Any]:
        return [SimpleNamespace(node=one.name) for one in nodes]

    def take(self, before: list[Any], checks: Checks, when: str) -> list[NodeFact]:
        return [one for one in WINDOWS if any(had.node == one.name for had in before) and one.name not in self.broken]


class Asking:
    """A Linux Pod that saw the same gap at every second look."""

    def __init__(self, gap: float) -> None:
        self.client, self._gaps = None, [gap, 0.0]

    def look(self) -> Outage:
        self._gaps.reverse()
        return Outage(40, 3, self._gaps[0], "timeout")


class Turns(AllNodes):
    """All Nodes, with fates that are given; the traffic is well, but to the Nodes of `cut`."""

    def prepare(
        self, fates: dict[str, Fate], *, broken: Any = (), cut: str = "", mute: str = "", gap: float = 4.0
    ) -> Turns:
        self.turns: list[list[str]] = []
        self.restarting = Restarting.of(self.pods)
        self.restarting.restart = self._restarted  # type: ignore[method-assign]
        self.restarting.take_times = lambda *args, **more: None  # type: ignore[method-assign]
        self.restarting.take_last = lambda checks: None  # type: ignore[method-assign]
        self.fates, self.cut, self.mute = fates, cut, mute
        self.kept, self.asking = Kept(broken), Asking(gap)  # type: ignore[assignment]
        return self

    def _restarted(self, nodes: list[NodeFact]) -> list[Return]:
        self.turns.append([one.name for one in nodes])
        fates = [(one, self.fates.get(one.name, Fate.BACK)) for one in nodes]
        return [came(one, fate, newcomers=("win-9",) if fate is Fate.REPLACED else ()) for one, fate in fates]

    def _traffic(self, up: Any, restarted: Any) -> None:
        if self.mute in {one.name for one in up}:
            raise CouldNotTell(Finding("exec did not return", "w", "e", "s", nodes=(self.mute,)))
        if self.cut in {one.name for one in up}:
            raise AbilityNotMet(Finding("no answer", "w", "e", "s", nodes=(self.cut,)))

    def whole(self) -> Turns:
        self.one_at_a_time()
        self.all_at_once()
        return self


def turns(fates: dict[str, Fate] | None = None, **how: Any) -> Turns:
    pods: Any = host_process(**how.pop("inputs", {}))
    return Turns(pods, None, None, [LINUX]).prepare(fates or {}, **how)  # type: ignore[arg-type]


def accused(test: Turns) -> list[tuple[str, ...]]:
    with pytest.raises(AbilityNotMet) as caught:
        test.must_have_recovered()
    return [finding.nodes for finding in caught.value.findings]


def test_each_node_restarts_alone_and_then_all_at_once():
    """Recovery and what the Service lost are figures of the report."""
    test = turns().whole()
    test.must_have_recovered()
    assert test.turns == [["win-1"], ["win-2"], ["win-3"], ["win-1", "win-2", "win-3"]]
    figures = test.pods.workshop.recorder.notes.figures
    assert figures["longest seconds without an answer of the Service, after win-2 alone"] == 4.0
    assert figures["seconds from shutdown.exe to Ready, win-3 after all at once"] == 55.0


def test_a_node_that_is_lost_is_named_and_the_others_go_on():
    """It is restarted no more; the others are, alone and at once."""
    test = turns({"win-2": Fate.LOST}).whole()
    assert test.turns == [["win-1"], ["win-2"], ["win-3"], ["win-1", "win-3"]]
    assert accused(test) == [("win-2",)]


@pytest.mark.parametrize("how", [{"broken": ("win-1",)}, {"cut": "win-1"}])
def test_a_node_whose_pods_are_not_well_is_not_restarted_again(how):
    """Its Pods may still stand behind the Service."""
    test = turns(**how).whole()
    assert test.turns[-1] == ["win-2", "win-3"]


def test_what_cannot_be_found_out_of_one_node_does_not_hide_a_failure_of_another():
    """The failure comes first; without one it is an error."""
    test = turns({"win-3": Fate.LOST}, mute="win-1").whole()
    assert test.turns == [["win-1"], ["win-2"], ["win-3"]]
    assert accused(test) == [("win-3",)]
    with pytest.raises(CouldNotTell) as caught:
        turns(mute="win-1").whole().must_have_recovered()
    assert [finding.nodes for finding in caught.value.findings] == [("win-1",)]


def test_a_node_that_an_autoscaler_replaced_is_no_failure():
    """Where all of them are, nothing applies."""
    test = turns({"win-2": Fate.REPLACED}).whole()
    test.must_have_recovered()
    assert "was replaced" in test.pods.workshop.recorder.notes.texts[0]
    every = turns(dict.fromkeys(("win-1", "win-2", "win-3"), Fate.REPLACED)).whole()
    with pytest.raises(NotApplicable, match="replaced by others"):
        every.must_have_recovered()


def test_a_node_that_restarts_once_more_or_falls_does_not_stay_up():
    """Another boot id than it came back with is no recovery."""
    asking = restarts(Listing(win_1=BACK, win_2=NodeState("uid", "23", "True"), win_3=NodeState("uid", "22", "False")))
    checks = asking.pods.checks
    asking.take_last(checks)
    assert not checks.taken  # nothing has restarted yet
    for one in WINDOWS:
        asking.take(came(one), checks, "alone")
    asking.take_last(checks)
    assert [check.good for check in checks.taken[3:]] == [True, False, False]
    assert checks.taken[4].expected == "boot id 22 still, and Ready"


def test_a_gap_is_held_against_the_budget_where_others_have_a_pod():
    """Not when all restart at once: then nobody is left to answer."""
    silent = turns(gap=61.0).whole()
    assert accused(silent) == [("win-1",), ("win-2",), ("win-3",)]
    assert silent.turns[-1] == ["win-1", "win-2", "win-3"]
    turns(gap=60.0).whole().must_have_recovered()
    alone = turns({"win-2": Fate.LOST, "win-3": Fate.LOST}, gap=61.0)
    alone.hurt = {"win-2", "win-3"}
    alone._turn([ONE], "alone")
    assert not alone.findings
    assert accused(turns(gap=9.0, inputs={"reboot": {"gapSeconds": 8}}).whole())[0] == ("win-1",)


def leg(client: NodeFact, target: NodeFact | None, missing: str = "") -> Leg:
    backends = {"a": "win-1", "b": "win-2"} if target is None else {"a": target.name}
    aim = Target("ClusterIP", "Service n/s", "10.96.0.9", 80, backends, node="" if target is None else target.name)
    seen = [Try(good=True, name=name) for name in backends if name != missing]
    judged = judge(frozenset(backends), seen[:1], seen, [])
    return Leg(Client.at("n", "p", client), aim, judged, 0.0, "")


def test_bad_traffic_is_put_down_to_the_nodes_that_restarted():
    """At either end; of a Service, those of the Pods that do not answer."""
    assert touched([leg(LINUX, ONE), leg(ONE, LINUX)], ["win-1"]) == ("win-1",)
    assert touched([leg(LINUX, None, missing="b")], ["win-1", "win-2"]) == ("win-2",)
    assert touched([leg(LINUX, LINUX)], ["win-3"]) == ("win-3",)


class Pods(Listing):
    """The same, with Pods."""

    def __init__(self, *pods: Any, **nodes: NodeState) -> None:
        super().__init__(**nodes)
        self.pods = pods

    def list(self, kind: str, namespace: str = "", *, labels: str = "", fields: str = "") -> list[Any]:
        return list(self.pods) if kind == "Pod" else super().list(kind)


def daemon(name: str, owner: str, *, up: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if up else "False"}]
    containers = [{"restartCount": 1, "state": {"running": {}}}]
    status = {"phase": "Running", "podIP": "10.0.0.1", "containerStatuses": containers, "conditions": conditions}
    owners = [{"kind": owner, "uid": "o", "controller": True}]
    return {"metadata": {"name": name, "namespace": "kube-system", "uid": name, "ownerReferences": owners},
            "spec": {"nodeName": "win-1"}, "status": status}  # fmt: skip


def rejoining(cluster: Any) -> Rejoin:
    pods: Any = host_process(cluster)
    return Rejoin(pods, None, None, [])  # type: ignore[arg-type]


def test_a_node_that_is_not_ready_any_more_is_not_the_one_that_restarts():
    """It was lost before; where none is left nothing is tested."""
    joins = rejoining(Listing(win_1=DOWN, win_2=BACK, win_3=BACK))
    assert [one.name for one in joins._ready_now()] == ["win-2", "win-3"]
    parts = joins.pods.workshop.recorder.parts
    assert [(part.source.node, part.outcome) for part in parts] == [("win-1", "skipped")]
    with pytest.raises(NotTested, match="no Windows Node is Ready any more"):
        rejoining(Listing(win_1=DOWN))._ready_now()


def test_daemonset_pods_that_were_ready_have_to_be_back(monkeypatch):
    """Those of other controllers, and those that were not Ready before, are nobody's promise."""
    pods = [daemon("proxy", "DaemonSet"), daemon("web", "ReplicaSet"), daemon("broken", "DaemonSet", up=False)]
    joins = rejoining(Pods(*pods, win_1=BACK))
    joins.node = ONE
    joins.daemons = joins._daemons()
    assert [one.name for one in joins.daemons] == ["proxy"]
    monkeypatch.setattr(rejoin_module, "came_back", lambda cluster, before, timeouts: {})
    checks = joins.pods.checks
    joins._take_back("DaemonSet Pod", joins.daemons, checks)
    assert [(check.place.node, check.target, check.good) for check in checks.taken] == [
        ("win-1", "kube-system/proxy", False)
    ]  # fmt: skip
    assert checks.taken[0].seen == "Running, Ready, 0 restarts since"


def test_a_new_pod_that_is_not_sent_to_the_node_is_the_nodes_doing():
    """It took Pods before it restarted; an image that does not come is something else."""
    assert not _not_the_nodes("Pending, 0/4 nodes are available: 1 had untolerated taint(s); FailedScheduling: x")
    assert _not_the_nodes("Pending, ErrImagePull no match for platform")
