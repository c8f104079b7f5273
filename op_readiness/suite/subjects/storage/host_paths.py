r"""A hostPath volume written by one Pod and seen by another and by the host; and read by a Pod that may only read.

Upstream: test/e2e/common/storage/host_path.go, which writes its path as on Linux; runtimes have refused that form, so
the Pods that read have the folder by it too. What a Pod reads is compared with what the Node itself says of the same
file: the HostProcess Pod is the witness that it is the host's folder and not one of the container's own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check
from op_readiness.observe.shell import Client
from op_readiness.suite.subjects.storage.host_folders import OnHostFolders
from op_readiness.suite.subjects.storage.mounting import DENIED, Object, lines_of, mount
from op_readiness.workloads.pods import Manifest

INSIDE, FILE = r"C:\test-volume", "test-file"
BY_SLASHES = r"C:\by-slashes"
"""Where the same folder is mounted a second time, its path on the Node written with slashes and without a drive."""
HINT = "the hostPath volume and the rights of its folder on the Node (icacls); events of the Pod"


@dataclass
class HostPaths(OnHostFolders):
    """On each Windows Node a folder, and Pods that have it as a volume."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(6))

    def must_be_written(self) -> None:
        """One Pod writes, another reads the same, and so does the Node."""
        self.folders.start()
        writers = self._pods("writer", slashes=False)
        readers = self._pods("reader")
        self.mounting.judge(
            self._written, list(zip(writers, readers, strict=True)),
            "A hostPath volume cannot be written to by a Windows Pod", hint=HINT, code="hostpath",
        )  # fmt: skip

    def must_be_read(self) -> None:
        """A file of the Node is read, a change of it is seen, and a volume that is read-only takes no writes."""
        self.folders.start()
        self.folders.everywhere(rf"mkdir {self.folders.path} & echo {self.nonce}> {self.folders.path}\{FILE}")
        readers = self._pods("reader", readOnly=True)
        self.mounting.judge(
            self._read, readers, "A hostPath volume is not read as it should be by a Windows Pod",
            hint=HINT, code="hostpath",
        )  # fmt: skip

    def _written(self, pair: tuple[Client, Client]) -> list[Check]:
        writer, reader = pair
        mounting, host = self.mounting, self.folders.hosts[writer.place.node]
        payload = f"{self.nonce}-{writer.place.node}"
        wrote = mounting.cmd(writer, rf"echo {payload}> {INSIDE}\{FILE}")
        seen = {
            "read by a second Pod": (reader, mounting.cmd(reader, rf"type {INSIDE}\{FILE}")),
            "read by a path with slashes": (reader, mounting.cmd(reader, rf"type {BY_SLASHES}\{FILE}")),
            "read on the Node": (host, mounting.cmd(host, rf"type {self.folders.path}\{FILE}")),
        }
        first = Check("write", writer.place, FILE, "exit code 0", f"{wrote.code} {wrote.text}", wrote.good)
        return [first] + [
            Check(path, client.place, FILE, payload, answer.text, lines_of(answer.text) == [payload])
            for path, (client, answer) in seen.items()
        ]

    def _read(self, reader: Client) -> list[Check]:
        mounting, host = self.mounting, self.folders.hosts[reader.place.node]
        inside, tool = rf"{INSIDE}\{FILE}", f"/test-volume/{FILE}"
        told = mounting.asker.answer(reader, ["/agnhost", "mounttest", f"--file_content={tool}"])
        wanted = f'content of file "{tool}": {self.nonce}'
        first = Check("read", reader.place, FILE, wanted, told.text, wanted in told.text)
        refused, denied = mounting.refused(reader, rf"{INSIDE}\refused.txt", self.nonce)
        on_host = mounting.cmd(host, rf"if exist {self.folders.path}\refused.txt (echo there) else (echo none)")
        held = denied and lines_of(on_host.text) == ["none"]
        second = Check("write to the read-only volume", reader.place, "refused.txt", DENIED,
                       f"{refused.code} {refused.text}; on the Node: {on_host.text}", held)  # fmt: skip
        again = f"{self.nonce}-again"
        self.folders.do(host, rf"echo {again}> {self.folders.path}\{FILE}")
        seen = {
            "changed on the Node": mounting.cmd(reader, f"type {inside}").text,
            "changed, by a path with slashes": mounting.cmd(reader, rf"type {BY_SLASHES}\{FILE}").text,
        }
        return [first, second] + [
            Check(path, reader.place, FILE, again, text, lines_of(text) == [again]) for path, text in seen.items()
        ]

    def _pods(self, name: str, *, slashes: bool = True, **more: object) -> list[Client]:
        manifests = [self._pod(f"{name}-{n}", node, slashes, more) for n, node in enumerate(self.nodes)]
        return self.mounting.up(manifests, self.nodes)

    def _pod(self, name: str, node: NodeFact, slashes: bool, more: dict[str, object]) -> Manifest:
        volumes, mounts = [self.folders.volume("data")], [mount("data", INSIDE, **more)]
        if slashes:
            volumes.append(self.folders.volume("by-slashes", slashes=True))
            mounts.append(mount("by-slashes", BY_SLASHES, **more))
        spec: Object = {"volumes": volumes}
        container = {"volumeMounts": mounts}
        return self.mounting.workshop.pod(name, "windows", node, ["pause"], spec=spec, container=container)
