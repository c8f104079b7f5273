"""What the API server takes of HostProcess Pods, and what it refuses: asked by dry runs, nothing is stored."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.recorder import Recorder
from op_readiness.suite.making import Workshop
from op_readiness.suite.refusals import POD_SECURITY
from op_readiness.workloads.host_process import host_pod
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
NO_NETWORK = "hostNetwork must be true if pod contains any hostProcess containers"
DIFFERS = "pod hostProcess value must be identical if both are specified, was true"
MIXED = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
BASELINE = (
    f'{POD_SECURITY} "baseline:latest": host namespaces (hostNetwork=true), hostProcess (pod must not set '
    "securityContext.windowsOptions.hostProcess=true)"
)


@dataclass(frozen=True)
class Case:
    """A Pod that must be refused: how it is made of a good one, with which code, and with which words."""

    name: str
    change: Callable[[Manifest], None]
    code: int
    words: str
    level: str = "privileged"


def _no_network(pod: Manifest) -> None:
    del pod["spec"]["hostNetwork"]


def _differs(pod: Manifest) -> None:
    pod["spec"]["containers"][0]["securityContext"] = {"windowsOptions": {"hostProcess": False}}


def _mixed(pod: Manifest) -> None:
    main, options = pod["spec"]["containers"][0], pod["spec"].pop("securityContext")
    pod["spec"]["containers"] = [{**main, "securityContext": options}, {**main, "name": "ordinary"}]


def _as_it_is(pod: Manifest) -> None:
    """A good one, where it may not be."""


CASES = (
    Case("hostProcess without hostNetwork", _no_network, 422, NO_NETWORK),
    Case("hostProcess on the Pod, not on its container", _differs, 422, DIFFERS),
    Case("one HostProcess container and an ordinary one", _mixed, 422, MIXED),
    Case("HostProcess under Pod Security baseline", _as_it_is, 403, BASELINE, "baseline"),
)


@dataclass
class Admission:
    """Dry runs of HostProcess Pods."""

    workshop: Workshop
    node: NodeFact
    recorder: Recorder

    def must_refuse(self) -> None:
        """Each case with its code and words; a good Pod is taken in the same minute, else nothing is shown."""
        namespaces = {level: self.workshop.new_namespace(level) for level in ("privileged", "baseline")}
        self._good_must_be_taken(namespaces["privileged"])
        wrong = []
        for case in CASES:
            pod = self._pod(namespaces[case.level])
            case.change(pod)
            seen = self._answer(pod)
            good = seen.startswith(str(case.code)) and case.words in seen
            outcome = Outcome.PASSED if good else Outcome.FAILED
            reason = "" if good else seen[:300]
            self.recorder.part(Part("admission", self.node.place, case.name, outcome, reason=reason))
            if good:
                self.recorder.api_answer = f"{case.name}: {seen}"
            else:
                wrong.append(Finding(
                    "The API server does not refuse a HostProcess Pod as Kubernetes does",
                    f"API server: {case.name}",
                    f"{case.code}: {case.words}", seen[:600],
                    "kubectl get mutatingwebhookconfigurations; does Pod Security admission hold here?",
                    code="admission",
                ))  # fmt: skip
        self._good_must_be_taken(namespaces["privileged"])
        if wrong:
            raise AbilityNotMet(*wrong)

    def _good_must_be_taken(self, namespace: str) -> None:
        seen = self._answer(self._pod(namespace))
        if not seen.startswith("201"):
            where = f"Namespace {namespace}"
            raise CouldNotTell(Finding("A HostProcess Pod that is declared rightly is refused too", where, "201", seen))

    def _answer(self, pod: Manifest) -> str:
        """`code text` of a dry run; what came back is told, for a webhook may have repaired the Pod."""
        try:
            made = self.workshop.cluster.create(copy.deepcopy(pod), dry_run=True)
        except ApiError as error:
            if not getattr(error, "status", 0) or error.status >= 500:
                where = f"Namespace {pod['metadata']['namespace']}"
                raise CouldNotTell(Finding("A dry run was not answered", where, "an answer", str(error))) from error
            return f"{error.status} {error.message}"
        network, context = made["spec"].get("hostNetwork"), made["spec"].get("securityContext")
        return f"201 taken, with hostNetwork {network} and securityContext {context}"

    def _pod(self, namespace: str) -> Manifest:
        return host_pod(
            "declared", namespace, self.node, image=self.workshop.context.images.agnhost, labels=self.workshop.labels,
            command=["cmd.exe", "/c", "exit 0"],
        )  # fmt: skip
