r"""A folder of a Node that only SYSTEM may use, and a Pod of ContainerUser that has it as a volume.

A HostProcess Pod makes it and reads it as SYSTEM before and after; beside it lies an open folder that the other Pod
must be able to read. While either is not so, a denial shows nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Asker, Client
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.active_directory.users import HOLD, USER, windows_options
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
SYSTEM, SYSTEM_SID = "NT AUTHORITY\\SYSTEM", "S-1-5-18"
OPEN, CLOSED = r"C:\open", r"C:\closed"
FILE = "file.txt"


@dataclass
class ProtectedFolder:
    """The folders and Pods of all Nodes; `folder` is where they lie on each Node until the test ends."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    hosts: list[Client] = field(default_factory=list)
    readers: list[Client] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """Its path on the Node; the run's id tells whose it is."""
        return rf"C:\opr-{self.workshop.context.run_id}-{self.nonce}"

    def start(self) -> None:
        """HostProcess Pods, the folders, then the Pods that have them."""
        self.workshop.own_namespace("privileged")
        self.hosts = self._up([self._host(n, node) for n, node in enumerate(self.nodes)])
        for host in self.hosts:
            self._promise(host)
        together(self.workshop.threads, self._make, self.hosts)
        self.readers = self._up([self._reader(n, node) for n, node in enumerate(self.nodes)])

    def must_be_closed_to_others(self) -> None:
        """ContainerUser neither reads, lists nor writes there, while SYSTEM reads it and the open folder is open."""
        checks = Checks(self.workshop.recorder)
        for found in together(self.workshop.threads, self._seen, list(zip(self.hosts, self.readers, strict=True))):
            for check in found:
                checks.take(check)
        checks.must_hold(
            "A folder of the Node that is SYSTEM's alone is open to ContainerUser", code="folder",
            hint="icacls of the folder on the Node; what the container's user is a member of",
        )  # fmt: skip

    def _seen(self, pair: tuple[Client, Client]) -> list[Check]:
        host, reader = pair
        self._twins_must_work(host, reader)
        acts = {
            "read": rf"type {CLOSED}\{FILE}",
            "list": f"dir /b {CLOSED}",
            "write": rf"echo {self.nonce}> {CLOSED}\written.txt",
        }
        answers = {act: self._cmd(reader, command) for act, command in acts.items()}
        self._twins_must_work(host, reader)
        return [
            Check(f"{act} as {USER} of", reader.place, "a folder of SYSTEM", "an error and no content",
                  answer.text or f"exit code {answer.code}", not (answer.good or self.nonce in answer.text))
            for act, answer in answers.items()
        ]  # fmt: skip

    def _twins_must_work(self, host: Client, reader: Client) -> None:
        for client, path in ((host, rf"{self.folder}\closed\{FILE}"), (reader, rf"{OPEN}\{FILE}")):
            answer = self._cmd(client, f"type {path}")
            if not answer.good or self.nonce not in answer.text:
                raise CouldNotTell(
                    Finding("What must be readable beside the closed folder is not", str(client.place),
                            f"{self.nonce} in {path}", answer.text, "while nobody can, a denial shows nothing",
                            nodes=(client.place.node,), code="twin")
                )  # fmt: skip

    def _make(self, host: Client) -> None:
        place = self.folder
        for command in (
            rf"mkdir {place}\open & mkdir {place}\closed",
            rf"echo {self.nonce}> {place}\open\{FILE} & echo {self.nonce}> {place}\closed\{FILE}",
            rf"icacls {place}\closed /inheritance:r /grant:r *{SYSTEM_SID}:(OI)(CI)F",
        ):
            answer = self._cmd(host, command)
            if not answer.good:
                raise CouldNotTell(
                    Finding("A folder could not be made on the Node", str(host.place), f"exit code 0 of {command}",
                            f"{answer.code}: {answer.text}", nodes=(host.place.node,), code="folder")
                )  # fmt: skip

    def _promise(self, host: Client) -> None:
        """Have the folder removed when the test is over, and by a clean-up if the test dies."""
        data = {"node": host.place.node, "path": self.folder}
        self.workshop.promise("host folder", data, lambda: self._remove(host))

    def _remove(self, host: Client) -> None:
        answer = self._cmd(host, f"rmdir /s /q {self.folder} & if exist {self.folder} exit 1")
        if not answer.good:
            raise CouldNotTell(
                Finding("A folder of ours could not be removed", str(host.place), f"{self.folder} is gone", answer.text)
            )

    def _cmd(self, client: Client, command: str) -> Answer:
        return self.asker.answer(client, ["cmd", "/S", "/C", command])

    def _up(self, manifests: Sequence[Manifest]) -> list[Client]:
        pods = self.workshop.pods(manifests, until_ready=False)
        return [
            Client.at(self.workshop.namespace, pod["metadata"]["name"], node, uid=pod["metadata"]["uid"])
            for pod, node in zip(pods, self.nodes, strict=True)
        ]

    def _host(self, number: int, node: NodeFact) -> Manifest:
        context = windows_options(hostProcess=True, runAsUserName=SYSTEM)
        spec: Object = {"hostNetwork": True, **context}
        return self.workshop.pod(f"host-{number}", "windows", node, [], spec=spec, container={"command": HOLD})

    def _reader(self, number: int, node: NodeFact) -> Manifest:
        volumes = [
            {"name": name, "hostPath": {"path": rf"{self.folder}\{name}", "type": "Directory"}}
            for name in ("open", "closed")
        ]
        mounts = [{"name": "open", "mountPath": OPEN}, {"name": "closed", "mountPath": CLOSED}]
        spec: Object = {"volumes": volumes, **windows_options(runAsUserName=USER)}
        return self.workshop.pod(
            f"reader-{number}", "windows", node, ["pause"], spec=spec, container={"volumeMounts": mounts}
        )
