"""How Windows Nodes are set up for their administrators: Defender's exclusions, ways to log on, what they are."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.model.errors import AbilityNotMet, NotApplicable, NotTested
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.suite.subjects.worker.hosts import Hosts

Object = dict[str, Any]
DATA_ROOT = r"C:\ProgramData\containerd"
RUNTIME = "containerd.exe"
ADVISED = ("kubelet", "kube-proxy", "containerd-shim-runhcs-v1")
"""Processes whose exclusion is advised beside containerd's; the specification asks for containerd alone."""
HIDDEN = "n/a"
"""What Defender says in place of its exclusions where a policy hides them."""
PORTS = {"SSH": 22, "RDP": 3389}


@dataclass
class Defender:
    """Microsoft Defender on each Windows Node."""

    hosts: Hosts
    recorder: Recorder

    def must_leave_out_containerd(self) -> None:
        """Where Defender scans in real time, containerd is excluded; a Node without Defender is left out.

        One whose Defender runs and does not tell what it leaves out is neither without it nor at fault.
        """
        said = self.hosts.ask("defender")
        asked = [node for node in self.hosts.nodes if node.name in said]
        absent = [node for node in asked if said[node.name]["missing"]]
        for node in absent:
            why = str(said[node.name]["missing"])
            self.recorder.part(Part("Defender", node.place, "", Outcome.SKIPPED, node.name, reason=why))
        if absent and len(absent) == len(self.hosts.nodes):
            why = f"no Windows Node has Microsoft Defender: {said[absent[0].name]['missing']}"
            raise NotApplicable(why, source="KEP-2578, Worker Configuration")
        wrong = []
        for node in asked:
            if node in absent:
                continue
            if unread := _unread(node, said[node.name]):
                self.hosts.unknown.append(unread)
            else:
                bad = self._judge(node, said[node.name])
                outcome = Outcome.FAILED if bad else Outcome.PASSED
                self.recorder.part(Part("Defender", node.place, "containerd", outcome, node.name))
                wrong += [bad] if bad else []
        if wrong:
            raise AbilityNotMet(*wrong)
        self.hosts.nothing_may_be_unknown()

    def _judge(self, node: NodeFact, said: Object) -> Finding | None:
        if not said["realTime"]:
            mode = said["mode"] or "unknown"
            self.recorder.note(f"Node {node.name}: Defender does not scan in real time (mode {mode})")
            return None
        processes = [str(one).lower() for one in said["processes"]]
        self._advise(node, said, processes)
        path = str(said["containerd"]).lower()
        if ntpath.basename(path) != RUNTIME:  # no such service, or one that something else starts: by any path
            path, processes = RUNTIME, [ntpath.basename(one) for one in processes]
        if path in processes or RUNTIME in processes:
            return None
        return Finding(
            "Defender does not leave containerd out when it scans", f"Node {node.name}",
            f"{path} among the excluded processes", ", ".join(said["processes"]) or "no exclusion",
            f"on {node.name}: Add-MpPreference -ExclusionProcess '{said['containerd'] or 'containerd.exe'}'",
            (node.name,), code="defender",
        )  # fmt: skip

    def _advise(self, node: NodeFact, said: Object, processes: Sequence[str]) -> None:
        names = {ntpath.basename(one).removesuffix(".exe") for one in processes}
        if missing := [name for name in ADVISED if name not in names]:
            self.recorder.note(f"Node {node.name}: excluding {', '.join(missing)} from scans is advised too")
        paths = [str(one).lower().rstrip("\\") for one in said["paths"]]
        if DATA_ROOT.lower() not in paths:
            self.recorder.note(f"Node {node.name}: excluding the folder {DATA_ROOT} from scans is advised")


def _unread(node: NodeFact, said: Object) -> Finding | None:
    """Why it is not known what Defender leaves out; where it does not scan, nothing needs to be."""
    hidden = said["realTime"] and any(str(one).lower().startswith(HIDDEN) for one in said["processes"])
    if not said["error"] and not hidden:
        return None
    hint = f"on {node.name}: Get-MpComputerStatus, Get-MpPreference"
    if hidden:
        hint = f"on {node.name}: HideExclusionsFromLocalAdmins is set; see there what the policy of exclusions says"
    return Finding(
        "Defender runs and does not tell what it leaves out when it scans", f"Node {node.name}",
        "its status and its exclusions", said["error"] or f"hidden by policy: {', '.join(said['processes'])}", hint,
        (node.name,), code="tool",
    )  # fmt: skip


@dataclass
class AdminAccess:
    """SSH and RDP on each Windows Node. Nobody logs on."""

    hosts: Hosts
    asker: Asker
    recorder: Recorder
    clients: Sequence[Client]

    def must_be_open(self) -> None:
        """On each Node one of the two is enabled, runs and listens; all Nodes that lack both are named."""
        said = self.hosts.ask("admin-access")
        wrong = []
        for node in (one for one in self.hosts.nodes if one.name in said):
            ways = _ways(said[node.name])
            outcome = Outcome.PASSED if ways else Outcome.FAILED
            target = ", ".join(ways) or "neither SSH nor RDP"
            self.recorder.part(Part("administrators", node.place, target, outcome, node.name))
            wrong += [] if ways else [_closed(node, said[node.name])]
        if wrong:
            raise AbilityNotMet(*wrong)
        self.hosts.nothing_may_be_unknown()

    def record_reachability(self) -> None:
        """Whether a Linux Pod of the cluster reaches the ports, which a firewall may well forbid."""
        for client in self.clients:
            asks = [
                Ask(f"{node.name} {name}", f"/agnhost connect {node.internal_ips[0]}:{port} --timeout=3s", longest=4)
                for node in self.hosts.nodes for name, port in PORTS.items()
            ]  # fmt: skip
            for key, (answer,) in self.asker.ask(client, asks).items():
                seen = "is" if answer.good else "is not"
                self.recorder.note(f"{key.replace(' ', ': ')} {seen} reachable from Pods on {client.place.node}")


def must_not_be_closed(inputs: Mapping[str, Any]) -> None:
    """Raises NotApplicable where the operator has said that nobody is to log on to Nodes."""
    if (inputs.get("nodes") or {}).get("closed"):
        raise NotApplicable("by design administrators log on to no Node", source="--input nodes.closed=true")


def _ways(said: Object) -> list[str]:
    """SSH and RDP, as far as they are on: service running, port listening, remote desktops not denied."""
    running = {str(one["name"]).lower() for one in said["services"] if str(one["status"]) == "Running"}
    ways = ["SSH"] if "sshd" in running and PORTS["SSH"] in said["listening"] else []
    rdp = "termservice" in running and PORTS["RDP"] in said["listening"] and not said["rdpDenied"]
    return [*ways, *(["RDP"] if rdp else [])]


def _closed(node: NodeFact, said: Object) -> Finding:
    services = ", ".join(f"{one['name']} {one['status']} ({one['startType']})" for one in said["services"])
    denied = "; remote desktops are denied (fDenyTSConnections)" if said["rdpDenied"] else ""
    ports = ", ".join(str(port) for port in said["listening"]) or "neither 22 nor 3389"
    return Finding(
        "Administrators can log on neither by SSH nor by RDP", f"Node {node.name}",
        "sshd or TermService running, enabled and listening",
        f"services: {services or 'neither sshd nor TermService'}; listening: {ports}{denied}",
        f"closed by design? then --input nodes.closed=true; else on {node.name}: Start-Service sshd",
        (node.name,), code="closed",
    )  # fmt: skip


@dataclass
class Inventory:
    """What each Windows Node is: from the API, and from within where privileged Pods may be made."""

    hosts: Hosts
    recorder: Recorder

    def must_be_told(self) -> None:
        """Build with its revision, runtime, and an InternalIP that an adapter of the Node really has."""
        said, forbidden = self._from_within()
        cluster, wrong = self.hosts.workshop.cluster, []
        services = {one["spec"].get("clusterIP"): one["metadata"] for one in cluster.list("Service")}
        for node in self.hosts.nodes:
            shown = cluster.get("Node", node.name)
            bad = [*_untold(node, shown), *_service_address(node, shown, services)]
            if node.name in said:
                bad += [] if bad else _foreign_address(node, shown, said[node.name])
                self._remember(node, shown, said[node.name])
            elif forbidden:
                self._keep(node, shown)
            elif not bad:
                continue
            target = shown["status"]["nodeInfo"].get("kernelVersion", "")
            outcome = Outcome.FAILED if bad else Outcome.PASSED
            self.recorder.part(Part("inventory", node.place, target, outcome, node.name))
            wrong += bad
        if wrong:
            raise AbilityNotMet(*wrong)
        self.hosts.nothing_may_be_unknown()

    def _from_within(self) -> tuple[dict[str, Object], str]:
        """What Nodes say of themselves, and why they may not be asked, if that is so: the API is asked all the same."""
        try:
            return self.hosts.ask("inventory"), ""
        except NotTested as error:
            for node in self.hosts.nodes:
                part = Part("inventory", node.place, "its adapters", Outcome.SKIPPED, node.name, reason=error.why)
                self.recorder.part(part)
            return {}, error.why

    def _keep(self, node: NodeFact, shown: Object) -> None:
        """The status that a kubelet writes of its Node."""
        info = shown["status"].get("nodeInfo") or {}
        self.recorder.note(
            f"Node {node.name}: {info.get('osImage')}, {info.get('kernelVersion')}, "
            f"{info.get('containerRuntimeVersion')}, kubelet {info.get('kubeletVersion')}"
        )
        told = {"node": node.name, "build": node.build, "boot_id": str(info.get("bootID", ""))}
        self.recorder.node_answered({**told, "answer": "its kubelet wrote the Node's status"})

    def _remember(self, node: NodeFact, shown: Object, said: Object) -> None:
        info, recorder = shown["status"]["nodeInfo"], self.recorder
        recorder.note(
            f"Node {node.name}: {info.get('osImage')}, {said['build']}, {info.get('containerRuntimeVersion')}, "
            f"kubelet {info.get('kubeletVersion')}, hotfixes {', '.join(said['hotfixes']) or 'none'}"
        )
        recorder.figure(f"{node.name} uptime hours", float(said["uptimeSeconds"]) / 3600)
        recorder.figure(f"{node.name} free GiB of C", float(said["freeBytes"]) / 2**30)
        recorder.figure(f"{node.name} page file MiB", float(said["pageFileMiB"]))


def _untold(node: NodeFact, shown: Object) -> list[Finding]:
    info, labels = shown["status"].get("nodeInfo") or {}, shown["metadata"].get("labels") or {}
    wanted = {
        "nodeInfo.osImage": info.get("osImage"), "nodeInfo.bootID": info.get("bootID"),
        "nodeInfo.kernelVersion with a revision": info.get("kernelVersion", "").count(".") >= 3,
        "nodeInfo.containerRuntimeVersion": "://" in str(info.get("containerRuntimeVersion", "")),
        "nodeInfo.kubeletVersion": info.get("kubeletVersion"),
        "label kubernetes.io/os: windows": labels.get("kubernetes.io/os") == "windows",
        "label kubernetes.io/arch": labels.get("kubernetes.io/arch"),
        "label node.kubernetes.io/windows-build": labels.get("node.kubernetes.io/windows-build"),
        "an InternalIP": any(one["type"] == "InternalIP" for one in shown["status"].get("addresses") or ()),
    }  # fmt: skip
    missing = [name for name, there in wanted.items() if not there]
    if not missing:
        return []
    return [Finding(
        "A Node does not say what it is", f"Node {node.name}", ", ".join(wanted), f"without {', '.join(missing)}",
        f"kubectl get node {node.name} -o yaml", (node.name,), code="untold",
    )]  # fmt: skip


def _service_address(node: NodeFact, shown: Object, services: Mapping[str | None, Object]) -> list[Finding]:
    """Told by the API alone: with such an address the API server itself does not reach the kubelet any more."""
    reported = [one["address"] for one in shown["status"].get("addresses") or () if one["type"] == "InternalIP"]
    return [
        Finding(
            "A Node reports the address of a Service as its own", f"Node {node.name}",
            "an InternalIP of one of its adapters",
            f"{ip} is the ClusterIP of Service {services[ip]['namespace']}/{services[ip]['name']}",
            f"restart the kubelet of {node.name} with --node-ip", (node.name,), code="address",
        )
        for ip in reported if ip in services
    ]  # fmt: skip


def _foreign_address(node: NodeFact, shown: Object, said: Object) -> list[Finding]:
    reported = [one["address"] for one in shown["status"].get("addresses") or () if one["type"] == "InternalIP"]
    foreign = [address for address in reported if address not in said["addresses"]]
    if reported and not foreign:
        return []
    return [Finding(
        "A Node's InternalIP is not an address of its adapters", f"Node {node.name}",
        f"one of {', '.join(said['addresses'])}", f"InternalIP {', '.join(foreign) or 'none'}",
        f"kubectl get node {node.name} -o wide, and ipconfig on {node.name}: the kubelet's --node-ip", (node.name,),
        code="address",
    )]  # fmt: skip
