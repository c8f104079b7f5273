"""Whether a Node that was told to restart has done so and is back, from its object before and after.

A boot id is a text: Windows counts its boots on most machines, and any other text is a restart all the same
(kubernetes/kubernetes#108886). What a machine was called and who it is has to be the same: an autoscaler that replaces
Nodes which are not Ready takes the old one away and brings another, and that says nothing of the one that restarted. A
Node that only comes in addition, while the old one is still there and does not return, excuses nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Object = dict[str, Any]


class Fate(StrEnum):
    """What became of a Node that was told to restart."""

    BACK = "back"
    LOST = "lost"  # it is not back: down, or up and not Ready
    NOT_RESTARTED = "not restarted"  # Ready as before, with the boot id that it had
    REPLACED = "replaced"  # its object is a new one, or is gone and a Node came that was not there


@dataclass(frozen=True)
class NodeState:
    """A Node at one moment, as its object says. `ready` is True, False or Unknown as the condition has it."""

    uid: str
    boot_id: str
    ready: str
    words: str = ""

    def __str__(self) -> str:
        said = f" ({self.words})" if self.words else ""
        return f"boot id {self.boot_id or 'none'}, Ready {self.ready}{said}"


def state_of(node: Object) -> NodeState:
    """What a Node's object says."""
    status = node.get("status") or {}
    conditions: list[Object] = status.get("conditions") or []
    ready: Object = next((one for one in conditions if one["type"] == "Ready"), {})
    told = str(ready.get("message") or "") if ready.get("status") != "True" else ""
    boot_id = (status.get("nodeInfo") or {}).get("bootID", "")
    return NodeState(str(node["metadata"].get("uid", "")), str(boot_id), str(ready.get("status", "Unknown")), told)


def restarted(before: NodeState, now: NodeState | None) -> bool:
    """Whether the same Node has booted since."""
    return now is not None and now.uid == before.uid and bool(now.boot_id) and now.boot_id != before.boot_id


def is_back(before: NodeState, now: NodeState | None) -> bool:
    """Whether it has booted since, and is Ready."""
    return restarted(before, now) and now is not None and now.ready == "True"


def fates_of(
    before: Mapping[str, NodeState], now: Mapping[str, NodeState | None], newcomers: int
) -> dict[str, Fate]:
    """What became of each Node of `now` when the time is over.

    `newcomers` counts Windows Nodes that were not there before: each stands for one Node whose object is gone, in the
    order of `now`, and for none that is still there.
    """
    stood_for = [name for name, state in now.items() if state is None][:newcomers]
    return {name: Fate.REPLACED if name in stood_for else fate_of(before[name], state) for name, state in now.items()}


def fate_of(before: NodeState, now: NodeState | None) -> Fate:
    """What became of a Node for which no other came."""
    if is_back(before, now):
        return Fate.BACK
    if now is not None and now.uid != before.uid:
        return Fate.REPLACED
    same = now is not None and now.boot_id == before.boot_id and now.ready == "True"
    return Fate.NOT_RESTARTED if same else Fate.LOST
