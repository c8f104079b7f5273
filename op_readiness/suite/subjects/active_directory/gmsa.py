"""Pods of a group Managed Service Account, and Pods beside them without one: made, admitted, filled in, running.

Where a Pod with the account does not come to run, the twin without it tells whose fault that is: the account's, if the
twin runs on the same Node, and nobody knows whose, if it does not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.cluster.kinds import Resource
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.shell import Client
from op_readiness.suite.making import Workshop
from op_readiness.workloads import gmsa
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
POLL = 1.0
"""Seconds between two tries of a create that the webhook refuses because the new Role is not seen yet."""


@dataclass(frozen=True)
class Domain:
    """What the operator told of the domain, and what the credential spec says of the account."""

    name: str
    spec: str
    account: str
    allowed: str = ""
    denied: str = ""
    controller: str = ""

    @property
    def host(self) -> str:
        """A host whose service every account of the domain gets a ticket for."""
        return self.controller or self.name


def read_domain(workshop: Workshop) -> Domain:
    """The domain of the run's inputs; raises CouldNotTell where its credential spec is not there."""
    given = workshop.context.inputs.get("gmsa") or {}
    versions = workshop.context.facts.gmsa_versions or ("v1",)
    kind = Resource("GMSACredentialSpec", gmsa.PLURAL, gmsa.GROUP, versions[0], namespaced=False)
    found = workshop.cluster.find(kind, given["credSpecName"])
    if found is None:
        known = ", ".join(one["metadata"]["name"] for one in workshop.cluster.list(kind)) or "none"
        raise CouldNotTell(
            Finding("The credential spec is not in the cluster", f"GMSACredentialSpec {given['credSpecName']}",
                    "an object of that name", f"known: {known}", "see gmsa.credSpecName", code="api")
        )  # fmt: skip
    joined = (found.get("credspec") or {}).get("DomainJoinConfig") or {}
    return Domain(
        given["domain"], given["credSpecName"], str(joined.get("MachineAccountName") or ""),
        given.get("smbUncAllowed", ""), given.get("smbUncDenied", ""), given.get("dcHost", ""),
    )  # fmt: skip


def nodes_with_account(workshop: Workshop, nodes: Sequence[NodeFact]) -> list[NodeFact]:
    """Those Nodes that the operator says can use the account (gmsa.nodeSelector); NotTested if there is none."""
    wanted = (workshop.context.inputs.get("gmsa") or {}).get("nodeSelector") or {}
    found = [node for node in nodes if all(node.labels.get(key) == value for key, value in wanted.items())]
    if not found:
        labels = ", ".join(f"{key}={value}" for key, value in wanted.items())
        raise NotTested(f"none of the selected Windows Nodes has {labels}", reason=SkipReason.TOO_FEW_NODES)
    return found


@dataclass
class GmsaPods:
    """`replicas` Pods with the account on each Node and one without.

    `judged`: a Pod with the account that cannot run is a failure; `judges_webhook`: one that is not admitted, or not
    filled in, is one too. `level` is the Namespace's Pod Security level; `volumes` and `mounts` go to every Pod.
    """

    workshop: Workshop
    domain: Domain
    nodes: Sequence[NodeFact]
    replicas: int = 1
    judged: bool = True
    judges_webhook: bool = False
    level: str = "baseline"
    volumes: Sequence[Object] = ()
    mounts: Sequence[Object] = ()
    namespace: str = ""
    holders: list[Client] = field(default_factory=list)
    others: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """Everything made and running; raises AbilityNotMet or CouldNotTell for what does not."""
        self.admit()
        twins = {f"plain-{n}": node for n, node in enumerate(self.nodes)}
        holders = self._places
        self.workshop.create_all([self._pod(name, node, {}) for name, node in twins.items()])
        self.others = self._clients(self.workshop.pods_up(list(twins), until_ready=False), twins)
        self.holders = self._clients(self._up(list(holders)), holders)

    def admit(self) -> list[Object]:
        """The Pods with the account as they were stored, filled in; their ServiceAccount has the right to it."""
        self.namespace = self.workshop.own_namespace(self.level)
        for manifest in gmsa.allowed_account(self.namespace, self.domain.spec, self.workshop.labels):
            self.workshop.create(manifest)
        stored = [
            self._admitted(self._pod(name, node, gmsa.with_account(self.domain.spec)))
            for name, node in self._places.items()
        ]
        self._must_be_filled_in(stored)
        return stored

    @property
    def _places(self) -> dict[str, NodeFact]:
        return {f"gmsa-{n}-{k}": node for n, node in enumerate(self.nodes) for k in range(self.replicas)}

    def by_node(self, clients: Sequence[Client]) -> dict[str, Client]:
        """The first client on each Node."""
        found: dict[str, Client] = {}
        for client in clients:
            found.setdefault(client.place.node, client)
        return found

    def _admitted(self, manifest: Manifest) -> Object:
        """The Pod as stored. The webhook may not see a new Role at once, so its refusal is waited out first."""
        clock = self.workshop.cluster.clock
        until = clock.now() + self.workshop.context.timeouts.real("object_seen")
        while True:
            try:
                return self.workshop.cluster.create(manifest)
            except ApiError as error:
                if "is not authorized to `use`" not in error.message or clock.now() > until:
                    raise self._refusal(manifest, error) from error
                clock.sleep(POLL * self.workshop.context.timeouts.scale)

    def _refusal(self, manifest: Manifest, error: ApiError) -> Exception:
        """The GMSA webhook's word is the ability's own answer; anybody else's is not."""
        of_webhook = "gmsa" in error.message.lower() and "webhook" in error.message.lower()
        scope = self._scope(manifest) if of_webhook else ""
        finding = Finding(
            what="A Pod with a GMSA is not admitted", where=f"Pod {self.namespace}/{manifest['metadata']['name']}",
            expected="201 Created", seen=str(error) + scope, code="webhook" if of_webhook else "api",
            hint="kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations; the webhook's log",
        )  # fmt: skip
        return AbilityNotMet(finding) if of_webhook and self.judges_webhook else CouldNotTell(finding)

    def _scope(self, manifest: Manifest) -> str:
        """Whether a Pod without any GMSA is refused as well."""
        meta = {**manifest["metadata"], "name": "plain-dry-run"}
        spec = {key: value for key, value in manifest["spec"].items() if key not in gmsa.with_account("")}
        with contextlib.suppress(ApiError):
            self.workshop.cluster.create({**manifest, "metadata": meta, "spec": spec}, dry_run=True)
            return "; a Pod without a GMSA is admitted"
        return "; a Pod without a GMSA is refused too"

    def _must_be_filled_in(self, stored: Sequence[Object]) -> None:
        bare = [pod for pod in stored if not _contents(pod)]
        if not bare:
            return
        webhook = self.workshop.context.facts.gmsa_webhook or "none"
        finding = Finding(
            what="The contents of the credential spec were not filled in",
            where=", ".join(f"Pod {self.namespace}/{pod['metadata']['name']}" for pod in bare[:4]),
            expected="gmsaCredentialSpec with the contents of the named GMSACredentialSpec",
            seen=f"gmsaCredentialSpecName alone; the cluster's GMSA webhook configuration: {webhook}",
            hint="is the GMSA webhook installed, and does its namespaceSelector take in this Namespace?",
            code="webhook",
        )  # fmt: skip
        raise AbilityNotMet(finding) if self.judges_webhook else CouldNotTell(finding)

    def _up(self, names: Sequence[str]) -> list[Object]:
        """Pods with the account; their twins run already, so what keeps these is the account."""
        try:
            return self.workshop.pods_up(names, until_ready=False)
        except CouldNotTell as error:
            words = " ".join(finding.seen for finding in error.findings)
            if not self.judged or not any(word in words for word in ("CreateContainerError", "StartError")):
                raise
            findings = [replace(one, what="Pods with a GMSA do not start, and those without one do", code="gmsa")
                        for one in error.findings]  # fmt: skip
            raise AbilityNotMet(*findings) from error

    def _clients(self, pods: Sequence[Object], nodes: dict[str, NodeFact]) -> list[Client]:
        return [
            Client.at(self.namespace, pod["metadata"]["name"], nodes[pod["metadata"]["name"]],
                      uid=pod["metadata"]["uid"])
            for pod in pods
        ]  # fmt: skip

    def _pod(self, name: str, node: NodeFact, more: Object) -> Manifest:
        spec = {**more, **({"volumes": list(self.volumes)} if self.volumes else {})}
        container = {"volumeMounts": list(self.mounts)} if self.mounts else {}
        return self.workshop.pod(name, "windows", node, ["pause"], spec=spec, container=container)


def _contents(pod: Object) -> str:
    options = (pod["spec"].get("securityContext") or {}).get("windowsOptions") or {}
    return str(options.get("gmsaCredentialSpec") or "")
