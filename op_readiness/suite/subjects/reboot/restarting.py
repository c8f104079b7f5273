r"""Windows Nodes restarted by `shutdown.exe -r -t 30` in a HostProcess Pod as SYSTEM, and waited for.

The Pod ends at once, half a minute before its Node goes down; should it not be seen to end, the Node's boot id tells
all the same, so its log is never read. It is bound to its Node without the scheduler: what is judged is the Node, and
not whether anybody sends new Pods there. Times in findings and figures are cluster seconds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.boots import Fate, NodeState, fates_of, is_back, restarted, state_of
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.suite.subjects.host_process.running import Ended, HostProcess
from op_readiness.workloads import scripts
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
DELAY_SECONDS = 30
"""From the call to the restart: the Pod's end is told before its Node goes down (test/e2e/windows/reboot_node.go)."""
COMMAND = ["cmd.exe", "/c", f"shutdown.exe -r -t {DELAY_SECONDS}"]
GOING_DOWN = (1115, 1190)
"""ERROR_SHUTDOWN_IN_PROGRESS, ERROR_SHUTDOWN_IS_SCHEDULED: it restarts, whoever has asked."""
SCRIPT = "boot-times"


@dataclass(frozen=True)
class Return:
    """What became of one Node. `seconds` go from the call of shutdown.exe to Ready with another boot id."""

    node: NodeFact
    before: NodeState
    now: NodeState | None
    seconds: float
    fate: Fate = Fate.LOST
    newcomers: tuple[str, ...] = ()

    @property
    def back(self) -> bool:
        """Whether it has restarted, and is Ready."""
        return self.fate is Fate.BACK

    @property
    def replaced(self) -> bool:
        """Whether somebody put another Node in its place."""
        return self.fate is Fate.REPLACED

    @property
    def seen(self) -> str:
        """How it stands, in a line."""
        if self.now is None:
            return f"there is no Node object any more{self._instead}"
        return f"{self.now}, {self.seconds:.0f} s after shutdown.exe{self._instead}"

    @property
    def _instead(self) -> str:
        fewer = ", fewer than Nodes that are gone" if self.now is None and not self.replaced else ""
        return f"; new Nodes: {', '.join(self.newcomers)}{fewer}" if self.newcomers else ""


@dataclass
class Restarting:
    """Restarts Nodes of `pods`. `unknown` are Nodes of which nothing can be said, as findings."""

    pods: HostProcess
    timeouts: Timeouts
    unknown: list[Finding] = field(default_factory=list)
    times: dict[str, Object] = field(default_factory=dict)
    turns: int = 0
    last: dict[str, NodeState] = field(default_factory=dict)

    @classmethod
    def of(cls, pods: HostProcess) -> Restarting:
        """With the deadlines of the run, or those that its operator has given."""
        context = pods.workshop.context
        given = context.inputs.get("reboot") or {}
        changed = {"node_back": given.get("nodeSeconds"), "service_gap": given.get("gapSeconds")}
        asked = {name: float(value) for name, value in changed.items() if value is not None}
        return cls(pods, replace(context.timeouts, **asked))

    def start(self) -> None:
        """Note when each Node booted and was installed, before anything is restarted."""
        self.times = {ended.node.name: ended.said for ended in self._told("before", self.pods.nodes) if ended.said}

    def restart(self, nodes: Sequence[NodeFact]) -> list[Return]:
        """Restart Nodes, all at the same time, and wait for each of them as long as the deadline says.

        Nodes that could not be told to restart are no part of the answer, but of `unknown`.
        """
        self.turns += 1
        self.pods.workshop.recorder.restarted |= {node.name for node in nodes}
        known = {node["metadata"]["name"]: node for node in self._cluster.list("Node")}
        before = {node.name: state_of(known[node.name]) for node in nodes if node.name in known}
        asked = [node for node in nodes if node.name in before and self._ask(node)]
        told = [node for node, went in zip(asked, self._told_to(asked, before), strict=True) if went]
        since = self._cluster.clock.now()
        waited = together(self.pods.workshop.threads, lambda node: self._wait(node, before[node.name], since), told)
        return self._judged([Return(node, before[node.name], *one) for node, one in zip(told, waited, strict=True)],
                            frozenset(known))  # fmt: skip

    def take(self, one: Return, checks: Checks, when: str) -> bool:
        """A statement about a Node that was told to restart; gives whether it is back."""
        recorder, node = self.pods.workshop.recorder, one.node
        self.last.pop(node.name, None)
        expected = f"another boot id than {one.before.boot_id}, and Ready, within {self.timeouts.node_back:g} s"
        if one.fate is Fate.NOT_RESTARTED:
            self.unknown.append(_not_restarted(one, expected))
        elif one.fate is Fate.REPLACED:
            why = f"Node {node.name} was replaced when it restarted, as autoscalers do: {one.seen}"
            checks.not_tested(f"Ready {when}", node.place, "Node", why)
            recorder.note(why)
        else:
            checks.take(Check(f"Ready {when}", node.place, "Node", expected, one.seen, one.back,
                              f"kubectl describe node {node.name}"))  # fmt: skip
        if one.now is not None and one.back:
            self.last[node.name] = one.now
            recorder.figure(f"seconds from shutdown.exe to Ready, {node.name} {when}", one.seconds)
        return one.back

    def take_last(self, checks: Checks) -> None:
        """Statements about Nodes that came back: they have not restarted once more since, and are Ready still."""
        for node in self.pods.nodes:
            if (last := self.last.get(node.name)) is not None:
                now = self._state(node.name)
                seen = "there is no Node object any more" if now is None else str(now)
                good = now is not None and (now.uid, now.boot_id, now.ready) == (last.uid, last.boot_id, "True")
                expected, command = f"boot id {last.boot_id} still, and Ready", f"kubectl describe node {node.name}"
                checks.take(Check("in the end", node.place, "Node", expected, seen, good, command))

    def take_times(self, nodes: Sequence[NodeFact], checks: Checks, when: str, *, scheduled: bool = False) -> None:
        """Statements about Nodes that are back: Windows says that it booted later, and was not installed anew."""
        for ended in self._told(f"after-{self.turns}", nodes, scheduled=scheduled):
            self.judge_times(ended, checks, when)

    def judge_times(self, ended: Ended, checks: Checks, when: str) -> None:
        """The same of what one Pod has said; one that has said nothing is unknown."""
        old, new = self.times.get(ended.node.name), ended.said
        if not new:
            self.unknown.append(_no_times(ended))
        if not old or not new:
            return
        self.times[ended.node.name] = new
        booted, installed = int(new["booted"]), int(new["installed"])
        checks.take(ended.check(f"LastBootUpTime {when}", "Windows", f"later than {old['booted']}",
                                booted > int(old["booted"]), str(booted)))  # fmt: skip
        checks.take(ended.check(f"InstallDate {when}", "Windows", str(old["installed"]),
                                installed == int(old["installed"]), str(installed)))  # fmt: skip

    def nothing_may_be_unknown(self) -> None:
        """What could be found out was judged; raises CouldNotTell where some Node could not be."""
        if found := [*self.unknown, *self.pods.unknown]:
            raise CouldNotTell(*{finding.where: finding for finding in found}.values())

    @property
    def _turn(self) -> str:
        return f"restart-{self.turns}"

    @property
    def _cluster(self) -> Any:
        return self.pods.workshop.cluster

    def _ask(self, node: NodeFact) -> bool:
        """Make the Pod that calls shutdown.exe; gives whether it was taken."""
        try:
            self.pods.create([bound(self.pods.pod(self._turn, node, COMMAND), node)])
        except CouldNotTell as error:
            self.unknown += error.findings
            return False
        return True

    def _told_to(self, nodes: Sequence[NodeFact], before: dict[str, NodeState]) -> list[bool]:
        """Whether each Node was told, when all Pods have ended or the time is over."""
        names = {self.pods.name(self._turn, node): node for node in nodes}
        found = self.pods.over(list(names))
        return [self._went(node, found.get(name), before[node.name]) for name, node in names.items()]

    def _went(self, node: NodeFact, pod: Object | None, before: NodeState) -> bool:
        seen, accepted = accepts(pod)
        if accepted or restarted(before, self._state(node.name)):
            return True
        where, said = f"HostProcess Pod on Node {node.name}", self._said(pod)
        seen = f"{seen}; {said}" if said else seen
        self.unknown.append(Finding(
            "A Node could not be told to restart", where, f"exit code 0 of {' '.join(COMMAND)}", seen,
            f"kubectl -n {self.pods.workshop.namespace} describe pod {self.pods.name(self._turn, node)}", (node.name,),
            code="restart",
        ))  # fmt: skip
        return False

    def _said(self, pod: Object | None) -> str:
        """What shutdown.exe answered where the Node stays up; not being able to read it is no news."""
        if pod is None:
            return ""
        try:
            return " ".join(self.pods.workshop.log_of(pod).split())[-200:]
        except CouldNotTell:
            return ""

    def _judged(self, returns: Sequence[Return], known: frozenset[str]) -> list[Return]:
        """The same with what became of each: all at once, since a new Node can stand for one old Node and not for more.

        New Nodes are told of every Node that is not back, whatever they stand for.
        """
        now = {one.node.name: one.now for one in returns}
        all_back = all(is_back(one.before, one.now) for one in returns)
        newcomers = () if all_back else tuple(sorted(self._windows_nodes() - known))
        fates = fates_of({one.node.name: one.before for one in returns}, now, len(newcomers))
        judged = [replace(one, fate=fates[one.node.name]) for one in returns]
        return [one if one.back else replace(one, newcomers=newcomers) for one in judged]

    def _wait(self, node: NodeFact, before: NodeState, since: float) -> tuple[NodeState | None, float]:
        """(how the Node stands when it is back or the time is over, cluster seconds since `since`)."""
        clock = self._cluster.clock
        within = self.timeouts.real("node_back") + DELAY_SECONDS * self.timeouts.scale - (clock.now() - since)
        wall = time.time()
        what = f"Node {node.name} to restart and to be Ready again"
        self.pods.workshop.recorder.waiting(what, since=wall, until=wall + within)
        try:
            found = wait_for(
                self._cluster, "Node", "", lambda one: one if one and is_back(before, state_of(one)) else None,
                name=node.name, within=max(within, 1.0),
            )  # fmt: skip
        except WatchTimeout as error:
            found = error.last
        return state_of(found) if found else None, self.timeouts.cluster(clock.now() - since)

    def _state(self, name: str) -> NodeState | None:
        found = self._cluster.find("Node", name)
        return state_of(found) if found else None

    def _windows_nodes(self) -> frozenset[str]:
        nodes = self._cluster.list("Node", labels="kubernetes.io/os=windows")
        return frozenset(node["metadata"]["name"] for node in nodes)

    def _told(self, name: str, nodes: Sequence[NodeFact], *, scheduled: bool = False) -> list[Ended]:
        """What the script says of each Node; the Pods are sent there by the scheduler, or bound without it."""
        pods = replace(self.pods, nodes=list(nodes))
        manifests = {node.name: times_pod(pods, name, node, scheduled=scheduled) for node in nodes}
        return pods.run(name, lambda node: manifests[node.name])


def times_pod(pods: HostProcess, name: str, node: NodeFact, *, scheduled: bool) -> Manifest:
    """A HostProcess Pod that says when its Node booted and was installed."""
    pods.workshop.note_script(SCRIPT)
    made = pods.pod(name, node, scripts.command(SCRIPT, on_host=True))
    return made if scheduled else bound(made, node)


def bound(manifest: Manifest, node: NodeFact) -> Manifest:
    """A Pod bound to its Node without the scheduler, whatever taints are there."""
    manifest["spec"] |= {"nodeName": node.name, "tolerations": [{"operator": "Exists"}]}
    return manifest


def accepts(pod: Object | None) -> tuple[str, bool]:
    """How the Pod that calls shutdown.exe has ended, and whether its Node goes down after that.

    One that was lost with its Node (Failed or Unknown, without an exit code of the program) did its work.
    """
    if pod is None:
        return "the Pod is gone", False
    status = pod.get("status") or {}
    state = next((one.get("state") or {} for one in status.get("containerStatuses") or ()), {})
    if ended := state.get("terminated"):
        code, reason = ended.get("exitCode"), str(ended.get("reason") or "")
        if reason in ("StartError", "ContainerCannotRun"):
            return f"{reason}: {ended.get('message', '')}", False
        return f"exit code {code} {reason}".strip(), code in (0, *GOING_DOWN) or reason == "ContainerStatusUnknown"
    if waiting := state.get("waiting"):
        return f"{status.get('phase')}, {waiting.get('reason', '')} {waiting.get('message', '')}".strip(), False
    return f"phase {status.get('phase')} {status.get('message', '')}".strip(), status.get("phase") == "Succeeded"


def _not_restarted(one: Return, expected: str) -> Finding:
    return Finding(
        "A Node was told to restart and has not done so", f"Node {one.node.name}", expected, one.seen,
        "shutdown.exe may be held up by a policy or by somebody's shutdown.exe -a: the System log of the Node",
        (one.node.name,), code="restart",
    )  # fmt: skip


def _no_times(ended: Ended) -> Finding:
    return Finding(
        f"{SCRIPT}.ps1 gave no answer", f"HostProcess Pod on Node {ended.node.name}", "what its header promises",
        ended.seen, nodes=(ended.node.name,), code="tool",
    )  # fmt: skip

