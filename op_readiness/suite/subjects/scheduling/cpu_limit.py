"""A CPU limit over time: a Pod that would compute with two cores and may use half of one, beside one without a limit.

One sample says little (kubernetes/kubernetes#124643), and a figure that is missing reads as "within the limit"
(kubernetes/kubernetes#122382). So usage is the difference of two core-second counters over a minute of the samples' own
time, three times; a counter that is missing or stands still is no data; and the Pod without a limit shows that the load
is real and that the Node has cores to spare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.finished import json_lines
from op_readiness.observe.kubelet import Kubelets, container_figures, given, pod_figures
from op_readiness.observe.pods import running
from op_readiness.observe.quantities import in_millicores
from op_readiness.observe.reach import together
from op_readiness.suite.making import Workshop

Object = dict[str, Any]
LIMIT, LEAST, MOST = 0.5, 0.3, 0.6
"""Cores: what the Pod may use, and what a minute's mean must lie between."""
ABOVE = 0.525
"""Beyond this (5 % over) a minute within the bounds is noted; test/e2e/windows/cpu_limits.go once failed it."""
UNLIMITED_LEAST = 0.9
SETTLE, WINDOW, WINDOWS = 120.0, 60.0, 3
"""Cluster seconds: as cpu_limits.go waits, and three minutes of measuring."""
TOO_SHORT, MORE, TRIES = 0.9, 5.0, 24
"""A window whose samples lie less than this part of it apart is measured again after some seconds more."""
THREADS, LEAST_CPUS = 2, 2
RESOURCES = {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "500m", "memory": "512Mi"}}
LIMITED, FREE = "limited", "free"


@dataclass(frozen=True)
class Sample:
    """A counter at a time, in core seconds and seconds since 1970."""

    at: float
    core_seconds: float


@dataclass
class CpuLimit:
    """Both Pods on each Node that has two CPUs or more; `cores` are the means of each window by Node and Pod."""

    workshop: Workshop
    kubelets: Kubelets
    nodes: Sequence[NodeFact]
    clock: Clock = SYSTEM_CLOCK
    pods: dict[tuple[str, str], Object] = field(default_factory=dict)
    cores: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def start(self) -> None:
        """Make the Pods, and wait until all of them compute; Nodes with fewer than two CPUs are left out."""
        self.nodes = self._large_enough()
        made = [self._pod(n, node, kind) for n, node in enumerate(self.nodes) for kind in (LIMITED, FREE)]
        found = self.workshop.pods(made, until_ready=False)
        keys = [(node.name, kind) for node in self.nodes for kind in (LIMITED, FREE)]
        self.pods = dict(zip(keys, found, strict=True))
        self._sleep(SETTLE)
        for key, pod in self.pods.items():
            text = self.workshop.log_of(pod)
            if not any(line.get("threads") == THREADS for line in json_lines(text)):
                raise CouldNotTell(_does_not_compute(pod, key[0], text))

    def measure(self) -> None:
        """Three windows of a minute, all Nodes side by side."""
        for one in together(self.workshop.threads, self._windows, self.nodes):
            self.cores |= one
        for (node, kind), values in self.cores.items():
            for number, value in enumerate(values, 1):
                self.workshop.recorder.figure(f"{node} {kind} minute {number} cores", value)

    def must_be_honoured(self) -> None:
        """Every minute lies within the bounds on every Node; the Pod without a limit shows that it could be more."""
        self._still_the_same()
        findings, unknown = [], []
        for node in self.nodes:
            free, limited = self.cores[node.name, FREE], self.cores[node.name, LIMITED]
            if not limited or not free:
                unknown.append(_no_data(node, LIMITED if not limited else FREE))
            elif not all(LEAST <= one <= MOST for one in limited):
                if max(limited) <= MOST and min(free) <= UNLIMITED_LEAST:
                    unknown.append(_busy(node, free))
                else:
                    findings.append(_not_honoured(node, limited, free))
            elif min(free) <= UNLIMITED_LEAST:
                unknown.append(_busy(node, free))
            elif max(limited) > ABOVE:
                self.workshop.recorder.note(f"Node {node.name}: a minute of {max(limited):.3f} cores, limit {LIMIT:g}")
            self._part(node, limited, [*findings, *unknown])
        if findings:
            raise AbilityNotMet(*findings)
        if unknown:
            raise CouldNotTell(*unknown)

    def _large_enough(self) -> list[NodeFact]:
        cpus = {n.name: in_millicores(self._status(n)["capacity"]["cpu"]) // 1000 for n in self.nodes}
        small = [node for node in self.nodes if cpus[node.name] < LEAST_CPUS]
        for node in small:
            why = f"{cpus[node.name]} CPU: a limit of half a core needs a Node with {LEAST_CPUS} or more"
            part = Part("CPU limit", node.place, "", Outcome.SKIPPED, target_node=node.name, reason=why)
            self.workshop.recorder.part(part)
        if len(small) == len(self.nodes):
            raise NotTested(f"no Windows Node has {LEAST_CPUS} CPUs or more", reason=SkipReason.TOO_FEW_NODES)
        return [node for node in self.nodes if node not in small]

    def _status(self, node: NodeFact) -> Object:
        status: Object = self.workshop.cluster.get("Node", node.name)["status"]
        return status

    def _pod(self, number: int, node: NodeFact, kind: str) -> Object:
        resources = RESOURCES if kind == LIMITED else None
        return self.workshop.script_pod(f"{kind}-{number}", node, "burn-cpu", {"OPR_THREADS": THREADS}, resources)

    def _windows(self, node: NodeFact) -> dict[tuple[str, str], list[float]]:
        kinds = (LIMITED, FREE)
        means: dict[tuple[str, str], list[float]] = {(node.name, kind): [] for kind in kinds}
        before = self._samples(node)
        for _ in range(WINDOWS):
            self._sleep(WINDOW)
            after = self._samples(node)
            for _ in range(TRIES):
                if not self._too_short(before, after):
                    break
                self._sleep(MORE)
                after = self._samples(node)
            for kind in kinds:
                if (value := _mean(before.get(kind), after.get(kind))) is not None:
                    means[node.name, kind].append(value)
            before = after
        return means

    @staticmethod
    def _too_short(before: dict[str, Sample], after: dict[str, Sample]) -> bool:
        both = [kind for kind in before if kind in after]
        return any(after[kind].at - before[kind].at < TOO_SHORT * WINDOW for kind in both)

    def _samples(self, node: NodeFact) -> dict[str, Sample]:
        summary, samples = self.kubelets.summary(node), {}
        for kind in (LIMITED, FREE):
            meta = self.pods[node.name, kind]["metadata"]
            one = container_figures(pod_figures(summary, meta["namespace"], meta["name"]))
            if one and (counter := given(lambda one=one: one["cpu"]["usageCoreNanoSeconds"])):  # type: ignore[misc]
                samples[kind] = Sample(_seconds(one["cpu"]["time"]), counter / 1e9)
        return samples

    def _still_the_same(self) -> None:
        """A Pod that was started again, or does not run, has not computed all the time."""
        for (node, _), old in self.pods.items():
            meta = old["metadata"]
            pod = self.workshop.cluster.get("Pod", meta["name"], meta["namespace"])
            restarts = sum(one.get("restartCount", 0) for one in pod["status"].get("containerStatuses") or [])
            if not running(pod) or restarts or pod["metadata"]["uid"] != meta["uid"]:
                raise CouldNotTell(_does_not_compute(pod, node, f"phase {pod['status'].get('phase')}"))

    def _part(self, node: NodeFact, limited: Sequence[float], findings: Sequence[Finding]) -> None:
        bad = any(node.name in finding.nodes for finding in findings)
        seen = ", ".join(f"{one:.3f}" for one in limited) or "no figures"
        outcome = Outcome.FAILED if bad else Outcome.PASSED
        target = f"limit {LIMIT:g} cores: {seen} in {len(limited)} minutes"
        self.workshop.recorder.part(Part("CPU limit", node.place, target, outcome, target_node=node.name))

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds * self.workshop.context.timeouts.scale)


def _mean(before: Sample | None, after: Sample | None) -> float | None:
    """Cores between two samples; None where a counter is missing or has not moved."""
    if before is None or after is None or after.at <= before.at or after.core_seconds <= before.core_seconds:
        return None
    return (after.core_seconds - before.core_seconds) / (after.at - before.at)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def _not_honoured(node: NodeFact, limited: Sequence[float], free: Sequence[float]) -> Finding:
    return Finding(
        "A CPU limit is not honoured over time", f"Pod {LIMITED} with limit {LIMIT:g} (Node {node.name})",
        f"each minute's mean from {LEAST:g} to {MOST:g} cores",
        f"{_shown(limited)} cores; the Pod without a limit used {_shown(free)}",
        f"the job object's CPU rate of that container on {node.name}: containerd's log there, and "
        "`crictl inspect` for windows.resources.cpu", (node.name,), code="cpu-limit",
    )  # fmt: skip


def _no_data(node: NodeFact, kind: str) -> Finding:
    return Finding(
        "The kubelet gave no figures of CPU to judge by", f"Pod {kind} (Node {node.name})",
        "usageCoreNanoSeconds that grow from minute to minute", "missing, zero, or the same all the time",
        f"kubectl get --raw /api/v1/nodes/{node.name}/proxy/stats/summary", (node.name,), code="no-data",
    )  # fmt: skip


def _busy(node: NodeFact, free: Sequence[float]) -> Finding:
    return Finding(
        "The Node has no cores to spare, so a limit cannot be told from want", f"Pod {FREE} (Node {node.name})",
        f"more than {UNLIMITED_LEAST:g} cores without a limit", f"{_shown(free)} cores",
        f"kubectl top pods -A --field-selector spec.nodeName={node.name}", (node.name,), code="control",
    )  # fmt: skip


def _does_not_compute(pod: Object, node: str, seen: str) -> Finding:
    meta = pod["metadata"]
    return Finding(
        "A Pod that should compute does not", f"Pod {meta['namespace']}/{meta['name']} (Node {node})",
        f"{THREADS} threads that compute, never started again", seen[-300:] or "it wrote nothing",
        f"kubectl -n {meta['namespace']} logs {meta['name']}", (node,), code="control",
    )  # fmt: skip
