"""How a volume is met (state VOL): the keys and values of a table that faults hook.

The table holds nothing: every volume is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.network.table import Table


@dataclass(frozen=True)
class VolumeKey:
    """One volume as one container meets it. `kind` is the word of the volume's source."""

    namespace: str
    pod: str
    container: str
    volume: str
    kind: str
    path: str


@dataclass(frozen=True)
class Mounted:
    """How a volume is. `state` is well, missing (an empty folder instead), read-only, denied or no-update."""

    state: str = "well"


WELL = Mounted()
VolumeTable = Table[VolumeKey, Mounted]


def volume_table(node: str) -> VolumeTable:
    """The VOL table of a Node, all well."""
    return Table("VOL", node)
