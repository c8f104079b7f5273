"""How a Node's runtime treats HostProcess containers: as asked, not at all, or not where the container alone asks.

And when it tells the address of a sandbox: with the sandbox, or only once a container runs in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import CreateFailed
from op_readiness.simulator.nodes.host import HostFacts
from op_readiness.simulator.nodes.users import host_process
from op_readiness.simulator.programs.files import Folder

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node

MIXED = (
    "failed to create containerd task: failed to create shim task: cannot create a HostProcess container in a sandbox "
    "that is none"
)
SUBJECT = "runtime"


def as_run(host: HostFacts, pod: Object) -> Object:
    """The Pod as the runtime takes it: where it knows nothing of HostProcess, that and hostNetwork are not there."""
    if host.fact(SUBJECT, "host-process").value != "ignored" or not any(
        host_process(pod, spec) for spec in pod["spec"]["containers"]
    ):
        return pod
    spec = {key: value for key, value in pod["spec"].items() if key != "hostNetwork"}
    for name in ("containers", "initContainers"):
        spec[name] = [_without(one) for one in spec.get(name) or []]
    return {**pod, "spec": _without(spec)}


def _without(holder: Object) -> Object:
    context = holder.get("securityContext") or {}
    options = {key: value for key, value in (context.get("windowsOptions") or {}).items() if key != "hostProcess"}
    return {**holder, "securityContext": {**context, "windowsOptions": options}}


def refuse_host_process(host: HostFacts, pod: Object, spec: Object) -> None:
    """Raise CreateFailed where the sandbox is made by the Pod's own fields alone and the container asks by its own."""
    of_pod = ((pod["spec"].get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess")
    if host_process(pod, spec) and not of_pod and host.fact(SUBJECT, "host-process-of-container").value == "refused":
        raise CreateFailed(MIXED)


def host_root(node: Node) -> Folder:
    """The Node's files as a HostProcess container has them: the same for all, or each a copy that goes with it."""
    root = node.host_files.root
    return root.copy() if node.host.fact(SUBJECT, "host-files").value == "private" else root


def told_addresses(host: HostFacts, pod: Object, ips: Sequence[str]) -> list[str]:
    """The Pod's addresses as the kubelet knows them when it makes a container; those of its Node it knows anyway."""
    late = host.fact(SUBJECT, "sandbox-address").value == "after-start" and not pod["spec"].get("hostNetwork")
    return [] if late else list(ips)
