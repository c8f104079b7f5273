"""What the GMSA webhook and the API server refuse, each with its code and a word of its text, and what they admit.

Texts are the webhook's own and English. A refusal counts while the Pod that has the right is admitted in the same
minute; if that one is refused too, the webhook itself is what is broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part, Place
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.gmsa import Domain, GmsaPods
from op_readiness.workloads import gmsa
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
SOURCE = "kubernetes.io: Configure GMSA for Windows Pods and containers"
NOBODY = "no-such-spec"
UNCHANGEABLE = "pod updates may not change fields"


@dataclass(frozen=True)
class Refusal:
    """A Pod that must be refused: its windowsOptions, whether its ServiceAccount has the right, and the answer."""

    name: str
    options: Object
    allowed: bool
    status: int
    words: str


def refusals(spec: str) -> list[Refusal]:
    """Without the right, of a spec that is not there, with other contents, with contents of no name."""
    named = {"gmsaCredentialSpecName": spec}
    return [
        Refusal("without-the-right", named, False, 403, "is not authorized to `use` GMSA cred spec"),
        Refusal("unknown-name", {"gmsaCredentialSpecName": NOBODY}, True, 404, "does not exist"),
        Refusal("other-contents", {**named, "gmsaCredentialSpec": "{}"}, True, 422, "does not match the contents"),
        Refusal("no-name", {"gmsaCredentialSpec": "{}"}, True, 422, "does not define the name"),
    ]


def of_webhook(message: str) -> bool:
    """Whether it is the GMSA webhook that speaks, and not the API server of the asker's own rights."""
    return "webhook" in message.lower() and "gmsa" in message.lower()


def is_unchangeable(error: ApiError) -> bool:
    """Whether a change was refused for what it changes: by the API server, or by the webhook."""
    by_server = error.status == 422 and UNCHANGEABLE in error.message
    return by_server or (error.status == 403 and of_webhook(error.message))


@dataclass
class GmsaAdmission:
    """Asks the API server in one Namespace; nothing but one Pod is stored."""

    workshop: Workshop
    domain: Domain
    node: NodeFact

    def must_refuse(self) -> None:
        """Every refusal, and the change of a Pod that is there; raises AbilityNotMet."""
        webhook = self.workshop.context.facts.gmsa_webhook
        if not webhook:
            raise NotApplicable("the cluster has no GMSA webhook", source=SOURCE)
        twin = GmsaPods(self.workshop, self.domain, [self.node], judges_webhook=True)
        pod = twin.admit()[0]["metadata"]["name"]
        bad = [line for one in refusals(self.domain.spec) if (line := self._wrong(one))]
        if line := self._change(pod):
            bad.append(line)
        self.workshop.recorder.api_answer = f"{webhook}: {len(refusals(''))} Pods refused, one admitted"
        if bad:
            raise AbilityNotMet(
                Finding(
                    "Pods with a GMSA are admitted or refused wrongly", f"Namespace {self.workshop.namespace}",
                    "the webhook's refusals, and 422 for a changed Pod", "\n".join(bad), code="webhook",
                    hint=f"kubectl get validatingwebhookconfigurations {webhook} -o yaml: rules and namespaceSelector",
                )
            )  # fmt: skip

    def _wrong(self, one: Refusal) -> str:
        """What is wrong with a refusal; empty where it is as it should be."""
        try:
            self.workshop.cluster.create(self._pod(one), dry_run=True)
            return self._told(one.name, f"{one.name}: admitted")
        except ApiError as error:
            if error.status == one.status and one.words in error.message:
                return self._told(one.name, "")
            return self._told(one.name, f"{one.name}: expected {one.status} {one.words!r}, saw {error}")

    def _change(self, pod: str) -> str:
        """A Pod's GMSA cannot be changed: the API server says so before the webhook is asked."""
        body = {"spec": {"securityContext": {"windowsOptions": {"gmsaCredentialSpecName": NOBODY}}}}
        try:
            self.workshop.cluster.patch("Pod", pod, self.workshop.namespace, body)
            return self._told("changed", f"the GMSA of Pod {pod} was changed")
        except ApiError as error:
            if error.status == 403 and not of_webhook(error.message):
                raise CouldNotTell(
                    Finding("Whether a Pod's GMSA can be changed was not asked", f"Pod {self.workshop.namespace}/{pod}",
                            "422 of the API server, or 403 of the GMSA webhook", str(error),
                            "a refusal of the asker says nothing of the change: right to patch pods?", code="api")
                ) from error  # fmt: skip
            good = is_unchangeable(error)
            return self._told("changed", "" if good else f"changed: expected 422 {UNCHANGEABLE!r}, saw {error}")

    def _told(self, name: str, wrong: str) -> str:
        outcome = Outcome.FAILED if wrong else Outcome.PASSED
        place = Place(self.node.name, self.node.os, self.node.build, self.workshop.namespace, name)
        self.workshop.recorder.part(Part("admission of", place, name, outcome, family="", protocol="", reason=wrong))
        return wrong

    def _pod(self, one: Refusal) -> Manifest:
        spec: Object = {"securityContext": {"windowsOptions": one.options}}
        if one.allowed:
            spec["serviceAccountName"] = gmsa.ACCOUNT
        return self.workshop.pod(one.name, "windows", self.node, ["pause"], spec=spec)
