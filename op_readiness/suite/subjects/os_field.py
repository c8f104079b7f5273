"""spec.os.name: held against the rest of a Pod's spec by the API server, and against the Node by its kubelet.

A Pod that is bound to a Node by name goes round the scheduler, so only the kubelet stands between it and the wrong
system. A Pod without the field would end there in an image error, which is another thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.errors import ApiError, Invalid
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
FORBIDDEN: Mapping[str, Mapping[str, Any]] = {
    "spec.securityContext.seLinuxOptions": {"securityContext": {"seLinuxOptions": {"level": "s0"}}},
    "spec.securityContext.seccompProfile": {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
    "spec.securityContext.fsGroup": {"securityContext": {"fsGroup": 1000}},
    "spec.securityContext.runAsUser": {"securityContext": {"runAsUser": 1000}},
    "spec.shareProcessNamespace": {"shareProcessNamespace": True},
    "spec.hostPID": {"hostPID": True},
}
"""Fields of Linux that a Windows Pod cannot have (pkg/apis/core/validation, validateWindows)."""
WORDS = "cannot be set for a windows pod"
BY_FIELD, BY_LABEL = "PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch"


@dataclass
class OsField:
    """Pods of the wrong system, tried and bound."""

    workshop: Workshop
    windows: Sequence[NodeFact]
    linux: Sequence[NodeFact]

    def must_be_validated(self) -> None:
        """Each field of Linux is refused for a Windows Pod, by name and with 422; the same Pod without it is taken."""
        plain = self._answer({})
        if plain is not None:
            raise CouldNotTell(
                Finding("A Windows Pod of ours is refused", "dry run", "201 Created", plain, code="control")
            )
        wrong = []
        for field, spec in FORBIDDEN.items():
            said = self._answer(spec)
            if said is None or WORDS not in said:
                wrong.append(f"{field}: {said or 'accepted'}")
        self.workshop.recorder.api_answer = f"{len(FORBIDDEN) - len(wrong)} of {len(FORBIDDEN)} fields refused with 422"
        outcome = Outcome.FAILED if wrong else Outcome.PASSED
        self.workshop.recorder.part(Part("validation", self.windows[0].place, "fields of Linux", outcome))
        if wrong:
            raise AbilityNotMet(
                Finding(
                    "The API server takes fields of Linux in a Windows Pod", "Pod with spec.os.name windows (dry run)",
                    f"422, {WORDS}", "\n".join(wrong), "the API server, or a webhook that changes the Pod",
                    code="not-validated",
                )
            )  # fmt: skip

    def must_be_enforced(self) -> None:
        """Bound to a Node of the other system, a Pod fails with the kubelet's reason, by its field or its label."""
        pods = [*self._wrong_pods("linux", self.windows), *self._wrong_pods("windows", self.linux[:1])]
        self.workshop.create_all([manifest for manifest, _, _ in pods])
        findings = []
        for manifest, node, reason in pods:
            pod = self._settled(manifest["metadata"]["name"])
            seen = f"{pod['status'].get('phase')}, {pod['status'].get('reason') or 'no reason'}"
            good = pod["status"].get("phase") == "Failed" and pod["status"].get("reason") == reason
            outcome = Outcome.PASSED if good else Outcome.FAILED
            self.workshop.recorder.part(
                Part(f"refused by the kubelet: {reason}", node.place, manifest["metadata"]["name"], outcome, node.name)
            )
            if good and node.os == "windows":
                self.workshop.recorder.node_answered({
                    "node": node.name, "build": node.build, "boot_id": node.boot_id,
                    "answer": f"{reason}: {pod['status'].get('message', '')}",
                })  # fmt: skip
            findings += [] if good else [self._finding(pod, node, reason, seen)]
        if findings:
            raise AbilityNotMet(*findings)

    def _answer(self, spec: Mapping[str, Any]) -> str | None:
        """The refusal of a Windows Pod with more of a spec, None where it is taken."""
        manifest = self.workshop.pod("tried", "windows", self.windows[0], ["pause"])
        manifest["spec"].update(spec)
        try:
            self.workshop.cluster.create(manifest, dry_run=True)
        except Invalid as error:
            return f"422: {error.message}"
        except ApiError as error:
            what, where = "The API server did not judge a Pod", "Pod tried (dry run)"
            raise CouldNotTell(Finding(what, where, "201 or 422", str(error), code="api")) from error
        return None

    def _wrong_pods(self, os: str, nodes: Sequence[NodeFact]) -> list[tuple[Manifest, NodeFact, str]]:
        """For each Node a Pod whose field, and one whose label, is that of the other system `os`."""
        pods = []
        for number, node in enumerate(nodes):
            by_field = self._bound(f"{os}-field-{number}", os, node)
            by_label = self._bound(f"{os}-label-{number}", node.os, node)
            by_label["metadata"]["labels"]["kubernetes.io/os"] = os
            pods += [(by_field, node, BY_FIELD), (by_label, node, BY_LABEL)]
        return pods

    def _bound(self, name: str, os: str, node: NodeFact) -> Manifest:
        manifest = self.workshop.pod(name, os, node, ["pause"])
        for field in ("nodeSelector", "affinity"):
            del manifest["spec"][field]
        manifest["spec"] |= {"nodeName": node.name, "restartPolicy": "Never"}
        return manifest

    def _settled(self, name: str) -> Object:
        """The Pod once it has failed or runs; as it is when the time is up."""
        workshop = self.workshop

        def met(pod: Object | None) -> Object | None:
            over = pod is not None and pod["status"].get("phase") in ("Failed", "Succeeded", "Running")
            return pod if over else None

        within = workshop.context.timeouts.real("object_seen")
        try:
            return wait_for(workshop.cluster, "Pod", workshop.namespace, met, name=name, within=within)
        except WatchTimeout:
            return workshop.cluster.get("Pod", name, workshop.namespace)

    def _finding(self, pod: Object, node: NodeFact, reason: str, seen: str) -> Finding:
        meta = pod["metadata"]
        return Finding(
            "A kubelet does not refuse a Pod of another operating system",
            f"Pod {meta['namespace']}/{meta['name']} (Node {node.name})", f"Failed, {reason}, within 60 s", seen,
            f"kubectl -n {meta['namespace']} describe pod {meta['name']}; kubelet {node.kubelet} on {node.name}",
            (node.name,), code="os-field",
        )  # fmt: skip
