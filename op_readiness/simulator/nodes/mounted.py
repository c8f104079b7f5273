"""How a volume is met (state VOL): the keys and values of a table that faults hook.

The table holds nothing: every volume is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.network.table import Table


@dataclass(frozen=True)
class VolumeKey:
    """One volume as one container meets it, or (`container` and `path` empty) as the kubelet sets it up and keeps it.

    `kind` is the word of the volume's source; `holds` is `token` where a service account token is projected into it.
    `host_path` is the path of a hostPath volume as its Pod writes it.
    Of a mount with a subPath, `sub_path` is that and `sub_path_order` which of its Pod's such mounts it is, from 1.
    """

    namespace: str
    pod: str
    container: str
    volume: str
    kind: str
    path: str
    holds: str = ""
    sub_path: str = ""
    sub_path_order: int = 0
    host_path: str = ""


STATES = {
    "well": "as the Pod's spec asks",
    "missing": "an empty folder of the container's own instead",
    "read-only": "nothing can be written",
    "writable": "readOnly of the mount is not kept",
    "denied": "neither read nor written",
    "no-update": "contents stay as they were first",
    "unmountable": "the kubelet cannot set it up",
    "refused": "the runtime cannot create a container with it",
    "held": "the kubelet cannot take it down",
}


@dataclass(frozen=True)
class Mounted:
    """How a volume is. `state` is one of STATES; `message` is what the kubelet says of one that it cannot set up."""

    state: str = "well"
    message: str = ""


WELL = Mounted()
VolumeTable = Table[VolumeKey, Mounted]


def volume_table(node: str) -> VolumeTable:
    """The VOL table of a Node, all well."""
    return Table("VOL", node)
