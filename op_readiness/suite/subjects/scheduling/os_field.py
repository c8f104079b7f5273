"""spec.os.name: held against the rest of a Pod's spec by the API server, and against the Node by its kubelet.

A Pod that is bound to a Node by name goes round the scheduler, so only the kubelet stands between it and the wrong
system. A Pod without the field would end there in an image error, which is another thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.errors import ApiError, Forbidden, Invalid
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.suite.making import Workshop
from op_readiness.suite.refusals import by_pod_security
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
SHOWN = 8
PROFILES: Object = {"seLinuxOptions": {"level": "s0"}, "seccompProfile": {"type": "RuntimeDefault"}}
OF_SPEC: Object = {"hostPID": True, "hostIPC": True, "shareProcessNamespace": False}
OF_POD: Object = PROFILES | {
    "fsGroup": 1000, "fsGroupChangePolicy": "Always", "sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}],
    "runAsUser": 1000, "runAsGroup": 1000, "supplementalGroups": [1000],
}  # fmt: skip
OF_CONTAINER: Object = PROFILES | {
    "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": False, "privileged": False,
    "allowPrivilegeEscalation": False, "runAsUser": 1000, "runAsGroup": 1000,
}  # fmt: skip
"""Fields of Linux that a Windows Pod cannot have, whatever their value (pkg/apis/core/validation, validateWindows).

Those that every API server from 1.25 on knows: it drops a field that is newer, or behind a gate, without a word.
"""
FORBIDDEN = (
    *(f"spec.{field}" for field in OF_SPEC),
    *(f"spec.securityContext.{field}" for field in OF_POD),
    *(f"spec.containers[0].securityContext.{field}" for field in OF_CONTAINER),
)
WORDS, WORDS_LINUX = "cannot be set for a windows pod", "windows options cannot be set for a linux pod"
OPTIONS = "spec.securityContext.windowsOptions"
BY_FIELD, BY_LABEL = "PodOSNotSupported", "PodOSSelectorNodeLabelDoesNotMatch"


@dataclass
class OsField:
    """Pods of the wrong system, tried and bound."""

    workshop: Workshop
    windows: Sequence[NodeFact]
    linux: Sequence[NodeFact]

    def must_be_validated(self) -> None:
        """Each field of the other system is refused by name, with 422; the same Pod without them is taken."""
        plain = self._answer("windows", {})
        if plain is not None:
            raise CouldNotTell(
                Finding("A Windows Pod of ours is refused", "dry run", "201 Created", "; ".join(plain), code="control")
            )
        of_linux = self._answer("windows", OF_SPEC | {"securityContext": OF_POD}, OF_CONTAINER)
        of_windows = self._answer("linux", {"securityContext": {"windowsOptions": {"runAsUserName": "ContainerUser"}}})
        wrong = [
            *_not_refused(of_linux, FORBIDDEN, WORDS),
            *_not_refused(of_windows, (OPTIONS,), WORDS_LINUX),
            *_not_refused(self._answer("Windows", {}), ("spec.os",), "Unsupported value"),
        ]
        count = len(FORBIDDEN) + 2
        self.workshop.recorder.api_answer = f"{count - len(wrong)} of {count} fields refused with 422"
        outcome = Outcome.FAILED if wrong else Outcome.PASSED
        self.workshop.recorder.part(Part("validation", self.windows[0].place, "fields of the other system", outcome))
        if wrong:
            more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
            raise AbilityNotMet(
                Finding(
                    "The API server takes fields of Linux in a Windows Pod, or does not know its system",
                    "Pod with spec.os.name (dry run)", f"422 for each: {WORDS}", "\n".join([*wrong[:SHOWN], *more]),
                    "the API server, or a webhook that changes the Pod: one that is older than spec.os removes it",
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

    def _answer(self, os: str, spec: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> list[str] | None:
        """What is said of each field of a Pod with more of a spec and of a container's context; None: it is taken."""
        manifest = self.workshop.pod("tried", "windows", self.windows[0], ["pause"])
        manifest["spec"].update(spec)
        manifest["spec"]["os"] = {"name": os}
        if context:
            manifest["spec"]["containers"][0]["securityContext"] = dict(context)
        try:
            self.workshop.cluster.create(manifest, dry_run=True)
        except Invalid as error:
            causes = error.details.get("causes") or []
            return [f"{cause.get('field')}: {cause.get('message')}" for cause in causes] or [error.message]
        except Forbidden as error:
            if by_pod_security(error.message):  # it looks at a Pod only once its fields have passed
                return [error.message]
            raise CouldNotTell(_not_judged(error)) from error
        except ApiError as error:
            raise CouldNotTell(_not_judged(error)) from error
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


def _not_judged(error: ApiError) -> Finding:
    what, where = "The API server did not judge a Pod", "Pod tried (dry run)"
    return Finding(what, where, "201 or 422", str(error), code="api")


def _not_refused(said: list[str] | None, fields: Sequence[str], words: str) -> list[str]:
    """The fields that were not refused in these words, with what was said instead."""
    if said is None:
        return [f"{field}: accepted" for field in fields]
    if len(said) == 1 and by_pod_security(said[0]):
        return [f"not refused for its fields: {said[0]}", *(f"{field}: no word of it" for field in fields)]
    about = {line.partition(": ")[0]: line for line in said}
    return [
        about.get(field) or f"{field}: no word of it" for field in fields if words not in about.get(field, "")
    ]
