r"""Three Windows containers of one Node that read and write the same files at the same time.

(a) one Pod, three containers, an emptyDir; (b) three Pods, one hostPath. Windows gives no promise about concurrent
appends to one file, nor about deleting what another process has open: both are recorded, not judged.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from op_readiness.model.errors import NotTested
from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check, Checks
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Ask, Client
from op_readiness.suite.subjects.storage.host_folders import OnHostFolders
from op_readiness.suite.subjects.storage.mounting import Object, lines_of, mount, volume
from op_readiness.workloads.pods import Manifest

NAMES = ("one", "two", "three")
LINES = 50
HELD, HELD_SECONDS = "held.txt", 6
INSIDE, SHELL_INSIDE = r"C:\shared", "/shared"
PODS, CONTAINERS = "three Pods, hostPath", "three containers, emptyDir"


@dataclass
class SharedFiles(OnHostFolders):
    """Three containers in one Pod, and three Pods, on each Windows Node."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(6))
    groups: list[tuple[str, list[Client]]] = field(default_factory=list)

    def start(self) -> None:
        """The Pods of both kinds; without privileged Pods the second kind is not tested, and says so."""
        self.mounting.workshop.own_namespace("privileged")
        pods = self.mounting.up([self._of_three(n, node) for n, node in enumerate(self.nodes)], self.nodes)
        self.groups = [(CONTAINERS, [replace(client, container=name) for name in NAMES]) for client in pods]
        try:
            self.folders.start()
        except NotTested as error:
            for client in pods:
                Checks(self.mounting.workshop.recorder).not_tested(PODS, client.place, "each other's files", str(error))
            return
        nodes = [node for node in self.nodes for _ in NAMES]
        manifests = [self._single(f"pod-{name}-{n}", node) for n, node in enumerate(self.nodes) for name in NAMES]
        single = self.mounting.up(manifests, nodes)
        self.groups += [(PODS, single[n : n + len(NAMES)]) for n in range(0, len(single), len(NAMES))]

    def must_share(self) -> None:
        """Each writes a file, all write at once; then each sees all three files whole."""
        self.mounting.judge(
            self._shared, self.groups, "Windows containers of one Node do not see what the others write", code="share",
            hint="the volume's folder on the Node and its rights (icacls)",
        )  # fmt: skip

    def _shared(self, group: tuple[str, list[Client]]) -> list[Check]:
        path, clients = group
        named = list(zip(NAMES, clients, strict=True))
        wrote = [
            (client, self.mounting.cmd(client, rf"echo {self._word(name)} > {INSIDE}\{name}.txt"))
            for name, client in named
        ]
        checks = [
            Check(f"{path}: write", client.place, "own file", "exit code 0", f"{a.code} {a.text}", a.good)
            for client, a in wrote
        ]
        for reader, client in named:
            for name in NAMES:
                text = self.mounting.cmd(client, rf"type {INSIDE}\{name}.txt").text
                good = lines_of(text) == [self._word(name)]
                checks.append(
                    Check(f"{path}: {reader} reads", client.place, f"{name}.txt", self._word(name), text, good)
                )
        return checks + self._at_once(path, named)

    def _at_once(self, path: str, named: list[tuple[str, Client]]) -> list[Check]:
        """Fifty lines each, into a file of its own and into one of all, while the others do the same."""
        together(self.mounting.workshop.threads, self._write_lines, named)
        name, client = named[0]
        asks = [Ask(one, f"wc -l < {SHELL_INSIDE}/{one}.log") for one in NAMES]
        answers = self.mounting.asker.ask(client, [*asks, Ask("all", f"wc -l < {SHELL_INSIDE}/all.log")])
        self._removed_while_open(path, named)
        if (kept := _number(answers["all"][0].text)) is not None:
            self.mounting.workshop.recorder.figure(
                f"{client.place.node} {path}: lines lost when three append to one file", len(NAMES) * LINES - kept
            )
        return [
            Check(f"{path}: {name} counts", client.place, f"lines of {one}", str(LINES), answers[one][0].text,
                  _number(answers[one][0].text) == LINES)
            for one in NAMES
        ]  # fmt: skip

    def _write_lines(self, one: tuple[str, Client]) -> None:
        name, client = one
        lines = f"for i in $(seq 1 {LINES}); do echo {name}-$i >> {SHELL_INSIDE}/{name}.log; "
        lines += f"echo {name}-$i >> {SHELL_INSIDE}/all.log; done"
        self.mounting.asker.ask(client, [Ask("lines", lines, longest=30.0)])

    def _removed_while_open(self, path: str, named: list[tuple[str, Client]]) -> None:
        """One holds a file open for some seconds while another removes it; what came of it is noted, not judged."""
        file = f"{SHELL_INSIDE}/{HELD}"
        there = f"for n in 1 2 3 4 5; do [ -e {file} ] && break; sleep 1; done; [ -e {file} ] || echo never there"
        asks = [
            [Ask("hold", f"sleep {HELD_SECONDS} > {file}", longest=HELD_SECONDS + 5.0)],
            [Ask("there", there), Ask("remove", f"rm {file} 2>&1 || echo refused"), Ask("left", f"ls {SHELL_INSIDE}")],
        ]
        clients = [client for _, client in named[:2]]
        done = together(
            self.mounting.workshop.threads,
            lambda one: self.mounting.asker.ask(one[0], one[1]), list(zip(clients, asks, strict=True)),
        )[1]  # fmt: skip
        said = " ".join(done["remove"][0].text.split()) or "removed"
        left = "still listed" if HELD in done["left"][0].text.split() else "not listed any more"
        self.mounting.workshop.recorder.note(
            f"{clients[0].place.node} {path}: a file that another container has open: "
            f"{done['there'][0].text.strip() or said}, {left}"
        )

    def _word(self, name: str) -> str:
        return f"{self.nonce}-{name}"

    def _of_three(self, number: int, node: NodeFact) -> Manifest:
        made = self.mounting.workshop.pod(
            f"three-{number}", "windows", node, ["pause"], spec={"volumes": [volume("shared", emptyDir={})]},
            container={"volumeMounts": [mount("shared", INSIDE)]},
        )  # fmt: skip
        [only] = made["spec"]["containers"]
        made["spec"]["containers"] = [{**only, "name": name} for name in NAMES]
        return made

    def _single(self, name: str, node: NodeFact) -> Manifest:
        spec: Object = {"volumes": [self.folders.volume("shared")]}
        container = {"volumeMounts": [mount("shared", INSIDE)]}
        return self.mounting.workshop.pod(name, "windows", node, ["pause"], spec=spec, container=container)


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
