r"""Volumes that one container may only read and another of the same Pod may write: an emptyDir, a folder of the Node.

Upstream: test/e2e/windows/volumes.go. The container that may write is the witness of what the other one did: the file
is there, whole, and the other reads it, so a refusal is not that of a volume that nobody has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from op_readiness.model.errors import NotTested
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.shell import Client
from op_readiness.suite.subjects.storage.host_folders import OnHostFolders
from op_readiness.suite.subjects.storage.mounting import DENIED, Object, lines_of, mount, volume
from op_readiness.workloads.pods import Manifest

EMPTY, HOST = "emptyDir", "hostPath"
INSIDE = {EMPTY: r"C:\test-volume", HOST: r"C:\tmp"}
FILE, WORD = "test-file.txt", "windows-volume-test"
READER, WRITER = "reader", "writer"


@dataclass
class MountModes(OnHostFolders):
    """On each Windows Node a Pod that may only read, and one whose containers may read and may write."""

    kinds: list[str] = field(default_factory=lambda: [EMPTY, HOST])
    alone: list[Client] = field(default_factory=list)
    pairs: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """The Pods, Running; where no privileged Pods may be made the folder of the Node is not tested, and says so."""
        self.mounting.workshop.own_namespace("privileged")
        try:
            self.folders.start()
        except NotTested as error:
            self.kinds = [EMPTY]
            for node in self.nodes:
                checks = Checks(self.mounting.workshop.recorder)
                checks.not_tested(HOST, node.place, "read-only and read-write mounts", str(error))
        manifests = [self._pod(f"alone-{n}", node, (READER,)) for n, node in enumerate(self.nodes)]
        manifests += [self._pod(f"pair-{n}", node, (READER, WRITER)) for n, node in enumerate(self.nodes)]
        made = self.mounting.up(manifests, [*self.nodes, *self.nodes])
        self.alone, self.pairs = made[: len(self.nodes)], made[len(self.nodes) :]

    def must_be_kept(self) -> None:
        """Each container may do with each volume what its mount says, and no more."""
        hint = "readOnly of the container's mounts as the runtime has them (crictl inspect); rights of the folder"
        self.mounting.judge(
            self._alone, self.alone, "A Windows container may write to a volume that it mounts read-only",
            hint=hint, code="mount-modes",
        )  # fmt: skip
        self.mounting.judge(
            self._pair, self.pairs, "Containers of a Windows Pod do not have a volume as their mounts say",
            hint=hint, code="mount-modes",
        )  # fmt: skip

    def _alone(self, client: Client) -> list[Check]:
        reader = replace(client, container=READER)
        return [self._refused(reader, kind, "alone", WORD) for kind in self.kinds]

    def _pair(self, client: Client) -> list[Check]:
        reader, writer = replace(client, container=READER), replace(client, container=WRITER)
        return [check for kind in self.kinds for check in self._both(kind, reader, writer)]

    def _both(self, kind: str, reader: Client, writer: Client) -> list[Check]:
        path = rf"{INSIDE[kind]}\{FILE}"
        wrote = self.mounting.cmd(writer, f"echo {WORD} > {path}")
        refused = self._refused(reader, kind, "beside a writer", "overwritten")
        seen = {who.container: self.mounting.cmd(who, f"type {path}").text for who in (reader, writer)}
        first = Check(f"{kind}: writer", writer.place, "write", "exit code 0", f"{wrote.code} {wrote.text}", wrote.good)
        return [first, refused] + [
            Check(f"{kind}: {who}", reader.place, f"reads {FILE}", WORD, text, lines_of(text) == [WORD])
            for who, text in seen.items()
        ]

    def _refused(self, reader: Client, kind: str, where: str, word: str) -> Check:
        answer, denied = self.mounting.refused(reader, rf"{INSIDE[kind]}\{FILE}", word)
        return Check(f"{kind}: reader {where}", reader.place, "write", DENIED, f"{answer.code} {answer.text}", denied)

    def _pod(self, name: str, node: NodeFact, containers: Sequence[str]) -> Manifest:
        sources = {EMPTY: lambda: volume(EMPTY.lower(), emptyDir={}), HOST: lambda: self.folders.volume(HOST.lower())}
        spec: Object = {"volumes": [sources[kind]() for kind in self.kinds], "restartPolicy": "Never"}
        made = self.mounting.workshop.pod(name, "windows", node, ["pause"], spec=spec)
        [only] = made["spec"]["containers"]
        made["spec"]["containers"] = [{**only, "name": one, "volumeMounts": self._mounts(one)} for one in containers]
        return made

    def _mounts(self, container: str) -> list[Object]:
        more = {"readOnly": True} if container == READER else {}
        return [mount(kind.lower(), INSIDE[kind], **more) for kind in self.kinds]
