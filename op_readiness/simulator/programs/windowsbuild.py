"""Which Windows a process sees: the version of its container's Node."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.programs.process import Process

UPDATES = {"10.0.17763": "6893", "10.0.20348": "2966", "10.0.26100": "2894"}
DEFAULT = "10.0.20348"


def build_of(process: Process) -> str:
    """`10.0.20348.2966`; Server 2022 where the Node is not known."""
    nodes: Any = getattr(process.world, "nodes", None) or {}
    node = nodes.get(process.network.node) if isinstance(nodes, dict) else None
    build = getattr(node, "build", "") or DEFAULT
    return build if build.count(".") > 2 else f"{build}.{UPDATES.get(build, '1')}"
