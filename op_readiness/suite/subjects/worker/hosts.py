"""Windows Nodes seen from within: one HostProcess Pod a Node runs a script or a console command to its end.

Pods that end by themselves and their logs, not exec: there is nothing to hang. Where no privileged Pod may be made,
nothing is tested, and the right that is missing is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.finished import json_lines, wait_for_ends
from op_readiness.suite.making import Workshop
from op_readiness.suite.refusals import without_privileges
from op_readiness.workloads import scripts
from op_readiness.workloads.host_process import host_pod
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]


@dataclass
class Hosts:
    """The selected Windows Nodes; everything is asked of all of them side by side."""

    workshop: Workshop
    nodes: Sequence[NodeFact]
    unknown: list[Finding] = field(default_factory=list)
    """Of which Nodes nothing could be read, and why; the others are judged first."""

    def __post_init__(self) -> None:
        self.workshop.level = "privileged"

    def ask(self, script: str, *, turn: int = 0, given: Mapping[str, object] | None = None) -> dict[str, Object]:
        """What a script says of each Node that can be read, by its name. `turn` tells two askings apart."""
        self.workshop.note_script(script)
        env = scripts.environment(given or {})
        said = self._texts(f"{script}-{turn}", lambda _: scripts.command(script, on_host=True), env=env)
        answers = {}
        for node, exit, text in said:
            if lines := json_lines(text):
                answers[node.name] = lines[-1]
                self._keep(node, f"{script}.ps1")
            else:
                self.unknown.append(_not_said(node, f"{script}.ps1", exit, text))
        return answers

    def run(self, name: str, command: Callable[[NodeFact], str], *, within: str = "pods_ready") -> dict[str, str]:
        """What a console command line prints on each Node that can be read, by its name, whatever its exit code."""
        texts = {}
        for node, exit, text in self._texts(name, lambda node: ["cmd.exe", "/c", command(node)], within):
            if text.strip():
                texts[node.name] = text
                self._keep(node, name)
            else:
                self.unknown.append(_not_said(node, name, exit, text))
        return texts

    def nothing_may_be_unknown(self) -> None:
        """What could be read was judged; raises CouldNotTell where some Node could not be."""
        if self.unknown:
            raise CouldNotTell(*{finding.where: finding for finding in self.unknown}.values())

    def _keep(self, node: NodeFact, what: str) -> None:
        kept = {"node": node.name, "build": node.build, "boot_id": node.boot_id}
        self.workshop.recorder.node_answered({**kept, "answer": f"{what}: a HostProcess Pod ran it"})

    def _texts(
        self, name: str, command: Callable[[NodeFact], list[str]], within: str = "pods_ready",
        env: Sequence[Object] = (),
    ) -> list[tuple[NodeFact, str, str]]:
        """Node, exit code as told, and output, for each Node whose log can be read."""
        workshop = self.workshop
        manifests = [self._pod(f"{name}-{n}", node, command(node), env) for n, node in enumerate(self.nodes)]
        try:
            workshop.create_all(manifests)
        except CouldNotTell as error:
            raise without_privileges(error) or error from error.__cause__
        names = [one["metadata"]["name"] for one in manifests]
        timeouts = workshop.context.timeouts
        pods = wait_for_ends(workshop.cluster, workshop.namespace, names, timeouts=timeouts, within=within)
        found = []
        for node, pod in zip(self.nodes, (pods[one] for one in names), strict=True):
            try:
                found.append((node, _exit(pod), workshop.log_of(pod)))
            except CouldNotTell as error:
                self.unknown += error.findings
        return found

    def _pod(self, name: str, node: NodeFact, command: list[str], env: Sequence[Object]) -> Manifest:
        workshop = self.workshop
        return host_pod(
            name, workshop.namespace, node, image=workshop.context.images.agnhost, labels=workshop.labels,
            command=command, env=env, pull_secret=workshop.context.pull_secret,
        )  # fmt: skip


def _exit(pod: Object) -> str:
    for container in pod["status"].get("containerStatuses") or ():
        ended = container.get("state", {}).get("terminated") or {}
        return f"exit code {ended.get('exitCode')} {ended.get('reason', '')} {ended.get('message', '')}".strip()
    return f"phase {pod['status'].get('phase')}"


def _not_said(node: NodeFact, what: str, exit: str, text: str) -> Finding:
    return Finding(
        f"{what} gave no answer", f"HostProcess Pod on Node {node.name}", "what its header promises",
        f"{exit}; {text.strip()[-300:] or 'no output'}", "HostProcess Pods need containerd 1.6 or later",
        (node.name,), code="tool",
    )  # fmt: skip
