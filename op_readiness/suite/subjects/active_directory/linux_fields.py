"""Security fields of Linux on Windows Pods: ignored where the Pod names no operating system, refused where it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.users import HOLD, USER, WHO
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
FIELD_SETS: dict[str, tuple[Object, Object]] = {
    "selinux": ({"seLinuxOptions": {"level": "s0:c24,c9"}}, {}),
    "run-as-user": ({"runAsUser": 999, "runAsGroup": 999, "runAsNonRoot": True}, {}),
    "container": ({}, {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}),
}
"""Fields of the Pod's and of its container's securityContext, by name."""
FORBIDDEN = "cannot be set for a windows pod"


def kept(name: str, pod: Object) -> bool:
    """Whether a stored Pod still has the fields of its set, as they were asked for."""
    spec, (of_pod, of_container) = pod["spec"], FIELD_SETS[name]
    there = (spec.get("securityContext") or {}, spec["containers"][0].get("securityContext") or {})
    return all(wanted.items() <= found.items() for wanted, found in zip((of_pod, of_container), there, strict=True))


@dataclass
class LinuxFields:
    """A Pod for each set of fields on each Node; its image's user is ContainerUser."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    clients: list[tuple[str, Client]] = field(default_factory=list)

    def start(self) -> None:
        """All Pods made at once and Ready; that a kubelet takes such a field for its own is the ability's answer."""
        self.workshop.own_namespace("privileged")
        made = {(name, node.name): self._pod(name, n, node) for name in FIELD_SETS for n, node in enumerate(self.nodes)}
        stored = self.workshop.create_all(list(made.values()))
        if any(pod["spec"].get("os") for pod in stored):
            why = "a policy of the cluster adds spec.os to Pods, so that such fields are refused"
            raise NotTested(why, reason=SkipReason.NOT_APPLICABLE)
        if altered := sorted({name for name, pod in zip(made, stored, strict=True) if not kept(name[0], pod)}):
            why = f"a policy of the cluster alters the fields of Linux of {', '.join(name for name, _ in altered)}"
            raise NotTested(f"{why}, so that Windows is not asked about them", reason=SkipReason.NOT_APPLICABLE)
        names = [manifest["metadata"]["name"] for manifest in made.values()]
        try:
            pods = self.workshop.pods_up(names, deadline="image_pulled")
        except CouldNotTell as error:
            words = " ".join(finding.seen for finding in error.findings)
            raise (AbilityNotMet(*error.findings) if "CreateContainerConfigError" in words else error) from error
        for (name, node), pod in zip(made, pods, strict=True):
            fact = next(one for one in self.nodes if one.name == node)
            place = Client.at(self.workshop.namespace, pod["metadata"]["name"], fact, uid=pod["metadata"]["uid"])
            self.clients.append((name, place))

    def must_be_ignored(self) -> None:
        """Each Pod runs as its image's user, whatever Linux was told."""
        checks = Checks(self.workshop.recorder)
        answers = together(self.workshop.threads, lambda one: self.asker.answer(one[1], WHO), self.clients)
        for (name, client), answer in zip(self.clients, answers, strict=True):
            good = answer.text.lower() == USER.lower()
            checks.take(Check("Pod with Linux fields", client.place, name, USER, answer.text, good))
        checks.must_hold("Fields of Linux change what a Windows Pod does", code="fields")

    def must_be_refused_with_an_os(self) -> None:
        """The same Pods with `os.name: windows` are refused by name of the fields."""
        for name in FIELD_SETS:
            manifest = self._pod(name, 0, self.nodes[0])
            manifest["spec"]["os"] = {"name": "windows"}
            manifest["metadata"]["name"] += "-os"
            try:
                self.workshop.cluster.create(manifest, dry_run=True)
                seen = "admitted"
            except ApiError as error:
                if error.status == 422 and FORBIDDEN in error.message:
                    continue
                seen = str(error)
            expected = f"422, {FORBIDDEN}"
            raise AbilityNotMet(Finding("Linux fields beside os.name: windows", name, expected, seen, code="fields"))

    def _pod(self, name: str, number: int, node: NodeFact) -> Manifest:
        of_pod, of_container = FIELD_SETS[name]
        container: Object = {"image": self.workshop.context.images.nonroot, "command": HOLD, "args": []}
        container |= {"securityContext": of_container} if of_container else {}
        spec: Object = {"restartPolicy": "Never"} | ({"securityContext": of_pod} if of_pod else {})
        manifest = self.workshop.pod(f"{name}-{number}", "windows", node, [], spec=spec, container=container)
        del manifest["spec"]["os"]
        return manifest
