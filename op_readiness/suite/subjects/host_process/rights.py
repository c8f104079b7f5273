"""What HostProcess containers may do on their Node, and that nothing of them is left when they are gone."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe.checks import Checks
from op_readiness.suite.subjects.host_process.running import IMAGE, SYSTEM_SID, Ended, HostProcess
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
SCRIPT = "privileged"
SERVICES = ("hns", "vmcompute")
"""Services that every Node with containers runs; kubelet and containerd may be run otherwise than as services."""
OTHERS = ("containerd", "kubelet")
GRACE_AND_MORE = 31
"""Cluster seconds after which nothing of a deleted Pod may be left: its grace period of 1 s and 30."""

ALWAYS_THERE = "services.exe"
"""A process that every Windows has as long as it runs: a list without it is none."""
DESCENDANTS = ("child", "grandchild", "great-grandchild")


@dataclass
class PrivilegedApis:
    """One script in HostProcess Pods, and in ordinary Pods of the same Nodes."""

    pods: HostProcess
    nonce: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def key(self) -> str:
        """The registry key, below HKLM\\SOFTWARE."""
        return f"opr-{self.pods.workshop.context.run_id}-{self.nonce}"

    def must_be_open_to_host_processes(self) -> None:
        """Who it is, services, registry, log of events, firewall, compute systems, and a key of its own."""
        for node in self.pods.nodes:
            self.pods.workshop.promise("registry key", {"node": node.name, "key": rf"HKLM\SOFTWARE\{self.key}"})
        checks = self.pods.checks
        for ended in self._asked("write"):
            said = ended.said
            if not said:
                checks.take(ended.check("calls by", "a HostProcess Pod", "their answers", False))
                continue
            self._judge(checks, ended, said)
        self.pods.must_hold(
            checks, "HostProcess containers cannot call privileged interfaces of Windows", code="privileged",
            hint="the user of the container, and the service that refused on that Node",
        )  # fmt: skip

    def must_be_closed_to_containers(self) -> None:
        """Ordinary Pods are not SYSTEM and see nothing of the key that stands on their Node, before it is removed."""
        workshop, checks = self.pods.workshop, self.pods.checks
        made = [
            workshop.script_pod(f"ordinary-{n}", node, SCRIPT, self._given("look"))
            for n, node in enumerate(self.pods.nodes)
        ]
        twins = {one["metadata"]["name"]: node for one, node in zip(made, self.pods.nodes, strict=True)}
        found = self.pods.run("ordinary", lambda node: next(m for m in made if twins[m["metadata"]["name"]] is node))
        still = {ended.node.name: ended.said.get("key", {}).get("value") for ended in self._asked("look")}
        for ended in found:
            said = ended.said
            # Who cannot tell his own user and read his own registry has not looked
            looked = said and said["user"]["value"].startswith("S-1-") and said["build"]["value"].isdigit()
            if not looked or still.get(ended.node.name) != self.nonce:
                raise CouldNotTell(Finding(
                    "What an ordinary container sees cannot be compared", f"Node {ended.node.name}",
                    "an answer of both Pods", ended.seen, nodes=(ended.node.name,), code="twin",
                ))  # fmt: skip
            checks.take(ended.check("user of", "an ordinary Pod", "not SYSTEM", said["user"]["value"] != SYSTEM_SID,
                                    said["user"]["value"]))  # fmt: skip
            checks.take(ended.check("registry of the Node in", "an ordinary Pod", "not there",
                                    said["key"]["value"] != self.nonce, said["key"]["value"]))  # fmt: skip
            seen = said["services"]["value"]
            checks.take(ended.check("services of the Node in", "an ordinary Pod", "neither hns nor vmcompute running",
                                    not any(f"{one}=Running" in seen for one in SERVICES), seen))  # fmt: skip
            seen = said["compute"]["value"]
            checks.take(ended.check("compute systems of the Node in", "an ordinary Pod", "none", _number(seen) == 0,
                                    seen))  # fmt: skip
        for ended in self._asked("remove"):
            key = ended.said.get("key") or {"value": "", "error": ended.seen}
            gone = not key["error"] and key["value"] == ""
            checks.take(ended.check("remove", "the registry key", "gone", gone, key["error"] or key["value"]))
        self.pods.must_hold(
            checks, "Privileged calls are not kept to HostProcess containers", code="privileged",
            hint="whether ordinary Pods of this Node are isolated at all",
        )  # fmt: skip

    def _asked(self, act: str) -> list[Ended]:
        return self.pods.script(f"calls-{act}", SCRIPT, lambda node: self._given(act))

    def _given(self, act: str) -> Mapping[str, object]:
        return {"OPR_ACT": act, "OPR_KEY": self.key, "OPR_NONCE": self.nonce}

    def _judge(self, checks: Checks, ended: Ended, said: Object) -> None:
        running = {pair.partition("=")[0]: pair.partition("=")[2] for pair in said["services"]["value"].split()}
        build, revision = ended.node.build.rpartition(".")[2], self._revision(ended.node)
        product = ended.node.os_image
        wanted: dict[str, tuple[str, bool]] = {
            "user": (f"SID {SYSTEM_SID}", said["user"]["value"] == SYSTEM_SID),
            "services": ("hns and vmcompute running", all(running.get(one) == "Running" for one in SERVICES)),
            "build": (f"build {build}", said["build"]["value"] == build),
            "revision": (f"UBR {revision} or later, as the kubelet told when it started",
                         said["revision"]["value"].isdigit() and _number(said["revision"]["value"]) >= revision),
            "product": (f"ProductName {product}", said["product"]["value"] == product if product else
                        bool(said["product"]["value"])),
            "events": ("an event of the System log", said["events"]["value"] == "1"),
            "firewall": ("3 profiles", said["firewall"]["value"] == "3"),
            "compute": ("a compute system or more", _number(said["compute"]["value"]) > 0),
            "key": (f"the value {self.nonce}", said["key"]["value"] == self.nonce),
        }
        for call, (expected, good) in wanted.items():
            one = said[call]
            if one["missing"]:
                checks.not_tested(f"call: {call}", ended.node.place, f"Node {ended.node.name}", one["missing"])
                continue
            seen = one["error"] or one["value"] or "nothing"
            holds = good and not one["error"]
            checks.take(ended.check(f"call: {call}", f"Node {ended.node.name}", expected, holds, seen))
        for name in (one for one in OTHERS if one not in running):
            checks.not_tested("call: services", ended.node.place, name, f"there is no service {name}")

    def _revision(self, node: NodeFact) -> int:
        """The revision of Windows (UBR) that the kubelet read when it started: a hot patch may have raised it since."""
        info = (self.pods.workshop.cluster.get("Node", node.name).get("status") or {}).get("nodeInfo") or {}
        parts = str(info.get("kernelVersion", "")).split(".")
        return _number(parts[3]) if len(parts) > 3 else 0


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


@dataclass
class Termination:
    """A HostProcess Pod on each Node with three processes below its own, one the child of the other.

    Each has a file name of its own, for tasklist tells no more of a process: two copies of cmd.exe and, at the end, one
    of agnhost. So one that outlives its children is seen as well as one that outlives its parents.
    """

    pods: HostProcess
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    trees: list[Object] = field(default_factory=list)

    @property
    def programs(self) -> dict[str, str]:
        """The file name of each process."""
        return {what: f"opr-{self.nonce}-{n}.exe" for n, what in enumerate(DESCENDANTS, start=1)}

    def trees_must_grow(self) -> None:
        """Each is seen on its Node; raises CouldNotTell where one is not, for then its end shows nothing."""
        manifests = [self._tree(node) for node in self.pods.nodes]
        self.pods.create(manifests)
        self.trees = self.pods.workshop.pods_up([one["metadata"]["name"] for one in manifests], until_ready=False)
        unseen = [
            Finding(f"The {what} of a HostProcess Pod is not seen on its Node", f"Node {ended.node.name}", program,
                    ended.seen, nodes=(ended.node.name,), code="twin")
            for ended in self._look("before", 1) for what, program in self.programs.items()
            if program not in ended.text
        ]  # fmt: skip
        if unseen:
            raise CouldNotTell(*unseen)

    def trees_must_end(self) -> None:
        """Grace period and 30 s after the deletion none of them runs, told by a list of processes that is one."""
        self.pods.workshop.pods_away(self.trees)
        checks = self.pods.checks
        for ended in self._look("after", GRACE_AND_MORE):
            looked = ALWAYS_THERE in ended.text.lower()
            if ended.code is not None and not looked and f"opr-{self.nonce}" not in ended.text:
                self.pods.unknown.append(Finding(
                    "Processes were not listed after the deletion", f"Node {ended.node.name}", ALWAYS_THERE, ended.seen,
                    "tasklist on that Node; while nothing is listed, nothing is shown", (ended.node.name,), code="twin",
                ))  # fmt: skip
                continue
            for what, program in self.programs.items():
                left = [line.strip() for line in ended.text.splitlines() if program in line]
                checks.take(ended.check("deleted HostProcess Pod:", what, "ended", looked and not left,
                                        "; ".join(left)))  # fmt: skip
        self.pods.must_hold(
            checks, "Processes of a deleted HostProcess Pod live on", code="termination",
            hint="the job object of the container: containerd and hcsshim of the Node",
        )  # fmt: skip

    def _tree(self, node: NodeFact) -> Manifest:
        child, grandchild, last = (rf"{IMAGE}\{name}" for name in self.programs.values())
        shell = r"%SystemRoot%\System32\cmd.exe"
        copies = f"copy {shell} {child} && copy {shell} {grandchild} && copy {IMAGE}\\agnhost {last}"
        return self.pods.pod("tree", node, [
            "cmd.exe", "/c", f"{copies} && {child} /c {grandchild} /c {last} pause",
        ])  # fmt: skip

    def _look(self, name: str, after: int) -> list[Ended]:
        """Without quotes, which the way to cmd.exe does not keep: each word has its own /c."""
        words = f"/c:opr-{self.nonce} /c:{ALWAYS_THERE}"
        line = f"ping -n {after + 1} 127.0.0.1 >NUL & tasklist /nh | findstr /i {words}"
        return self.pods.cmd(name, lambda node: line)
