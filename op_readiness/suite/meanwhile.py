"""Windows Nodes that restarted while a test ran: what it saw of them says nothing of the ability.

A Node that was patched, or that crashed, is gone for minutes, and whatever waits for it fails
(kubernetes/kubernetes#106467). Its boot id tells, and any other text is a restart. A test that restarts Nodes itself
says so, and judges them itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from op_readiness.cluster.errors import ApiError
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.observe.boots import state_of

CODE = "restarted"


class Restart(NamedTuple):
    """A Node's boot ids, before the test and after it."""

    before: str
    now: str


def boot_ids(cluster: Any) -> dict[str, str]:
    """The boot id of each Windows Node by its name; nothing where the API gives none."""
    try:
        nodes = cluster.list("Node", labels="kubernetes.io/os=windows")
    except ApiError:
        return {}
    return {node["metadata"]["name"]: state_of(node).boot_id for node in nodes}


def restarts(
    before: Mapping[str, str], now: Mapping[str, str], ours: Collection[str], tested: Collection[str]
) -> dict[str, Restart]:
    """The tested Nodes that somebody else has restarted, by name."""
    return {
        name: Restart(before[name], now[name])
        for name in tested
        if name not in ours and before.get(name) and now.get(name) and before[name] != now[name]
    }


def as_unknown(error: BaseException, seen: Mapping[str, Restart]) -> CouldNotTell:
    """What a test raised, as something that could not be found out; its own findings come after the restart."""
    nodes = tuple(sorted(seen))
    first = Finding(
        "Windows Nodes restarted while they were tested", ", ".join(f"Node {name}" for name in nodes),
        "the boot ids from before the test",
        "\n".join(f"Node {name}: boot id {one.before} -> {one.now}" for name, one in seen.items()),
        "run it again when nobody restarts Nodes", nodes, code=CODE,
    )  # fmt: skip
    return CouldNotTell(first, *getattr(error, "findings", ()))
