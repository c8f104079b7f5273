"""Nodes put back: a taint that a run added, a cordon that it made."""

from __future__ import annotations

from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import Conflict
from op_readiness.workloads.undo.journal import NotUndone, undoes

TRIES = 5
"""Somebody else may write to the same Node between our look and our patch."""


@undoes("taint")
def remove_taint(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`, `key`, `effect`: the taint goes; the others stay as they are now."""

    def spec(node: dict[str, Any]) -> dict[str, Any]:
        kept = [
            taint for taint in node["spec"].get("taints") or ()
            if (taint["key"], taint.get("effect")) != (data["key"], data["effect"])
        ]  # fmt: skip
        return {"taints": kept or None}

    _change(cluster, data["node"], spec)


@undoes("cordon")
def uncordon(cluster: Cluster, data: dict[str, Any]) -> None:
    """`node`: it takes Pods again."""
    _change(cluster, data["node"], lambda node: {"unschedulable": None})


def _change(cluster: Cluster, name: str, spec: Any) -> None:
    for _ in range(TRIES):
        node = cluster.find("Node", name)
        if node is None:
            return
        version = {"resourceVersion": node["metadata"].get("resourceVersion")}
        try:
            cluster.patch("Node", name, "", {"metadata": version, "spec": spec(node)})
            return
        except Conflict:
            continue
    raise NotUndone(f"Node {name}: written to by others {TRIES} times in a row")
