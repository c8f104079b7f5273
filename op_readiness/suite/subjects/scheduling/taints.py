"""Taints that keep Pods of other systems off Windows Nodes: advised, and left out by many who offer clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import TRANSIENT_TAINTS

Object = dict[str, Any]
KEEPS_AWAY = ("NoSchedule", "NoExecute")
UNTOLERATED = "untolerated taint"


@dataclass
class Taints:
    """All Windows Nodes that take Pods."""

    workshop: Workshop
    nodes: Sequence[NodeFact]

    def must_keep_unmarked_pods_away(self) -> None:
        """A Pod that wants a Windows Node, says no system and tolerates nothing stays Pending for the taints.

        Where no Windows Node has a taint at all that is the cluster's own choice: told as a note.
        """
        bare = self._bare()
        if len(bare) == len(self.nodes):
            self.workshop.recorder.note(
                "no Windows Node has a taint: Linux Pods without a nodeSelector may land there (os=windows:NoSchedule "
                "is advised)"
            )
            self.workshop.recorder.api_answer = f"spec.taints of {len(self.nodes)} Windows Nodes: none"
            self._part(Outcome.PASSED, bare)
            return
        pod = self._unmarked()
        message = _message(pod)
        node = pod["spec"].get("nodeName", "")
        self.workshop.recorder.api_answer = message or f"bound to {node}"
        self._part(Outcome.FAILED if node or bare else Outcome.PASSED, bare)
        if node or bare:
            raise AbilityNotMet(self._finding(node, bare))
        if UNTOLERATED not in message:
            raise CouldNotTell(
                Finding(
                    "An unmarked Pod is Pending, for another reason than taints", f"Pod {pod['metadata']['name']}",
                    f"... {UNTOLERATED}(s)", message or "no condition PodScheduled", code="control",
                )
            )  # fmt: skip

    def _bare(self) -> list[str]:
        """Nodes without a lasting taint, as the API shows them now."""
        found = {node["metadata"]["name"]: node for node in self.workshop.cluster.list("Node")}
        return [
            node.name for node in self.nodes
            if not any(
                taint.get("effect") in KEEPS_AWAY and taint["key"] not in TRANSIENT_TAINTS
                for taint in (found.get(node.name) or {}).get("spec", {}).get("taints") or ()
            )
        ]  # fmt: skip

    def _unmarked(self) -> Object:
        workshop, name = self.workshop, "unmarked"
        manifest = workshop.pod(name, "windows", None, ["pause"])
        for field in ("os", "nodeSelector", "tolerations"):
            del manifest["spec"][field]
        expression = {"key": "kubernetes.io/os", "operator": "In", "values": ["windows"]}
        terms = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
        manifest["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
        workshop.create(manifest)

        def met(pod: Object | None) -> Object | None:
            return pod if pod is not None and (pod["spec"].get("nodeName") or _message(pod)) else None

        within = workshop.context.timeouts.real("object_seen")
        try:
            return wait_for(workshop.cluster, "Pod", workshop.namespace, met, name=name, within=within)
        except WatchTimeout:
            where = f"Pod {workshop.namespace}/{name}"
            raise CouldNotTell(
                Finding("The scheduler said nothing of a Pod", where, "a Node, or why none, within 60 s", "nothing",
                        "look at kube-scheduler", code="control")
            ) from None  # fmt: skip

    def _part(self, outcome: Outcome, bare: Sequence[str]) -> None:
        target = f"{len(self.nodes) - len(bare)} of {len(self.nodes)} Windows Nodes are tainted"
        self.workshop.recorder.part(Part("taints", self.nodes[0].place, target, outcome))

    def _finding(self, node: str, bare: Sequence[str]) -> Finding:
        bound = f"; an unmarked Pod was bound to Node {node}" if node else ""
        nodes = tuple(sorted({*bare, *([node] if node else [])}))
        return Finding(
            "Pods of other systems can land on a Windows Node", f"Node {', '.join(nodes)}",
            "a taint NoSchedule or NoExecute, as the other Windows Nodes have it",
            f"none on {', '.join(bare) or 'no Node'}{bound}",
            f"kubectl taint node {nodes[0]} os=windows:NoSchedule", nodes, code="untainted",
        )  # fmt: skip


def _message(pod: Object) -> str:
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message", ""))
    return ""
