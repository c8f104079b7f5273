"""What a HostProcess container is: a process of the Node itself, by name, user, address and files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check
from op_readiness.suite.subjects.host_process.running import IMAGE, SYSTEM, SYSTEM_SID, Ended, HostProcess
from op_readiness.workloads.pods import HOSTNAME_LABEL, Manifest

Object = dict[str, Any]
USERS = {
    SYSTEM: SYSTEM_SID,
    r"NT AUTHORITY\Local service": "S-1-5-19",
    r"NT AUTHORITY\NetworkService": "S-1-5-20",
}
"""The accounts that a HostProcess container may name, by their SIDs, which are the same in every language."""


def names_of(node: NodeFact) -> set[str]:
    """What a Node's own host name may be: cloud providers name Nodes by DNS names, hosts by their first label."""
    names = {node.name.lower(), node.labels.get(HOSTNAME_LABEL, node.name).lower()}
    return names | {name.partition(".")[0] for name in names}


def has_sid(text: str, sid: str) -> bool:
    """Whether whoami /user told that SID."""
    return re.search(rf"{sid}(?![\d-])", text) is not None


def has_address(text: str, address: str) -> bool:
    """Whether a text holds an address as a whole."""
    return re.search(rf"(?<![\w.:]){re.escape(address)}(?![\w.:])", text, re.IGNORECASE) is not None


def told_name(ended: Ended) -> str:
    """The host name that a run of `IDENTITY` printed first, in lower case; empty where it printed none."""
    lines = [line.strip().lower() for line in ended.text.splitlines() if line.strip()]
    return lines[0] if lines and ended.code is not None else ""


def named(ended: Ended, path: str, addresses: Sequence[str]) -> Check:
    """Whether what a run of `IDENTITY` printed is the Node's name.

    Windows may have another name than its Node: computers of a domain have at most 15 characters, while the kubelet
    registers by --hostname-override (kubernetes/kubernetes#94267). Such a name is taken, and told, where the same run
    shows what no other container has: the user SYSTEM and an address of that Node.
    """
    known, name = names_of(ended.node), told_name(ended)
    target = f"Node {ended.node.name}"
    good = name in known
    if name and not good and name != ended.pod["metadata"]["name"].lower():
        good = has_sid(ended.text, SYSTEM_SID) and any(has_address(ended.text, ip) for ip in addresses)
        target += f", whose Windows is {name}" if good else ""
    expected = f"host name {' or '.join(sorted(known))}, or of the Windows whose SYSTEM and InternalIP it shows"
    return ended.check(path, target, expected, good)


IDENTITY = "hostname & ipconfig /all & whoami /user"
"""The host name, the adapters' addresses and the user of a HostProcess container; the name comes first."""


@dataclass
class Basics:
    """Short HostProcess Pods that tell who and where they are."""

    pods: HostProcess

    def must_run_as_a_process(self) -> None:
        """As SYSTEM, under the name of the Node's Windows; declared on the Pod, and on the container alone."""
        checks = self.pods.checks
        for name, form in (("on-pod", _as_it_is), ("on-container", _on_container)):
            found = self.pods.run(name, lambda node, form=form, name=name: form(  # type: ignore[misc]
                self.pods.pod(name, node, ["cmd.exe", "/c", IDENTITY])
            ))  # fmt: skip
            for ended in found:
                checks.take(named(ended, f"hostProcess {name.replace('-', ' the ')}", ended.node.internal_ips))
                if ended.code is not None:
                    good = has_sid(ended.text, SYSTEM_SID)
                    checks.take(ended.check(f"user of hostProcess {name}", SYSTEM, f"SID {SYSTEM_SID}", good))
        self.pods.must_hold(
            checks, "HostProcess containers do not run as processes of their Node", code="host-process",
            hint="the containerd and the hcsshim of the Node; is the Pod's hostProcess honoured?",
        )  # fmt: skip

    def must_share_the_address(self) -> None:
        """podIPs = hostIPs = the Node's InternalIPs, which are on its adapters; the host name is its Windows'.

        With hostNetwork an ordinary container may show the same, so each tells by its user that it is none.
        """
        checks, services = self.pods.checks, self._service_addresses()
        found = self.pods.cmd("address", lambda node: IDENTITY)
        reported = {node.name: self._reported(node) for node in self.pods.nodes}
        for node in self.pods.nodes:
            foreign = [ip for ip in reported[node.name] if ip in services]
            seen = ", ".join(f"{ip} is the ClusterIP of Service {services[ip]}" for ip in foreign)
            path, expected = "InternalIP of", "an address of its own"
            checks.take(Check(path, node.place, f"Node {node.name}", expected, seen or "its own", not foreign))
        for ended in found:
            checks.take(named(ended, "host name of", reported[ended.node.name]))
            if ended.code is not None:
                good = has_sid(ended.text, SYSTEM_SID)
                checks.take(ended.check("user of", "a HostProcess Pod", f"SID {SYSTEM_SID}", good))
                for check in self._addresses(ended, reported[ended.node.name]):
                    checks.take(check)
        self.pods.must_hold(
            checks, "HostProcess containers do not share their Node's address", code="node-ip",
            hint="kubectl get node -o wide, and ipconfig on the Node; the kubelet's --node-ip",
        )  # fmt: skip

    def must_run_as(self) -> None:
        """SYSTEM, LocalService and NetworkService, each told by its SID."""
        checks = self.pods.checks
        for number, (user, sid) in enumerate(USERS.items()):
            for ended in self.pods.cmd(f"user-{number}", lambda node: "whoami /user", user=user):
                good = ended.good and has_sid(ended.text, sid)
                checks.take(ended.check("runAsUserName", user, f"SID {sid}", good))
        self.pods.must_hold(
            checks, "HostProcess containers do not run as the user that their spec names", code="users",
            hint="kubectl describe the Pod; the token of that account on the Node",
        )  # fmt: skip

    def _addresses(self, ended: Ended, internal: list[str]) -> list[Check]:
        status = ended.pod["status"]
        pod_ips = sorted(one["ip"] for one in status.get("podIPs") or ())
        host_ips = sorted(one["ip"] for one in status.get("hostIPs") or [{"ip": status.get("hostIP", "")}])
        same = bool(pod_ips) and set(pod_ips) <= set(internal) and set(pod_ips) <= set(host_ips)
        seen = f"podIPs {', '.join(pod_ips)}, hostIPs {', '.join(host_ips)}, InternalIPs {', '.join(internal)}"
        missing = [ip for ip in internal if not has_address(ended.text, ip)]
        return [
            ended.check("podIP of", "a HostProcess Pod", "the Node's InternalIP", same, seen),
            ended.check("adapters seen by", "a HostProcess Pod", f"{', '.join(internal)} among them", not missing,
                        f"no adapter has {', '.join(missing)}" if missing else "all of them"),
        ]  # fmt: skip

    def _reported(self, node: NodeFact) -> list[str]:
        """The InternalIPs that the Node's kubelet reports now."""
        shown = self.pods.workshop.cluster.get("Node", node.name)["status"].get("addresses") or ()
        return sorted(one["address"] for one in shown if one["type"] == "InternalIP")

    def _service_addresses(self) -> dict[str, str]:
        found = self.pods.workshop.cluster.list("Service")
        return {
            ip: f"{one['metadata']['namespace']}/{one['metadata']['name']}"
            for one in found for ip in one["spec"].get("clusterIPs") or ()
        }  # fmt: skip


def _sections(text: str) -> dict[str, str]:
    """What stands below each line of the form [name]."""
    found: dict[str, str] = {}
    for part in text.split("[")[1:]:
        name, _, rest = part.partition("]")
        found[name] = rest.strip()
    return found


def _as_it_is(manifest: Manifest) -> Manifest:
    return manifest


def _on_container(manifest: Manifest) -> Manifest:
    """The same, with the options on the container and none on the Pod."""
    context = manifest["spec"].pop("securityContext")
    for container in manifest["spec"]["containers"]:
        container["securityContext"] = context
    return manifest


@dataclass
class InitContainers:
    """A HostProcess init container that leaves a file on the Node, and the main container that reads it."""

    pods: HostProcess
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def path(self) -> str:
        """The file on each Node's own drive."""
        return rf"C:\opr-{self.pods.workshop.context.run_id}-{self.nonce}.txt"

    def must_leave_their_effects(self) -> None:
        """The init container runs first and on the host: what it wrote is what the main one reads there."""
        for node in self.pods.nodes:
            self.pods.workshop.promise("host file", {"node": node.name, "path": self.path})
        checks = self.pods.checks
        for ended in self.pods.run("init", self._manifest):
            checks.take(ended.check("init container", self.path, f"its content {self.nonce}",
                                    ended.good and ended.text.strip() == self.nonce))  # fmt: skip
        self.pods.must_hold(
            checks, "What a HostProcess init container did on the Node is not there", code="init",
            hint="kubectl describe the Pod: the state of its init container",
        )  # fmt: skip

    def _manifest(self, node: NodeFact) -> Manifest:
        made = self.pods.pod("init", node, ["cmd.exe", "/c", f"type {self.path}"])
        main = made["spec"]["containers"][0]
        writes = ["cmd.exe", "/c", f"echo {self.nonce}> {self.path}"]
        made["spec"]["initContainers"] = [{"name": "first", "image": main["image"], "command": writes}]
        return made


@dataclass
class Volumes:
    """ConfigMap, Secret, emptyDir, hostPath and downward API in HostProcess containers."""

    pods: HostProcess
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def folder(self) -> str:
        """The hostPath on each Node."""
        return rf"C:\opr-{self.pods.workshop.context.run_id}-{self.nonce}"

    def must_be_seen(self, binds: tuple[int, int], source: str) -> None:
        """By the mount point's variable, and where containerd binds them, at their mount paths."""
        workshop = self.pods.workshop
        meta = {"name": "files", "namespace": workshop.namespace, "labels": workshop.labels}
        text = {"text.txt": f"configmap {self.nonce}"}
        workshop.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": text})
        secret = {"foo.txt": f"secret {self.nonce}"}
        workshop.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": secret})
        for node in self.pods.nodes:
            workshop.promise("host folder", {"node": node.name, "path": self.folder})
        self._look("by-variable", IMAGE.join(("", "\\etc")))
        self.pods.nodes = self.pods.only("volumes at their mount paths", binds, source, self.pods.nodes)
        self._look("by-path", r"C:\etc")
        self.pods.nothing_may_be_unknown()

    def _look(self, name: str, root: str) -> None:
        checks = self.pods.checks
        for ended in self.pods.run(name, lambda node: self._manifest(name, node, root)):
            expected = {
                "configMap": f"configmap {self.nonce}", "secret": f"secret {self.nonce}",
                "downwardAPI": ended.pod["metadata"]["name"], "emptyDir": f"empty {self.nonce}",
                "hostPath": f"host {self.nonce}", "fieldRef": f"node {ended.node.name}",
            }  # fmt: skip
            if ended.code is None:
                checks.take(ended.check("volumes of", "a HostProcess Pod", "their content", False))
                continue
            told = _sections(ended.text)
            for kind, wanted in expected.items():
                seen = told.get(kind) or "nothing"
                checks.take(ended.check(f"{kind}, {name.replace('-', ' ')}", root, wanted, seen == wanted, seen))
        checks.must_hold(
            "HostProcess containers do not see their volumes", code="volumes",
            hint="the volumes of the Pod on that Node, and the version of its containerd",
        )  # fmt: skip

    def _manifest(self, name: str, node: NodeFact, root: str) -> Manifest:
        def shown(kind: str, path: str) -> str:
            return f"echo [{kind}]& type {root}\\{path}& echo."

        line = " & ".join([
            f"echo empty {self.nonce}> {root}\\empty\\e.txt", f"echo host {self.nonce}> {root}\\host\\h.txt",
            shown("configMap", r"configmap\text.txt"), shown("secret", r"secret\foo.txt"),
            shown("downwardAPI", r"downward\podname"), shown("emptyDir", r"empty\e.txt"),
            f"echo [hostPath]& type {self.folder}\\h.txt& echo.", "echo [fieldRef]& echo node %OPR_NODE%",
        ])  # fmt: skip
        ref = [{"name": "OPR_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]
        made = self.pods.pod(name, node, ["cmd.exe", "/c", line], env=ref)
        item = {"path": "podname", "fieldRef": {"fieldPath": "metadata.name"}}
        made["spec"]["volumes"] = [
            {"name": "configmap", "configMap": {"name": "files"}},
            {"name": "secret", "secret": {"secretName": "files"}},
            {"name": "empty", "emptyDir": {}}, {"name": "downward", "downwardAPI": {"items": [item]}},
            {"name": "host", "hostPath": {"path": self.folder, "type": "DirectoryOrCreate"}},
        ]  # fmt: skip
        made["spec"]["containers"][0]["volumeMounts"] = [
            {"name": volume["name"], "mountPath": f"/etc/{volume['name']}"} for volume in made["spec"]["volumes"]
        ]
        return made
