"""How a container meets its volumes: where they are mounted, and what faults of the VOL table make of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from op_readiness.simulator.api import Object
from op_readiness.simulator.domain.identity import IdTable
from op_readiness.simulator.nodes.containers import ConfigError, CreateFailed
from op_readiness.simulator.nodes.environment import expanded
from op_readiness.simulator.nodes.mounted import WELL, VolumeKey, VolumeTable
from op_readiness.simulator.nodes.users import identity_met
from op_readiness.simulator.nodes.volumes import Volume, volume_key
from op_readiness.simulator.programs.files import File, FileSystem, Folder, Guard
from op_readiness.simulator.programs.windowsusers import SIDS


def mount_all(
    files: FileSystem,
    table: VolumeTable,
    pod: Object,
    spec: Object,
    volumes: Mapping[str, Volume],
    env: dict[str, str],
    below: str = "",
    identities: IdTable | None = None,
) -> None:
    """Mount what a container's spec names, outer paths first, under `below`; raises ConfigError for what cannot be."""
    for mount in sorted(spec.get("volumeMounts") or [], key=lambda one: len(files.parts(one["mountPath"]))):
        volume = volumes[mount["name"]]
        key = volume_key(pod, volume.source, spec, mount)
        state = _state(table, key)
        if state == "refused":
            raise CreateFailed((table.lookup(key) or WELL).message or _parameter_incorrect(spec["name"], key))
        entry = volume.entry if state != "missing" else Folder()
        sub_path = mount.get("subPath") or expanded(mount.get("subPathExpr") or "", env)
        if sub_path:
            entry = _below(FileSystem(files.os, entry) if isinstance(entry, Folder) else None, sub_path, volume)
        read_only = (bool(mount.get("readOnly")) or volume.read_only) and state != "writable"
        path = below + _on_drive(mount["mountPath"]) if below else mount["mountPath"]
        guard = _guard(table, key)
        if files.windows and isinstance(entry, Folder) and not below:
            guard = _rights(guard, identities, pod, spec, entry, env.get("USERNAME", ""))
        files.mount(path, entry, read_only=read_only, guard=guard)


def _parameter_incorrect(container: str, key: VolumeKey) -> str:
    """What containerd says of a host's folder that HCS does not take (kubernetes/kubernetes#95547)."""
    mapped = f'{{"HostPath":"{key.host_path or key.volume}","ContainerPath":"{key.path}"}}'
    return (
        f"failed to create containerd task: hcsshim::CreateComputeSystem {container}: The parameter is incorrect. "
        f'(extra info: "MappedDirectories":[{mapped}])'
    )


def _on_drive(path: str) -> str:
    """A mount path without its drive."""
    return "\\" + path[2 if path[1:2] == ":" else 0 :].lstrip("/\\")


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
            number = errno.EROFS if state == "read-only" and path[1:2] != ":" else errno.EACCES
            raise OSError(number, os.strerror(number), path)

    return guard


def _rights(inner: Guard, identities: IdTable | None, pod: Object, spec: Object, folder: Folder, user: str) -> Guard:
    """The volume's own guard, and the folder's rights for a container's user; HostProcess containers go by neither."""

    def guard(act: str, path: str) -> None:
        inner(act, path)
        state = "well" if identities is None else identity_met(identities, pod, spec, "file", user).state
        allowed = folder.acl is None or SIDS.get(f"user manager\\{user.lower()}", user) in folder.acl
        if state == "refused" or (state == "well" and not allowed):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)

    return guard


def _state(table: VolumeTable, key: VolumeKey) -> str:
    return (table.lookup(key) or WELL).state
