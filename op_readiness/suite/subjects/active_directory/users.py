"""Windows Pods that run as a user of their own: who they say they are, and what of their volumes they can use.

Who a process is, its own environment says (`%username%`); what its user may do with a volume is recorded and never
judged, for the specification promises nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
USER, ADMIN = "ContainerUser", "ContainerAdministrator"
WHO = ["cmd", "/S", "/C", "echo %username%"]
LOGON_WORDS = (
    "user name or password is incorrect", "StartError", "ContainerCannotRun", "user process token", "non-root",
    "runAsNonRoot",
)  # fmt: skip
"""What runtime and kubelet say where it is the user that keeps a container from starting."""
HOLD = ["cmd", "/S", "/C", "ping -n 3600 127.0.0.1 >NUL"]
"""A program that every Windows image with cmd has, and that goes on for an hour."""
ALICE = {"greeting": "hello"}
VOLUMES = (
    ("emptyDir", "write", r"echo written> C:\data\written.txt"),
    ("ConfigMap", "read", r"type C:\config\greeting"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One way to name a user: at the Pod, at its container, at both, or at none; `image` is agnhost or nonroot."""

    name: str
    expected: str
    pod: str = ""
    container: str = ""
    image: str = "agnhost"

    @property
    def path(self) -> str:
        """The level whose word counts."""
        return "user of the container" if self.container else "user of the Pod" if self.pod else "user of the image"


DEFAULTS = (
    Case("image-user", USER, image="nonroot"),
    Case("image-admin", ADMIN),
    Case("pod-user", USER, pod=USER),
    Case("pod-admin", ADMIN, pod=ADMIN, image="nonroot"),
    Case("container-admin", ADMIN, pod=USER, container=ADMIN),
    Case("container-user", USER, pod=ADMIN, container=USER),
)
BOTH_LEVELS = (
    Case("pod-user", USER, pod=USER),
    Case("pod-admin", ADMIN, pod=ADMIN),
    Case("container-user", USER, container=USER),
    Case("container-admin", ADMIN, container=ADMIN),
)


def windows_options(**options: Any) -> Object:
    """A securityContext with these windowsOptions, those that are empty left out; empty without any."""
    given = {name: value for name, value in options.items() if value not in ("", None)}
    return {"securityContext": {"windowsOptions": given}} if given else {}


@dataclass
class Users:
    """A Pod for each case on each Node. `volumes`: each with an emptyDir and a ConfigMap."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    cases: Sequence[Case]
    volumes: bool = False
    pods: dict[tuple[str, str], Object] = field(default_factory=dict)

    def start(self) -> None:
        """All Pods made at once, running. A user that Windows cannot log on is the ability's own answer."""
        if self.volumes:
            self.workshop.create(self._config_map())
        made = {(case.name, node.name): self._pod(case, n, node) for case in self.cases
                for n, node in enumerate(self.nodes)}  # fmt: skip
        try:
            pods = self.workshop.pods(list(made.values()), until_ready=False, deadline="image_pulled")
        except CouldNotTell as error:
            raise as_refused_logon(error) from error
        self.pods = dict(zip(made, pods, strict=True))

    def must_be_as_asked(self) -> None:
        """Every Pod runs as the user that its case says."""
        checks = Checks(self.workshop.recorder)
        for check in together(self.workshop.threads, self._who, list(self.pods)):
            checks.take(check)
        checks.must_hold(
            "Containers do not run as the user that was asked for", code="user",
            hint="look at containerd's version, and at runAsUserName in the stored Pod: a policy may have altered it",
        )  # fmt: skip

    def record_volumes(self) -> None:
        """Note for each user which volumes can be written and read; nothing of it is judged."""
        counts: Counter[tuple[str, str, str]] = Counter()
        for outcome in together(self.workshop.threads, self._use, list(self.pods)):
            counts.update(outcome)
        for (user, what, how), number in sorted(counts.items()):
            self.workshop.recorder.note(f"{user}: {what} {how} in {number} Pods (recorded, not judged)")

    def _who(self, key: tuple[str, str]) -> Check:
        case = self._case(key)
        client = self._client(key)
        answer = self.asker.answer(client, WHO)
        name = answer.text.strip().strip('"')
        repeat = f"kubectl -n {client.namespace} exec {client.pod} -- cmd /S /C echo %username%"
        good = name.lower() == case.expected.lower()
        return Check(case.path, client.place, case.name, case.expected, name, good, repeat)

    def _use(self, key: tuple[str, str]) -> list[tuple[str, str, str]]:
        user, found = self._case(key).expected, []
        for volume, act, command in VOLUMES:
            answer = self.asker.answer(self._client(key), ["cmd", "/S", "/C", command])
            found.append((user, f"{act} {volume}", "works" if answer.good else "fails"))
        return found

    def _case(self, key: tuple[str, str]) -> Case:
        return next(case for case in self.cases if case.name == key[0])

    def _client(self, key: tuple[str, str]) -> Client:
        pod, node = self.pods[key], next(node for node in self.nodes if node.name == key[1])
        return Client.at(self.workshop.namespace, pod["metadata"]["name"], node, uid=pod["metadata"]["uid"])

    def _pod(self, case: Case, number: int, node: NodeFact) -> Manifest:
        container: Object = {**windows_options(runAsUserName=case.container)}
        spec: Object = {**windows_options(runAsUserName=case.pod), "restartPolicy": "Never"}
        if case.image == "nonroot":
            container |= {"image": self.workshop.context.images.nonroot, "command": HOLD, "args": []}
        if self.volumes:
            container["volumeMounts"] = [
                {"name": "data", "mountPath": "C:\\data"}, {"name": "config", "mountPath": "C:\\config"}
            ]  # fmt: skip
            spec["volumes"] = [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": "greeting"}}]
        return self.workshop.pod(
            f"{case.name}-{number}", "windows", node, ["pause"], container=container, spec=spec
        )

    def _config_map(self) -> Manifest:
        meta = {"name": "greeting", "namespace": self.workshop.namespace, "labels": self.workshop.labels}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": ALICE}


def as_refused_logon(error: CouldNotTell) -> Exception:
    """The same findings as a failure where what kept Pods from starting was that their user could not be logged on."""
    words = " ".join(finding.seen for finding in error.findings)
    about_pods = all(finding.code == "pods" for finding in error.findings)
    return AbilityNotMet(*error.findings) if about_pods and any(one in words for one in LOGON_WORDS) else error
