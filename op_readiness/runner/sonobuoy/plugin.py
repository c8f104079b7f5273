"""The plugin's definition, as `sonobuoy run --plugin` takes it. sonobuoy/op-readiness.yaml is what this prints.

The podSpec is explicit because Sonobuoy's own lets a plugin land nowhere on a cluster whose only Linux Node is the
control plane; and with a podSpec none of Sonobuoy's defaults applies, so everything is in it: it must start on Linux,
never restart, and be somebody with rights. The grace is for the reports and the clean-up after a SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from op_readiness.runner.listing import catalogue_of
from op_readiness.runner.run import own_version
from op_readiness.runner.selection import GROUPS, expand

NAME = "op-readiness"
UID = 65534
GRACE = 120
HEAD = """\
# Windows operational readiness (KEP-2578) as a Sonobuoy plugin; printed by `op-readiness sonobuoy plugin`.
# Choose categories without editing: --plugin-env op-readiness.OP_READINESS_CATEGORY=Core.Network,Core.Storage
# and the image that you built or pulled: --plugin-image op-readiness:registry.example/op-readiness:TAG
"""
TOLERATED = (
    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node-role.kubernetes.io/master", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "kubernetes.io/e2e-evict-taint-key", "operator": "Exists"},
)


def plugin_command(*, categories: Sequence[str], image: str, disruptive: bool) -> str:
    """`op-readiness sonobuoy plugin`. Raises UsageError for a category that is not known."""
    expand(catalogue_of(quick=True), categories)
    return HEAD + yaml.safe_dump(definition(categories or GROUPS, image, disruptive), sort_keys=False, width=100)


def definition(categories: Sequence[str], image: str = "", disruptive: bool = False) -> dict[str, Any]:
    """The definition as data."""
    env = [{"name": "OP_READINESS_CATEGORY", "value": ",".join(categories)}]
    env += [{"name": "OP_READINESS_DISRUPTIVE", "value": "true"}] if disruptive else []
    return {
        "sonobuoy-config": {
            "driver": "Job",
            "plugin-name": NAME,
            "description": "Whether the Windows Nodes of this cluster are ready for production",
            "source-url": "https://github.com/kubernetes/enhancements/tree/master/keps/sig-windows/"
            "2578-windows-conformance",
            "result-format": "junit",
            "result-files": ["junit_01.xml"],
        },
        "podSpec": {
            "serviceAccountName": "sonobuoy-serviceaccount",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": GRACE,
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [dict(one) for one in TOLERATED],
        },
        "spec": {
            "name": "plugin",
            "image": image or f"{NAME}:{own_version()}",
            "command": ["op-readiness"],
            "args": ["--verbose"],
            "env": env,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "runAsUser": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }
