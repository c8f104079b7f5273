r"""A folder of the run's own on each Windows Node, made and looked at by a HostProcess Pod, and removed again.

How it is removed is in the undo journal before it is made; it is struck out once the folder is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Client
from op_readiness.suite.subjects.active_directory.users import HOLD, windows_options
from op_readiness.suite.subjects.storage.mounting import Mounting, Object, volume
from op_readiness.workloads.host_process import SYSTEM
from op_readiness.workloads.pods import Manifest
from op_readiness.workloads.undo import journal


@dataclass
class HostFolders:
    """`path` on every Node of `nodes`; `hosts` are the HostProcess Pods, by the Node's name."""

    mounting: Mounting
    nodes: Sequence[NodeFact]
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    hosts: dict[str, Client] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where the folder lies on each Node; the run's id tells whose it is."""
        return rf"C:\opr-{self.mounting.workshop.context.run_id}-{self.nonce}"

    def start(self) -> None:
        """The HostProcess Pods, Running; the folder itself is made by whoever wants it, after `promise`."""
        self.mounting.workshop.own_namespace("privileged")
        manifests = [self._host(n, node) for n, node in enumerate(self.nodes)]
        clients = self.mounting.up(manifests, self.nodes)
        self.hosts = {client.place.node: client for client in clients}
        together(self.mounting.workshop.threads, self._promise, clients)

    def volume(self, name: str, below: str = "", *, slashes: bool = False) -> Object:
        """A hostPath volume of the folder, or of one below it; its path as on Linux, `/opr-...`, with `slashes`."""
        path = rf"{self.path}\{below}" if below else self.path
        if slashes:
            path = path.removeprefix("C:").replace("\\", "/")
        return volume(name, hostPath={"path": path, "type": "DirectoryOrCreate"})

    def everywhere(self, line: str) -> None:
        """Run a line of cmd on each Node; raises CouldNotTell where it fails."""
        together(self.mounting.workshop.threads, lambda host: self.do(host, line), list(self.hosts.values()))

    def do(self, host: Client, line: str) -> Answer:
        """Run a line of cmd on one Node; raises CouldNotTell when it fails."""
        answer = self.mounting.cmd(host, line)
        if not answer.good:
            raise CouldNotTell(
                Finding("A folder of ours cannot be made ready on a Node", str(host.place), f"exit code 0 of {line}",
                        f"{answer.code}: {answer.text}", nodes=(host.place.node,), code="folder")
            )  # fmt: skip
        return answer

    def _promise(self, host: Client) -> None:
        workshop = self.mounting.workshop
        run, key = workshop.context.run_id, journal.new_key()
        data = {"run_id": run, "node": host.place.node, "path": self.path, "image": workshop.context.images.agnhost}
        journal.write_down(workshop.cluster, run, key, "host folder", data)
        workshop.owned.callback(self._remove, host, key)

    def _remove(self, host: Client, key: str) -> None:
        """Gone from the Node: struck out of the journal. Otherwise it stays there, and the clean-up removes it."""
        gone = rf'if exist "{self.path}" rmdir /s /q "{self.path}" & if exist "{self.path}" exit 1'
        try:
            answer = self.mounting.cmd(host, gone)
        except CouldNotTell:
            return
        if answer.good:
            journal.strike_out(self.mounting.workshop.cluster, self.mounting.workshop.context.run_id, key)

    def _host(self, number: int, node: NodeFact) -> Manifest:
        spec: Object = {"hostNetwork": True, **windows_options(hostProcess=True, runAsUserName=SYSTEM)}
        return self.mounting.workshop.pod(f"host-{number}", "windows", node, [], spec=spec, container={"command": HOLD})


@dataclass
class OnHostFolders:
    """What is made on the Nodes of `folders`, by the same means."""

    folders: HostFolders

    @property
    def mounting(self) -> Mounting:
        """Makes the Pods."""
        return self.folders.mounting

    @property
    def nodes(self) -> Sequence[NodeFact]:
        """The Nodes that are tested."""
        return self.folders.nodes
