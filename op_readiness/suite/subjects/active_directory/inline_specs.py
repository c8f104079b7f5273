"""Credential specs that a Pod carries inline, for domains that need not exist: does the kubelet hand them on?

A GMSA webhook refuses inline contents without a name, so the Namespace carries the labels by which the Helm chart and
the installation script leave Namespaces out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.domains import parent_domain
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
POD, CONTAINER = "acme.com", "contoso.org"
LEFT_OUT = {"windows.k8s.io/disabled": "true", "gmsa-webhook": "disabled"}
MAIN, OTHER = "main", "other"


def inline(domain: str) -> Object:
    """A securityContext with a credential spec for a domain."""
    joined = {"DnsName": domain, "DnsTreeName": domain, "Guid": "244818ae-87ac-4fcd-92ec-e79e5252348a",
              "MachineAccountName": "WebApplication1", "NetBiosName": domain.partition(".")[0].upper(),
              "Sid": "S-1-5-21-2126449477-2524075714-3094792973"}  # fmt: skip
    accounts = [{"Name": "WebApplication1", "Scope": scope} for scope in (domain, domain.partition(".")[0].upper())]
    text = json.dumps({
        "CmsPlugins": ["ActiveDirectory"], "DomainJoinConfig": joined,
        "ActiveDirectoryConfig": {"GroupManagedServiceAccounts": accounts},
    })  # fmt: skip
    return {"windowsOptions": {"gmsaCredentialSpec": text}}


@dataclass
class InlineSpecs:
    """A Pod on each Node whose second container overrides the Pod's credential spec."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    clients: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """All Pods made at once, running; NotTested where a webhook refuses them all the same."""
        namespace = self.workshop.own_namespace("baseline", LEFT_OUT)
        manifests = [self._pod(n, node) for n, node in enumerate(self.nodes)]
        try:
            self.workshop.cluster.create(manifests[0], dry_run=True)
        except ApiError as error:
            if "does not define the name of the corresponding resource" in error.message:
                why = "the GMSA webhook takes in the Namespace in spite of its labels, and refuses specs without a name"
                raise NotTested(why, reason=SkipReason.NOT_APPLICABLE) from error
        pods = self.workshop.pods(manifests, until_ready=False)
        self.clients = [
            Client.at(namespace, pod["metadata"]["name"], node, uid=pod["metadata"]["uid"])
            for pod, node in zip(pods, self.nodes, strict=True)
        ]

    def must_be_handed_on(self) -> None:
        """Each container knows the domain of its own credential spec, or of its Pod's."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._seen, self.clients):
            for check in found:
                checks.take(check)
        checks.must_hold("Credential specs do not reach the containers", code="gmsa",
                         hint="look at containerd's version; on Server 2019 build 17763.1817 or later")  # fmt: skip

    def _seen(self, client: Client) -> list[Check]:
        found = []
        for container, domain in ((MAIN, POD), (OTHER, CONTAINER)):
            asked = Client(client.namespace, client.pod, client.place, uid=client.uid, container=container)
            answer = self.asker.answer(asked, ["nltest", "/PARENTDOMAIN"])
            named = parent_domain(answer.text)
            found.append(
                Check("nltest /PARENTDOMAIN in container", client.place, container, domain, named or answer.text,
                      answer.good and named == domain)
            )  # fmt: skip
        return found

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        made = self.workshop.pod(
            f"inline-{number}", "windows", node, ["pause"], spec={"securityContext": inline(POD)}
        )
        main = made["spec"]["containers"][0]
        made["spec"]["containers"].append({**main, "name": OTHER, "securityContext": inline(CONTAINER)})
        return made
