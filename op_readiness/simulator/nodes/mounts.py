"""How a container meets its volumes (state VOL): where they are mounted, and what faults make of them.

The table holds nothing: every volume is well. Faults hook its look-up and give a Mounted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass

from op_readiness.simulator.api import Object
from op_readiness.simulator.network.table import Table
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.environment import expanded
from op_readiness.simulator.nodes.volumes import Volume
from op_readiness.simulator.programs.files import File, FileSystem, Folder, Guard

KINDS = ("emptyDir", "hostPath", "configMap", "secret", "projected", "downwardAPI")


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
    """How a volume is. `state` is well, missing (the container sees an empty folder), read-only, denied or no-update."""

    state: str = "well"


WELL = Mounted()
VolumeTable = Table[VolumeKey, Mounted]


def volume_table(node: str) -> VolumeTable:
    """The VOL table of a Node, all well."""
    return Table("VOL", node)


def mount_all(
    files: FileSystem, table: VolumeTable, pod: Object, spec: Object, volumes: Mapping[str, Volume], env: dict[str, str]
) -> None:
    """Mount what a container's spec names; raises ConfigError for what cannot be."""
    for mount in spec.get("volumeMounts") or []:
        volume = volumes[mount["name"]]
        key = _key(pod, spec, mount, volume)
        entry = volume.entry if _state(table, key) != "missing" else Folder()
        sub_path = mount.get("subPath") or expanded(mount.get("subPathExpr") or "", env)
        if sub_path:
            entry = _below(FileSystem(files.os, entry) if isinstance(entry, Folder) else None, sub_path, volume)
        read_only = bool(mount.get("readOnly")) or volume.read_only
        files.mount(mount["mountPath"], entry, read_only=read_only, guard=_guard(table, key))


def _below(inside: FileSystem | None, sub_path: str, volume: Volume) -> File | Folder:
    if inside is None:
        raise ConfigError(f"failed to prepare subPath for volumeMount {volume.name!r}: it is a file")
    entry = inside.entry(sub_path)
    if entry is None and not volume.read_only:
        inside.makedirs(sub_path)
        entry = inside.entry(sub_path)
    if entry is None:
        entry = Folder()
    return entry


def _guard(table: VolumeTable, key: VolumeKey) -> Guard:
    def guard(act: str, path: str) -> None:
        state = _state(table, key)
        if state == "denied" or (state == "read-only" and act in ("write", "remove")):
            number = errno.EROFS if state == "read-only" and not path[1:2] == ":" else errno.EACCES
            raise OSError(number, os.strerror(number), path)

    return guard


def _key(pod: Object, spec: Object, mount: Object, volume: Volume) -> VolumeKey:
    kind = next((kind for kind in KINDS if kind in volume.source), "")
    meta = pod["metadata"]
    return VolumeKey(meta["namespace"], meta["name"], spec["name"], volume.name, kind, mount["mountPath"])


def _state(table: VolumeTable, key: VolumeKey) -> str:
    return (table.lookup(key) or WELL).state


def updates(table: VolumeTable, pod: Object, volume: Volume) -> bool:
    """Whether a live volume takes new contents."""
    return _state(table, _key(pod, {"name": ""}, {"mountPath": ""}, volume)) != "no-update"
