"""Volumes of a Pod: made before its sandbox, mounted into its containers, kept up to date while it runs.

Contents of ConfigMap, Secret, downward API and projected volumes lie, as a kubelet writes them, in a folder named by
time behind the link `..data`; an update swaps the link. What of a volume a container meets goes through the VOL table.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.environment import keyed
from op_readiness.simulator.nodes.failures import UNREACHABLE
from op_readiness.simulator.nodes.fields import container_named, field_value, resource_value
from op_readiness.simulator.nodes.mounted import VolumeKey
from op_readiness.simulator.nodes.tokens import Token, token
from op_readiness.simulator.programs.files import File, Folder, Link

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node
    from op_readiness.simulator.world import World

Payload = dict[str, bytes]


INHERITED = 0o775
"""What the permissions of a kubelet's files on Windows look like: inherited ACLs, whatever mode the spec asks for."""
KINDS = ("emptyDir", "hostPath", "configMap", "secret", "projected", "downwardAPI")


def kind_of(source: Object) -> str:
    """The word of a volume's source; empty for one that is not simulated."""
    return next((kind for kind in KINDS if kind in source), "")


def volume_key(pod: Object, source: Object, spec: Object | None = None, mount: Object | None = None) -> VolumeKey:
    """The key of a volume of a Pod, as the kubelet sets it up or (with `spec` and `mount`) as a container meets it."""
    meta, mount = pod["metadata"], mount or {}
    projected = (source.get("projected") or {}).get("sources") or []
    holds = "token" if any("serviceAccountToken" in one for one in projected) else ""
    sub_path = mount.get("subPath") or mount.get("subPathExpr") or ""
    return VolumeKey(
        meta["namespace"], meta["name"], spec["name"] if spec else "", source["name"], kind_of(source),
        mount.get("mountPath", ""), holds, sub_path, _order(pod, mount) if sub_path else 0,
        (source.get("hostPath") or {}).get("path", ""),
    )  # fmt: skip


def _order(pod: Object, mount: Object) -> int:
    """Which of its Pod's mounts with a subPath it is, from 1."""
    mounts = [one for spec in pod["spec"]["containers"] for one in spec.get("volumeMounts") or ()]
    with_path = [one for one in mounts if one.get("subPath") or one.get("subPathExpr")]
    return with_path.index(mount) + 1 if mount in with_path else 0


class VolumeFailed(Exception):
    """A volume that cannot be set up (yet); the text is that of a FailedMount Event."""


@dataclass
class Volume:
    """One volume of a Pod. `live` ones have contents of the API that change under a running Pod."""

    name: str
    source: Object
    entry: File | Folder
    live: bool = False
    read_only: bool = False
    payload: Payload = field(default_factory=dict)
    token: Token | None = None


class Volumes:
    """All volumes of one Pod on its Node."""

    def __init__(self, world: World, node: Node, pod: Object) -> None:
        self._world, self._node, self._pod = world, node, pod
        self.by_name: dict[str, Volume] = {}

    async def prepare(self) -> None:
        """Set up every volume; raises VolumeFailed with the first that cannot be."""
        for source in self._pod["spec"].get("volumes") or []:
            if source["name"] not in self.by_name:
                self.by_name[source["name"]] = await self._made(source)

    async def refresh(self, pod: Object, ips: Sequence[str]) -> bool:
        """Bring live volumes up to date; one whose source is gone keeps what it has, as on a kubelet.

        Gives whether all are: one that could not be is looked at again.
        """
        self._pod = pod
        fresh = True
        for volume in self.by_name.values():
            if not volume.live or not isinstance(volume.entry, Folder):
                continue
            try:
                if self._updates(volume):
                    await self._fill(volume, ips)
                else:
                    fresh = False
            except VolumeFailed:
                fresh = False
        return fresh

    def _updates(self, volume: Volume) -> bool:
        """Whether the VOL table lets new contents in."""
        met = self._node.volumes.lookup(volume_key(self._pod, volume.source))
        return met is None or met.state != "no-update"

    def taken_down(self) -> None:
        """Unmount what containers had mounted; raises VolumeFailed for what cannot be taken down, as long as it is."""
        for spec in self._pod["spec"]["containers"]:
            for mount in spec.get("volumeMounts") or ():
                volume = self.by_name.get(mount["name"])
                met = volume and self._node.volumes.lookup(volume_key(self._pod, volume.source, spec, mount))
                if met and met.state == "held":
                    path = mount.get("subPath") or mount["mountPath"]
                    raise VolumeFailed(
                        f'error cleaning subPath mounts for volume "{mount["name"]}" : {path}: '
                        + (met.message or "remove: The process cannot access the file because it is being used by "
                           "another process.")
                    )  # fmt: skip

    def uses(self, kind: str, name: str) -> bool:
        """Whether a live volume shows this ConfigMap or Secret (`kind` is configMap or secret)."""
        return any((kind, name) in _references(volume.source) for volume in self.by_name.values())

    def renew_in(self) -> float | None:
        """Cluster seconds until the first token is to be renewed; None without tokens."""
        due = [volume.token.renew_at for volume in self.by_name.values() if volume.token is not None]
        return max(0.0, min(due) - self._world.clock.now()) if due else None

    async def _made(self, source: Object) -> Volume:
        name = source["name"]
        met = self._node.volumes.lookup(volume_key(self._pod, source))
        if met is not None and met.state == "unmountable":
            raise VolumeFailed(f'MountVolume.SetUp failed for volume "{name}" : {met.message or "Access is denied."}')
        if "emptyDir" in source:
            memory = (source["emptyDir"] or {}).get("medium") == "Memory" and self._node.os == "linux"
            return Volume(name, source, Folder(mode=0o777, kind="tmpfs" if memory else ""))
        if "hostPath" in source:
            return Volume(name, source, self._host_path(name, source["hostPath"]))
        if {"configMap", "secret", "projected", "downwardAPI"} & set(source):
            volume = Volume(name, source, Folder(mode=0o777, kind="tmpfs"), live=True, read_only=True)
            await self._fill(volume, ())
            return volume
        kind = ", ".join(key for key in source if key != "name")
        raise VolumeFailed(f'MountVolume.SetUp failed for volume "{name}" : {kind} volumes are not simulated')

    def _host_path(self, name: str, host_path: Object) -> File | Folder:
        path, kind = host_path["path"], host_path.get("type") or ""
        files = self._node.host_files
        entry = files.entry(path)
        if entry is None and kind in ("", "DirectoryOrCreate"):
            files.makedirs(path)
        if entry is None and kind == "FileOrCreate":
            files.write(path, b"")
        entry = files.entry(path)
        wanted = Folder if kind.startswith("Directory") else File if kind.startswith("File") else (File, Folder)
        if not isinstance(entry, wanted):
            word = "directory" if wanted is Folder else "file"
            failed = f'MountVolume.SetUp failed for volume "{name}"'
            raise VolumeFailed(f"{failed} : hostPath type check failed: {path} is not a {word}")
        return entry

    async def _fill(self, volume: Volume, ips: Sequence[str]) -> None:
        if not isinstance(volume.entry, Folder):
            return
        try:
            payload, made = await self._payload(volume, ips)
        except (ConfigError, ApiError, *UNREACHABLE) as error:
            raise VolumeFailed(f'MountVolume.SetUp failed for volume "{volume.name}" : {error}') from error
        volume.token = made
        if payload != volume.payload or "..data" not in volume.entry.entries:
            volume.payload = payload
            mode = INHERITED if self._node.os == "windows" else _mode(volume.source)
            _write(volume.entry, payload, mode, self._node.os)

    async def _payload(self, volume: Volume, ips: Sequence[str]) -> tuple[Payload, Token | None]:
        source = volume.source
        if "projected" not in source:
            return await self._of(source, ips), None
        payload: Payload = {}
        made = None
        for one in source["projected"].get("sources") or []:
            if "serviceAccountToken" in one:
                made = await token(self._world, self._pod, one["serviceAccountToken"], volume.token)
                payload[one["serviceAccountToken"]["path"]] = made.text.encode()
            else:
                payload |= await self._of(one, ips)
        return payload, made

    async def _of(self, source: Object, ips: Sequence[str]) -> Payload:
        if "downwardAPI" in source:
            return {item["path"]: self._item(item, ips).encode() for item in source["downwardAPI"].get("items") or []}
        kind = "configMap" if "configMap" in source else "secret"
        if kind not in source:
            raise ConfigError(f"this projected source is not simulated: {', '.join(source)}")
        data = await keyed(self._world, self._pod["metadata"]["namespace"], kind, source[kind])
        items = source[kind].get("items")
        if data is None or not items:
            return data or {}
        missing = [item["key"] for item in items if item["key"] not in data]
        if missing and not source[kind].get("optional"):
            raise ConfigError(f"references non-existent config key: {missing[0]}" if kind == "configMap" else
                              f"references non-existent secret key: {missing[0]}")  # fmt: skip
        return {item["path"]: data[item["key"]] for item in items if item["key"] in data}

    def _item(self, item: Object, ips: Sequence[str]) -> str:
        if "fieldRef" in item:
            return field_value(item["fieldRef"]["fieldPath"], self._pod, self._node, ips)
        reference = item["resourceFieldRef"]
        return resource_value(reference, container_named(self._pod, reference["containerName"]), self._node)


def _references(source: Object) -> list[tuple[str, str]]:
    sources = (source.get("projected") or {}).get("sources") or [source]
    found = [("configMap", one["configMap"].get("name", "")) for one in sources if "configMap" in one]
    return found + [
        ("secret", one["secret"].get("name") or one["secret"].get("secretName", ""))
        for one in sources
        if "secret" in one
    ]


def _mode(source: Object) -> int:
    described: Object = source.get(kind_of(source)) or {}
    return int(described.get("defaultMode", 0o644))


def _write(folder: Folder, payload: Payload, mode: int, os: str) -> None:
    """Swap in new contents: a folder named by time, `..data` leading to it, and a link for each first name."""
    stamp = time.strftime("..%Y_%m_%d_%H_%M_%S.", time.gmtime()) + str(time.time_ns() % 10**9)
    fresh = Folder(mode=0o755)
    for path, data in payload.items():
        _place(fresh, path, File(data, mode=mode, uid=0))
    old = folder.entries.get("..data")
    folder.entries[stamp] = fresh
    folder.entries["..data"] = Link(stamp)
    separator = "\\" if os == "windows" else "/"
    names = {path.split("/")[0] for path in payload}
    for name in [known for known in folder.entries if not known.startswith("..") and known not in names]:
        del folder.entries[name]
    for name in names:
        folder.entries[name] = Link(f"..data{separator}{name}")
    if isinstance(old, Link):
        folder.entries.pop(old.target, None)


def _place(folder: Folder, path: str, file: File) -> None:
    *folders, name = path.split("/")
    for part in folders:
        following = folder.entries.setdefault(part, Folder())
        if not isinstance(following, Folder):
            raise ConfigError(f"path conflict at {path}")
        folder = following
    folder.entries[name] = file
