"""A memory limit over time: a Pod that commits step by step beyond its limit, sampled for three minutes.

Windows has no OOM killer: a job object refuses the commit, and the process goes on or ends by itself. So `OOMKilled` is
never waited for. The process says what it got and when it was refused, the kubelet's figure of commit (`usageBytes`)
says the same from outside, the Node stays Ready, and another Pod on it keeps answering.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.finished import json_lines
from op_readiness.observe.judging import Try, judge
from op_readiness.observe.kubelet import Kubelets, container_figures, given, pod_figures
from op_readiness.observe.quantities import MIB
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HTTP_PORT

Object = dict[str, Any]
LIMIT, STEP_MIB, MOST_MIB, PAUSE = 512 * MIB, 50, 1024, 5
ALLOWED = LIMIT + STEP_MIB * MIB
"""One allocation above the limit: a sample and an allocation may cross (1 % of the limit is less)."""
SAMPLES, EVERY = 18, 10.0
"""Three minutes, a sample every ten cluster seconds."""
LEAST = 2
"""Times at which a kubelet must have taken its figures: all of one time may be from before the Pod took memory."""
RESOURCES = {"limits": {"memory": "512Mi"}, "requests": {"memory": "512Mi"}}
ANSWER_SECONDS = 4


@dataclass
class Seen:
    """What one Node's Pod and kubelet showed. `commits` are bytes, in the order of the samples.

    `times` are when the kubelet says that it took them: figures of one time are one figure, shown again.
    """

    node: NodeFact
    pod: Object
    commits: list[int] = field(default_factory=list)
    times: set[str] = field(default_factory=set)
    taken: int = 0
    refused: str = ""
    ended: str = ""
    not_ready: str = ""
    lost: str = ""


@dataclass
class MemoryLimit:
    """A hungry Pod and a quiet neighbour on each Node."""

    workshop: Workshop
    kubelets: Kubelets
    asker: Asker
    nodes: Sequence[NodeFact]
    clients: Sequence[Client]
    clock: Clock = SYSTEM_CLOCK
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    seen: list[Seen] = field(default_factory=list)
    neighbours: list[Object] = field(default_factory=list)

    def start(self) -> None:
        """The neighbours are Ready, and the hungry Pods have begun."""
        quiet = [self.workshop.echo_pod(f"quiet-{n}", "windows", node) for n, node in enumerate(self.nodes)]
        self.neighbours = self.workshop.pods(quiet)
        steps = {"OPR_STEP_MIB": STEP_MIB, "OPR_MOST_MIB": MOST_MIB, "OPR_PAUSE_SECONDS": PAUSE}
        hungry = [
            self.workshop.script_pod(
                f"hungry-{n}", node, "commit-memory", {**steps, "OPR_NONCE": self.nonce}, RESOURCES
            )
            for n, node in enumerate(self.nodes)
        ]
        found = self.workshop.pods(hungry, until_ready=False)
        self.seen = [Seen(node, pod) for node, pod in zip(self.nodes, found, strict=True)]

    def watch(self) -> None:
        """Three minutes: commit and Node every ten seconds, the neighbour asked all the while."""
        asked = [
            self.workshop.threads.submit(self._neighbour, client, pod) for client, pod in self._pairs()
        ]
        for _ in range(SAMPLES):
            self.clock.sleep(EVERY * self.workshop.context.timeouts.scale)
            for one in self.seen:
                self._sample(one)
        self._neighbours_answered(asked)
        for one in self.seen:
            self._read(one)
            self._remember(one)

    def must_be_honoured(self) -> None:
        """Nowhere more than the limit, everywhere a refusal, and no harm to the Node or the neighbour."""
        findings = [finding for one in self.seen if (finding := _broken(one)) is not None]
        unknown = [finding for one in self.seen if (finding := self._unknown(one)) is not None]
        for one in self.seen:
            bad = any(one.node.name in finding.nodes for finding in (*findings, *unknown))
            target = f"limit {LIMIT // MIB} MiB: commit of at most {max(one.commits, default=0) // MIB} MiB"
            outcome = Outcome.FAILED if bad else Outcome.PASSED
            self.workshop.recorder.part(Part("memory limit", one.node.place, target, outcome, one.node.name))
        if findings:
            raise AbilityNotMet(*findings)
        if unknown:
            raise CouldNotTell(*unknown)

    def _pairs(self) -> list[tuple[Client, Object]]:
        by_node = {client.place.node: client for client in self.clients}
        return [(by_node[one.node.name], pod) for one, pod in zip(self.seen, self.neighbours, strict=True)]

    def _neighbour(self, client: Client, pod: Object) -> tuple[str, list[Try]]:
        url = f"http://{pod['status']['podIP']}:{HTTP_PORT}/hostname"
        line = f"{client.curl} -g -q -sS --fail --max-time {ANSWER_SECONDS} {url}"
        ask = Ask("neighbour", line, times=SAMPLES, pause=EVERY, longest=ANSWER_SECONDS)
        answers = self.asker.ask(client, [ask])["neighbour"]
        return client.place.node, [Try(answer.good, answer.text.strip(), answer.text) for answer in answers]

    def _neighbours_answered(self, asked: Sequence[Future[tuple[str, list[Try]]]]) -> None:
        for future, pod in zip(asked, self.neighbours, strict=True):
            node, tries = future.result()
            judgement = judge(frozenset({pod["metadata"]["name"]}), tries, [], tries)
            if not judgement.good and not judgement.undecided:
                next(one for one in self.seen if one.node.name == node).lost = str(judgement)

    def _sample(self, one: Seen) -> None:
        meta = one.pod["metadata"]
        figures = container_figures(pod_figures(self.kubelets.summary(one.node), meta["namespace"], meta["name"]))
        if (commit := given(lambda: (figures or {})["memory"]["usageBytes"])) is not None:
            one.commits.append(int(commit))
            one.times.add(str((figures or {})["memory"].get("time")))
        conditions = self.workshop.cluster.get("Node", one.node.name)["status"].get("conditions") or ()
        for condition in conditions:
            if condition["type"] == "Ready" and condition["status"] != "True":
                one.not_ready = f"Ready is {condition['status']}: {condition.get('message', '')}"

    def _read(self, one: Seen) -> None:
        meta = one.pod["metadata"]
        text = self.workshop.log_of(one.pod)
        lines = [line for line in json_lines(text) if line.get("nonce") == self.nonce]
        one.taken = max((int(line.get("taken", 0)) for line in lines), default=0)
        one.refused = next((str(line["refused"]) for line in lines if line.get("refused")), "")
        status = self.workshop.cluster.get("Pod", meta["name"], meta["namespace"])["status"]
        for container in status.get("containerStatuses") or ():
            ended = container.get("state", {}).get("terminated")
            if ended and ended.get("exitCode") and ended.get("reason") != "StartError":
                one.ended = f"exit code {ended['exitCode']}"

    def _remember(self, one: Seen) -> None:
        recorder, name = self.workshop.recorder, one.node.name
        recorder.figure(f"{name} given to the process MiB", one.taken)
        recorder.figure(f"{name} highest commit MiB", max(one.commits, default=0) / MIB)
        recorder.figure(f"{name} samples with a commit", len(one.commits))

    def _unknown(self, one: Seen) -> Finding | None:
        where = f"Pod hungry with limit {LIMIT // MIB} MiB (Node {one.node.name})"
        if not one.taken:
            meta = one.pod["metadata"]
            seen = one.ended or "it has said nothing of this run"
            hint = f"kubectl -n {meta['namespace']} logs {meta['name']}"
            return Finding("A Pod that should take memory does not", where, f"steps of {STEP_MIB} MiB", seen, hint,
                           (one.node.name,), code="control")  # fmt: skip
        if len(one.times) < LEAST:
            seen = f"{len(one.commits)} in {SAMPLES} samples" + (f", all of {min(one.times)}" if one.times else "")
            hint = f"kubectl get --raw /api/v1/nodes/{one.node.name}/proxy/stats/summary"
            return Finding("The kubelet gave no figures of commit to judge by", where,
                           "memory.usageBytes above 0, and of another memory.time as time goes on", seen, hint,
                           (one.node.name,), code="no-data")  # fmt: skip
        return None


def _broken(one: Seen) -> Finding | None:
    highest, node = max(one.commits, default=0), one.node.name
    where = f"Pod hungry with limit {LIMIT // MIB} MiB (Node {node})"
    hint = f"the job object of that container on {node}: containerd's log there, and `crictl inspect` for memory"
    if highest > ALLOWED or one.taken * MIB > ALLOWED or (one.taken >= MOST_MIB and not one.refused):
        return Finding(
            "A memory limit is not honoured over time", where,
            f"a commit of at most {LIMIT // MIB} MiB and one allocation, then a refusal",
            f"the process got {one.taken} MiB" + (f", then was refused ({one.refused})" if one.refused else "")
            + f"; highest commit {highest // MIB} MiB", hint, (node,), code="memory-limit",
        )  # fmt: skip
    if one.taken and not one.refused and not one.ended:
        return Finding(
            "A commit beyond the limit is neither given nor refused", where,
            "an allocation error, or an end with a code other than 0", f"{one.taken} MiB, and then nothing", hint,
            (node,), code="memory-limit",
        )  # fmt: skip
    if one.not_ready:
        return Finding(
            "A Node did not stay Ready while a Pod reached its memory limit", f"Node {node}", "Ready all the time",
            one.not_ready, f"kubectl describe node {node}", (node,), code="memory-harm",
        )  # fmt: skip
    if one.lost:
        return Finding(
            "A neighbour stopped answering while a Pod reached its memory limit", f"Pod quiet (Node {node})",
            "an answer every ten seconds", one.lost, f"kubectl describe node {node}", (node,), code="memory-harm",
        )  # fmt: skip
    return None
