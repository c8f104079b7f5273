"""Figures that a Windows Node's kubelet gives of its Pods: in time, of each Pod, and not contradicting one another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.kubelet import SUMMARY, Answered, Kubelets, given, pod_figures
from op_readiness.observe.quantities import in_millicores
from op_readiness.observe.reach import together
from op_readiness.suite.making import Workshop

Object = dict[str, Any]
PODS, LEAST, CALLS, PAUSE, MOST_SECONDS = 10, 3, 5, 5.0, 10.0
"""test/e2e/windows/kubelet_stats.go."""
NO_ANSWER, OK = 60.0, 200
SERIES = 3
"""Series of calls before a mean that is too long counts, where the cluster's clock runs faster than ours."""
FEW, LOOKS, EVERY = 2, 18, 10.0
"""metrics.go's figures come with the kubelet's next round: three minutes."""
SUM_ABOVE = 1.5
"""Pods may seem to use this much more than their Node: both figures are of different moments."""


@dataclass
class StatsUnderLoad:
    """Ten Pods on each Node, and five calls of the Summary API one after the other."""

    workshop: Workshop
    kubelets: Kubelets
    nodes: Sequence[NodeFact]
    clock: Clock = SYSTEM_CLOCK
    crowds: dict[str, list[Object]] = field(default_factory=dict)

    def start(self) -> None:
        """The Pods run."""
        self.crowds = self.workshop.crowds(self.nodes, size=PODS, least=LEAST)

    def must_answer_in_time(self) -> None:
        """Five calls take ten seconds each in the mean, and each lists all of the Pods with their figures."""
        findings = [one for one in together(self.workshop.threads, self._node, self.nodes) if one is not None]
        if findings:
            raise AbilityNotMet(*findings)

    def _node(self, node: NodeFact) -> Finding | None:
        finding, mean = self._answered(node, self.kubelets.any_answer(node, SUMMARY, seconds=NO_ANSWER)), 0.0
        for _ in range(SERIES if self.workshop.context.timeouts.scale < 1 else 1):
            mean, wrong = self._series(node)
            finding = finding or wrong
            if mean <= MOST_SECONDS:
                break
        self.workshop.recorder.figure(f"{node.name} mean seconds of {CALLS} calls", mean)
        if finding is None and mean > MOST_SECONDS:
            finding = _slow(node, mean, len(self.crowds[node.name]))
        outcome = Outcome.FAILED if finding else Outcome.PASSED
        target = f"stats of {len(self.crowds[node.name])} Pods in {mean:.1f} s"
        self.workshop.recorder.part(Part("stats", node.place, target, outcome, node.name, seconds=mean))
        return finding

    def _series(self, node: NodeFact) -> tuple[float, Finding | None]:
        """Cluster seconds of a call in the mean, less what a call of the same way without any figures takes; and what
        is wrong with the first answer that does not tell of all Pods: a quick refusal is no quick answer.
        """
        took, wrong = list[float](), None
        for _ in range(CALLS):
            way = self.kubelets.any_answer(node, "healthz").seconds
            answer = self.kubelets.any_answer(node, SUMMARY, seconds=NO_ANSWER)
            took.append(max(0.0, answer.seconds - way))
            wrong = wrong or self._answered(node, answer)
            self.clock.sleep(PAUSE * self.workshop.context.timeouts.scale)
        return sum(took) / len(took), wrong

    def _answered(self, node: NodeFact, answer: Answered) -> Finding | None:
        try:
            summary = json.loads(answer.body) if answer.status == OK else None
        except ValueError:
            summary = None
        if isinstance(summary, dict):
            return self._figures(node, summary)
        return Finding(
            "The kubelet gives no figures of its Pods", f"Node {node.name}", f"200 at each of {CALLS} calls",
            f"{answer.status} {answer.body[:200]}", f"kubectl get --raw /api/v1/nodes/{node.name}/proxy/{SUMMARY}",
            (node.name,), code="stats",
        )  # fmt: skip

    def _figures(self, node: NodeFact, summary: Object) -> Finding | None:
        lacking = []
        for pod in self.crowds[node.name]:
            name = pod["metadata"]["name"]
            figures = pod_figures(summary, pod["metadata"]["namespace"], name)
            if missing := _missing(figures):
                lacking.append(f"{name}: {', '.join(missing)}")
        ours = {pod["metadata"]["uid"] for pod in self.crowds[node.name]}
        namespace = self.workshop.namespace
        told = [pod["podRef"] for pod in summary.get("pods") or () if pod["podRef"]["namespace"] == namespace]
        strangers = [one["name"] for one in told if one.get("uid") not in ours]
        if not lacking and not strangers:
            return None
        seen = "; ".join([*lacking[:PODS], *(f"{name} is told and does not run here" for name in strangers)])
        return Finding(
            "The kubelet's figures of Pods are not complete", f"Node {node.name}",
            f"exactly the {len(ours)} Pods of this test, each with CPU, memory and logs", seen,
            f"kubectl get --raw /api/v1/nodes/{node.name}/proxy/{SUMMARY}", (node.name,), code="stats",
        )  # fmt: skip


def _missing(figures: Object | None) -> list[str]:
    if figures is None:
        return ["not listed"]
    wanted = {
        "cpu.usageCoreNanoSeconds": given(lambda: figures["cpu"]["usageCoreNanoSeconds"]),
        "memory.workingSetBytes": given(lambda: figures["memory"]["workingSetBytes"]),
    }
    if not figures.get("containers"):
        return [*(f"no {name}" for name, value in wanted.items() if value is None), "no containers"]
    for container in figures["containers"]:
        name = f"logs.availableBytes of {container.get('name')}"
        wanted[name] = given(lambda container=container: container["logs"]["availableBytes"])  # type: ignore[misc]
    return [f"no {name}" for name, value in wanted.items() if value is None]


def _slow(node: NodeFact, mean: float, pods: int) -> Finding:
    return Finding(
        "The kubelet takes too long for the figures of its Pods", f"Node {node.name}",
        f"{MOST_SECONDS:g} s in the mean of {CALLS} calls with {pods} Pods", f"{mean:.1f} s",
        f"time kubectl get --raw /api/v1/nodes/{node.name}/proxy/{SUMMARY}; containerd on {node.name}", (node.name,),
        code="stats-slow",
    )  # fmt: skip


@dataclass
class Metrics:
    """Two Pods on each Node, in the Summary and in /metrics/resource."""

    workshop: Workshop
    kubelets: Kubelets
    nodes: Sequence[NodeFact]
    clock: Clock = SYSTEM_CLOCK
    pods: dict[str, list[Object]] = field(default_factory=dict)

    def start(self) -> None:
        """The Pods run."""
        made = [
            self.workshop.pod(f"metered-{n}-{k}", "windows", node, ["pause"])
            for n, node in enumerate(self.nodes) for k in range(FEW)
        ]  # fmt: skip
        for pod in self.workshop.pods(made, until_ready=False):
            self.pods.setdefault(pod["spec"]["nodeName"], []).append(pod)

    def must_agree(self) -> None:
        """Within three minutes both give each Pod a working set, and CPU of Pods, Node and machine are in order."""
        left = {node.name: node for node in self.nodes}
        wrong: dict[str, str] = {}
        for look in range(LOOKS):
            if look:
                self.clock.sleep(EVERY * self.workshop.context.timeouts.scale)
            seen = together(self.workshop.threads, self._node, list(left.values()))
            wrong = {node: said for node, said in zip(left, seen, strict=True) if said}
            left = {name: node for name, node in left.items() if name in wrong}
            if not left:
                break
        for node in self.nodes:
            outcome = Outcome.FAILED if node.name in wrong else Outcome.PASSED
            self.workshop.recorder.part(Part("metrics", node.place, f"{FEW} Pods", outcome, node.name))
        if wrong:
            raise AbilityNotMet(*[_disagree(node, said) for node, said in wrong.items()])

    def _node(self, node: NodeFact) -> str:
        """What is wrong with a Node's figures, empty where nothing is."""
        summary = self.kubelets.summary(node)
        samples = self.kubelets.metrics(node, "metrics/resource")
        errors = [value for name, _, value in samples if name in ("resource_scrape_error", "scrape_error")]
        wrong = ["/metrics/resource says that it could not gather everything"] if any(errors) else []
        for pod in self.pods[node.name]:
            wrong += self._pod(pod, summary, samples)
        return "; ".join([*wrong, *self._cpu(node, summary)])

    def _pod(self, pod: Object, summary: Object, samples: Sequence[tuple[str, dict[str, str], float]]) -> list[str]:
        meta = pod["metadata"]
        figures = pod_figures(summary, meta["namespace"], meta["name"])
        if figures is None or len(figures.get("containers") or ()) != 1:
            return [f"{meta['name']}: not exactly one container in the Summary"]
        wrong = []
        if given(lambda: figures["containers"][0]["memory"]["workingSetBytes"]) is None:
            wrong.append(f"{meta['name']}: no memory.workingSetBytes in the Summary")
        if not _metric(samples, "pod_memory_working_set_bytes", meta) > 0:
            wrong.append(f"{meta['name']}: pod_memory_working_set_bytes is not above 0 in /metrics/resource")
        return wrong

    def _cpu(self, node: NodeFact, summary: Object) -> list[str]:
        """Pods use something, together no more than their Node, and that no more than its processors."""
        capacity = self.workshop.cluster.get("Node", node.name)["status"]["capacity"]["cpu"]
        cores = in_millicores(capacity) / 1000
        pods = [_cores(pod) for pod in summary.get("pods") or ()]
        own = _cores(summary["node"])
        recorder = self.workshop.recorder
        recorder.figure(f"{node.name} cores used by the Node", own)
        recorder.figure(f"{node.name} cores used by its Pods", sum(pods))
        wrong = []
        if pods and not any(pods):
            wrong.append("cpu.usageNanoCores of all Pods is 0 or missing")
        if sum(pods) > own * SUM_ABOVE:
            wrong.append(f"Pods use {sum(pods):.3f} cores, and their Node {own:.3f}")
        if own > cores * 1.05:
            wrong.append(f"the Node uses {own:.3f} cores and has {cores:g}")
        return wrong


def _metric(samples: Sequence[tuple[str, dict[str, str], float]], name: str, meta: Mapping[str, Any]) -> float:
    wanted = {"namespace": meta["namespace"], "pod": meta["name"]}
    return next((value for one, labels, value in samples if one == name and wanted.items() <= labels.items()), 0.0)


def _cores(figures: Object) -> float:
    return (given(lambda: figures["cpu"]["usageNanoCores"]) or 0.0) / 1e9


def _disagree(node: str, said: str) -> Finding:
    return Finding(
        "A kubelet's figures are missing or contradict one another", f"Node {node}",
        "each Pod with its working set in the Summary and in /metrics/resource; Pods together at most their Node, and "
        "that at most its processors", said,
        f"kubectl get --raw /api/v1/nodes/{node}/proxy/metrics/resource", (node,), code="metrics",
    )  # fmt: skip
