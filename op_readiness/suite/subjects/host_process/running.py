"""HostProcess Pods under judgement: one on each selected Windows Node, run to its end, and what became of it.

That they start is what these abilities promise, so a Pod that does not is the cluster's answer, unless it had no
chance to (an image that does not come, a Pod that nobody schedules).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.finished import OVER, json_lines, written
from op_readiness.observe.pods import newest_event
from op_readiness.observe.starting import NOT_THE_NODES_DOING
from op_readiness.suite.making import Workshop
from op_readiness.suite.refusals import without_privileges
from op_readiness.workloads import scripts
from op_readiness.workloads.host_process import SYSTEM, host_pod
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
SYSTEM_SID = "S-1-5-18"
FIRST_RUNTIME, BINDS = (1, 6), (1, 7)
SOURCE = "kubernetes.io: Create a Windows HostProcess Pod, containerd v1.6+"
BINDS_SOURCE = "kubernetes.io: Create a Windows HostProcess Pod, containerd v1.7 and greater"
IMAGE = r"%CONTAINER_SANDBOX_MOUNT_POINT%"
"""Where the image and the volumes of a HostProcess container lie, for containerd 1.6 and for 1.7 and later alike."""


@dataclass(frozen=True)
class Ended:
    """What became of a HostProcess Pod. `code` is None where its container did not run to an end."""

    node: NodeFact
    pod: Object
    code: int | None
    state: str
    text: str = ""

    @property
    def good(self) -> bool:
        """Whether it ran and ended with 0."""
        return self.code == 0

    @property
    def seen(self) -> str:
        """What it printed and how it ended, in a line."""
        return f"{self.text.strip()[-300:]} ({self.state})" if self.text.strip() else self.state

    @property
    def said(self) -> Object:
        """The last line of JSON that it printed; empty where there is none."""
        lines = json_lines(self.text)
        return lines[-1] if lines else {}

    def check(self, path: str, target: str, expected: str, good: bool, seen: str = "") -> Check:
        """A statement about it."""
        meta = self.pod["metadata"]
        command = f"kubectl -n {meta['namespace']} logs {meta['name']}"
        return Check(path, self.node.place, target, expected, seen or self.seen, good, command)


def runtime_version(node: NodeFact) -> tuple[int, int] | None:
    """Major and minor version of a Node's containerd; None for another runtime, or one that does not say."""
    found = re.fullmatch(r"containerd://v?(\d+)\.(\d+).*", node.runtime)
    return (int(found[1]), int(found[2])) if found else None


@dataclass
class HostProcess:
    """HostProcess Pods on the selected Windows Nodes whose runtime can have them."""

    workshop: Workshop
    selected: Sequence[NodeFact]
    nodes: list[NodeFact] = field(default_factory=list)
    unknown: list[Finding] = field(default_factory=list)

    def start(self) -> None:
        """A privileged Namespace; Nodes whose runtime cannot run HostProcess containers are left out, with reason."""
        self.workshop.own_namespace("privileged")
        self.nodes = self.only("HostProcess containers", FIRST_RUNTIME, SOURCE, self.selected)

    def only(self, what: str, least: tuple[int, int], source: str, nodes: Sequence[NodeFact]) -> list[NodeFact]:
        """The Nodes with a containerd of at least that version; raises NotApplicable where there are none."""
        able = [node for node in nodes if (version := runtime_version(node)) is None or version >= least]
        asked = ".".join(map(str, least))
        for node in (one for one in nodes if one not in able):
            why = f"{what} need containerd {asked} or later, {node.name} has {node.runtime}"
            self.workshop.recorder.part(Part("runtime", node.place, what, Outcome.SKIPPED, node.name, reason=why))
        if not able:
            raise NotApplicable(f"{what} need containerd {asked} or later on some Node", source=source)
        return able

    @property
    def checks(self) -> Checks:
        """A new collection of statements."""
        return Checks(self.workshop.recorder)

    def script(self, name: str, script: str, given: Callable[[NodeFact], Mapping[str, object]]) -> list[Ended]:
        """Run one of our scripts on every Node, with input a Node."""
        self.workshop.note_script(script)
        line = scripts.command(script, on_host=True)
        return self.run(name, lambda node: self.pod(name, node, line, env=scripts.environment(given(node))))

    def cmd(self, name: str, line: Callable[[NodeFact], str], **fields: Any) -> list[Ended]:
        """Run a command line of cmd.exe on every Node."""
        return self.run(name, lambda node: self.pod(name, node, ["cmd.exe", "/c", line(node)], **fields))

    def pod(self, name: str, node: NodeFact, command: Sequence[str], **fields: Any) -> Manifest:
        """The manifest of a HostProcess Pod; `fields` are those of `host_pod`."""
        workshop, context = self.workshop, self.workshop.context
        return host_pod(
            self.name(name, node), workshop.namespace, node, image=context.images.agnhost,
            labels=workshop.labels, command=command, pull_secret=context.pull_secret, **fields,
        )  # fmt: skip

    def run(self, name: str, manifest: Callable[[NodeFact], Manifest]) -> list[Ended]:
        """Make a Pod a Node, wait until all have ended or the time is over, and tell what became of each."""
        self.create([manifest(node) for node in self.nodes])
        return self.ended(name)

    def ended(self, name: str) -> list[Ended]:
        """What has become of the Pods `name` that were made for the Nodes, when all have ended or the time is over."""
        names = [self.name(name, node) for node in self.nodes]
        found = self.over(names)
        return [
            ended for node, one in zip(self.nodes, names, strict=True)
            if (ended := self._ended(node, found.get(one))) is not None
        ]  # fmt: skip

    def over(self, names: Sequence[str]) -> dict[str, Object]:
        """The Pods `names` of the Namespace, when all have ended or the time is over; some others may be among them."""
        cluster, namespace = self.workshop.cluster, self.workshop.namespace

        def met(pods: list[Object]) -> dict[str, Object] | None:
            found = {p["metadata"]["name"]: p for p in pods if (p.get("status") or {}).get("phase") in OVER}
            return found if set(names) <= set(found) else None

        try:
            return wait_for(cluster, "Pod", namespace, met, within=self.workshop.context.timeouts.real("pods_ready"))
        except WatchTimeout:
            return {pod["metadata"]["name"]: pod for pod in cluster.list("Pod", namespace)}

    def name(self, name: str, node: NodeFact) -> str:
        """The name of a Pod on a Node."""
        return f"{name}-{self.selected.index(node)}"

    def create(self, manifests: Sequence[Manifest]) -> None:
        """Make Pods; raises NotTested where Pod Security forbids privileged ones."""
        try:
            self.workshop.create_all(manifests)
        except CouldNotTell as error:
            raise without_privileges(error) or error from error.__cause__

    def nothing_may_be_unknown(self) -> None:
        """What could be found out was judged; raises CouldNotTell where some Node could not be."""
        if self.unknown:
            raise CouldNotTell(*{finding.where: finding for finding in self.unknown}.values())

    def must_hold(self, checks: Checks, what: str, *, hint: str, code: str) -> None:
        """Raise what the statements come to; then what could not be found out."""
        checks.must_hold(what, hint=hint, code=code)
        self.nothing_may_be_unknown()

    def _ended(self, node: NodeFact, pod: Object | None) -> Ended | None:
        if pod is None:
            self._is_unknown(node, "the Pod is gone", "its end")
            return None
        state, code = _state(pod)
        if pod["status"].get("phase") not in OVER:
            name = pod["metadata"]["name"]
            state = f"{state}; {newest_event(self.workshop.cluster, self.workshop.namespace, name)}"
            if any(word in state for word in NOT_THE_NODES_DOING):
                self._is_unknown(node, state, "a Pod that runs")
                return None
            return Ended(node, pod, None, f"did not end in {self.workshop.context.timeouts.pods_ready:g} s: {state}")
        if code is None:
            return Ended(node, pod, None, f"did not start: {state}")
        try:
            text = written(self.workshop.cluster, self.workshop.recorder, pod, self.workshop.context.timeouts)
        except CouldNotTell as error:
            self.unknown += error.findings
            return None
        return Ended(node, pod, code, state, text)

    def _is_unknown(self, node: NodeFact, seen: str, expected: str) -> None:
        where = f"HostProcess Pod on Node {node.name}"
        hint = f"kubectl -n {self.workshop.namespace} describe pods"
        self.unknown.append(Finding("A HostProcess Pod of ours cannot be judged", where, expected, seen, hint,
                                    (node.name,), code="pods"))  # fmt: skip


def _state(pod: Object) -> tuple[str, int | None]:
    """How its containers stand, in a few words, and the exit code of the main one if it ran."""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        state = container.get("state") or {}
        if waiting := state.get("waiting"):
            return f"{container['name']} {waiting.get('reason', '')} {waiting.get('message', '')}".strip(), None
        ended = state.get("terminated")
        if ended and (ended.get("reason") in ("StartError", "ContainerCannotRun")):
            return f"{container['name']} {ended['reason']} {ended.get('message', '')}".strip(), None
        if ended and container["name"] == "main":
            return f"exit code {ended.get('exitCode')}", ended.get("exitCode")
        if ended and ended.get("exitCode"):
            return f"{container['name']}: exit code {ended['exitCode']}", None
    return f"phase {status.get('phase')} {status.get('message', '')}".strip(), None


__all__ = ["BINDS", "BINDS_SOURCE", "IMAGE", "SYSTEM", "SYSTEM_SID", "Ended", "HostProcess", "runtime_version"]
