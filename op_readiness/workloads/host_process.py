"""HostProcess Pods: the only way to see a Windows Node from within the cluster. They need a privileged Namespace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from op_readiness.model.facts import NodeFact
from op_readiness.workloads.pods import Manifest, pod

SYSTEM = r"NT AUTHORITY\SYSTEM"
IMAGE_ROOT = "CONTAINER_SANDBOX_MOUNT_POINT"
"""The variable that says where a HostProcess container finds its image: C:\\hpc from containerd 1.7 on."""


def host_pod(
    name: str, namespace: str, node: NodeFact, *, image: str, labels: Mapping[str, str], command: Sequence[str],
    env: Sequence[Mapping[str, Any]] = (), pull_secret: str = "", user: str = SYSTEM, restarts: str = "Never",
) -> Manifest:  # fmt: skip
    """A HostProcess Pod of one container `main` on `node` that runs `command` as `user`."""
    made = pod(
        name, namespace, os="windows", image=image, labels=labels, nodes=[node], node=node, args=[],
        container={"command": list(command), **({"env": [dict(one) for one in env]} if env else {})},
        spec={
            "hostNetwork": True,
            "restartPolicy": restarts,
            "securityContext": {"windowsOptions": {"hostProcess": True, "runAsUserName": user}},
        },
        pull_secret=pull_secret,
    )  # fmt: skip
    del made["spec"]["containers"][0]["args"]
    return made
