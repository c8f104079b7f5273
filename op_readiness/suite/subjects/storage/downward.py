r"""What a Windows Pod is told of itself by the downward API: a file of a volume, and variables of its environment.

Upstream: `Downward API` of test/e2e/common/node and of test/e2e/common/storage, whose tests name no operating system.
A variable that is not set stays as cmd was given it, `%NAME%`, so nothing is taken for something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from op_readiness.model.facts import NodeFact
from op_readiness.observe.checks import Check
from op_readiness.observe.quantities import in_bytes, in_millicores
from op_readiness.observe.shell import Client
from op_readiness.suite.subjects.storage.mounting import Mounting, Object, lines_of, mount, volume
from op_readiness.workloads.pods import Manifest

FOLDER = r"C:\etc\podinfo"
MEMORY, CPU = "256Mi", "250m"
FIELDS = {
    "POD_NAME": "metadata.name", "POD_NAMESPACE": "metadata.namespace", "POD_UID": "metadata.uid",
    "POD_IP": "status.podIP", "HOST_IP": "status.hostIP", "NODE_NAME": "spec.nodeName",
}  # fmt: skip
RESOURCES = {"CPU_LIMIT": ("limits.cpu", "1m"), "MEMORY_LIMIT": ("limits.memory", "1")}
"""Variable -> resource and divisor: thousandths of a CPU, and bytes."""
FILES = {"podname": "metadata.name", "podnamespace": "metadata.namespace"}
UNLIMITED = "unlimited"


@dataclass
class Downward:
    """One such Pod on each Windows Node; its second container has no limits."""

    mounting: Mounting
    nodes: Sequence[NodeFact]
    clients: list[Client] = field(default_factory=list)

    def start(self) -> None:
        """The Pods, Running."""
        manifests = [self._pod(n, node) for n, node in enumerate(self.nodes)]
        self.clients = self.mounting.up(manifests, self.nodes)

    def must_be_told(self) -> None:
        """Every file and every variable is what the API says of the Pod."""
        self.mounting.judge(
            self._told, self.clients, "A Windows Pod is not told by the downward API what the API says of it",
            hint="the Pod's status and spec in the API, the kubelet's log on its Node", code="downward-api",
        )  # fmt: skip

    def _told(self, client: Client) -> list[Check]:
        shown = self.mounting.workshop.cluster.get("Pod", client.pod, client.namespace)
        checks = []
        for file, path in FILES.items():
            wanted, text = value_of(shown, path), self.mounting.cmd(client, rf"type {FOLDER}\{file}").text
            checks.append(Check("volume", client.place, file, wanted, text, lines_of(text) == [wanted]))
        limits = {"CPU_LIMIT": str(in_millicores(CPU)), "MEMORY_LIMIT": str(in_bytes(MEMORY))}
        wanted_here = {name: value_of(shown, path) for name, path in FIELDS.items()} | limits
        checks += self._variables(client, "environment", wanted_here)
        return checks + self._variables(replace(client, container=UNLIMITED), UNLIMITED, self._allocatable(client))

    def _allocatable(self, client: Client) -> dict[str, str]:
        """What a container without limits is told: all that its Node offers."""
        offered = self.mounting.workshop.cluster.get("Node", client.place.node)["status"]["allocatable"]
        return {"CPU_LIMIT": str(in_millicores(offered["cpu"])), "MEMORY_LIMIT": str(in_bytes(offered["memory"]))}

    def _variables(self, client: Client, path: str, wanted: Mapping[str, str]) -> list[Check]:
        line = " & ".join(f"echo {name}=%{name}%" for name in wanted)
        told = dict(one.partition("=")[::2] for one in lines_of(self.mounting.cmd(client, line).text))
        return [
            Check(path, client.place, name, value, told.get(name, "nothing"), told.get(name) == value)
            for name, value in wanted.items()
        ]

    def _pod(self, number: int, node: NodeFact) -> Manifest:
        items = [{"path": name, "fieldRef": {"fieldPath": path}} for name, path in FILES.items()]
        spec: Object = {"volumes": [volume("podinfo", downwardAPI={"items": items})]}
        fields = [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in FIELDS.items()]
        limits = [
            {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}}
            for name, (resource, divisor) in RESOURCES.items()
        ]
        resources = {"requests": {"memory": MEMORY, "cpu": "10m"}, "limits": {"memory": MEMORY, "cpu": CPU}}
        mounts = [mount("podinfo", FOLDER, readOnly=True)]
        made = self.mounting.workshop.pod(f"downward-{number}", "windows", node, ["pause"], spec=spec)
        [only] = made["spec"]["containers"]
        made["spec"]["containers"] = [
            {**only, "env": [*fields, *limits], "resources": resources, "volumeMounts": mounts},
            {**only, "name": UNLIMITED, "env": limits},
        ]
        return made


def value_of(pod: Object, path: str) -> str:
    """The value of a fieldPath of a Pod as the API shows it."""
    found: object = pod
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return str(found)
