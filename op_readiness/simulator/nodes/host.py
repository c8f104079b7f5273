"""What a Node's operating system and its kubelet are like beside network, limits and volumes (state NODE).

Facts by subject and name, as an administrator would find them on a machine that was set up well. The shims of running
Pods are entries too: the kubelet has one begun with each sandbox, and ended with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from op_readiness.simulator.network.table import Table, WriteFailed
from op_readiness.simulator.nodes.specs import NodeSpec


@dataclass(frozen=True)
class FactKey:
    """`subject` says what of (docs/faults.md lists them); `name` is one of its facts.

    registry is what is set on the machine itself, policy what Group Policy set, which stands above it.

    boot is how it comes up after a restart, management what its interfaces answer, runtime how the runtime treats
    HostProcess containers and when it tells the address of a sandbox; registry-key, firewall-rule, hns-policy,
    process and port (`TCP 20001`) are what programs of HostProcess containers have made.
    """

    subject: str
    name: str = ""


@dataclass(frozen=True)
class HostFact:
    """A word, or several."""

    value: str = ""
    items: tuple[str, ...] = field(default=())


FactTable = Table[FactKey, HostFact]
CONTAINERD = r"C:\Program Files\containerd\containerd.exe"
_SHIM = r"C:\Program Files\containerd\containerd-shim-runhcs-v1.exe"
_KUBELET = {("kubelet", "IdentifyPodOS"): HostFact("true")}
"""IdentifyPodOS: whether a kubelet looks at spec.os of a Pod that is bound to it (from 1.24 on)."""
_BOOT = {("boot", "returns"): HostFact("always"), ("boot", "id"): HostFact("uuid")}
"""returns: whether the machine comes up again (always, never); id: what names a boot (a count, a uuid)."""
_WINDOWS = {
    ("boot", "id"): HostFact("count"),
    ("defender", "service"): HostFact("Running"),
    ("defender", "real-time"): HostFact("true"),
    ("defender", "mode"): HostFact("Normal"),
    ("defender", "exclusion-process"): HostFact(items=(CONTAINERD, r"C:\k\kubelet.exe", r"C:\k\kube-proxy.exe", _SHIM)),
    ("defender", "exclusion-path"): HostFact(items=(r"C:\ProgramData\containerd",)),
    ("service", "containerd"): HostFact("Running", (f'"{CONTAINERD}" --run-service',)),
    ("service", "sshd"): HostFact("Running", ("Automatic",)),
    ("service", "TermService"): HostFact("Running", ("Manual",)),
    ("registry", "fDenyTSConnections"): HostFact("1"),
    ("policy", "fDenyTSConnections"): HostFact(),
    ("os", "installed"): HostFact("1764316800"),
    ("os", "hotfix"): HostFact(items=("KB5062063", "KB5063880")),
    ("os", "free-bytes"): HostFact("96211289088"),
    ("os", "page-file-mib"): HostFact("1024"),
    ("management", "firewall"): HostFact("3"),
    ("management", "compute"): HostFact("1"),
    ("management", "hns"): HostFact(),
    ("management", "defender"): HostFact(),
    ("runtime", "host-process"): HostFact("honoured"),
    ("runtime", "host-process-of-container"): HostFact("honoured"),
    ("runtime", "host-files"): HostFact("shared"),
    ("runtime", "registry"): HostFact("of its own"),
    ("runtime", "sandbox-address"): HostFact("at-start"),
}


def _version(spec: NodeSpec) -> dict[tuple[str, str], HostFact]:
    """What Windows says of itself: its product's name, its revision (UBR), and its host name, which is the Node's."""
    revision = spec.kernel.split(".")[3]
    return {
        ("os", "product"): HostFact(spec.os_image), ("os", "revision"): HostFact(revision),
        ("os", "host-name"): HostFact(spec.name),
    }  # fmt: skip


class HostFacts:
    """The NODE table of a Node."""

    def __init__(self, spec: NodeSpec) -> None:
        self.table: FactTable = Table("NODE", spec.name)
        known = _KUBELET | _BOOT | (_WINDOWS | _version(spec) if spec.os == "windows" else {})
        self._wanted = {FactKey(*key): fact for key, fact in known.items()}
        self._wanted |= {FactKey("address", "InternalIP"): HostFact(items=tuple(filter(None, (spec.ip, spec.ip6))))}
        self.heal()

    def heal(self) -> None:
        """Everything as it was set up; the shims of Pods that run stay."""
        self.table.programmed = dict(self._wanted)

    def fact(self, subject: str, name: str = "") -> HostFact:
        """What is met; an empty fact where there is none."""
        return self.table.lookup(FactKey(subject, name)) or HostFact()

    def has(self, subject: str, name: str = "") -> bool:
        """Whether there is such a fact."""
        return self.table.lookup(FactKey(subject, name)) is not None

    def remote_desktops_denied(self) -> bool:
        """Group Policy's word where it has one, else the machine's own; without either they are."""
        name = "fDenyTSConnections"
        return (self.fact("policy", name).value or self.fact("registry", name).value) != "0"

    def ports(self) -> list[int]:
        """The TCP ports of administrators on which a service listens: 22 for SSH, 3389 for remote desktops."""
        remote = self.fact("service", "TermService").value == "Running" and not self.remote_desktops_denied()
        found = {22: self.fact("service", "sshd").value == "Running", 3389: remote}
        return [port for port, open in found.items() if open]

    def names(self, subject: str) -> list[str]:
        """The names of a subject's facts."""
        return [key.name for key in self.table if key.subject == subject]

    def shim_begins(self, uid: str) -> None:
        """A Pod's sandbox has a process on the host."""
        key = FactKey("shim", uid)
        self._wanted[key] = HostFact("running")
        self.table.create(key, HostFact("running"))

    def shim_ends(self, uid: str) -> None:
        """It ends with the sandbox; one that does not want to go stays."""
        key = FactKey("shim", uid)
        if self._wanted.pop(key, None) is not None:
            try:
                self.table.delete(key)
            except WriteFailed:
                return
