"""Files of simulated containers: one tree in memory, with volumes mounted into it.

A volume is a `Folder` or `File` object, mounted wherever its containers want it: two containers (or two Pods with the
same hostPath) that mount one object see each other's writes at once, as on a real Node. Errors are OSError with `errno`
set. On Windows names match whatever their case, `C:\\a`, `\\a` and `/a` are one path, and a share (`\\\\server\\share`)
can be mounted.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeGuard

Guard = Callable[[str, str], None]
"""(read|write|list|remove, path): may raise OSError; how a volume shows that it is broken or closed to somebody."""
MAX_LINKS = 40
KNOWN_PATHS = 4096
"""Paths kept in pieces: programs are looked for along PATH again and again."""


class PathMissing(FileNotFoundError):
    """A folder on the way is missing (Windows: error 3, where a missing last name is error 2)."""


@dataclass
class File:
    """Contents and what `stat` shows. A `frozen` one belongs to an image: writing puts a new File in its place."""

    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    modified: float = field(default_factory=time.time)
    frozen: bool = False


@dataclass
class Folder:
    """A directory. `kind` is the file system's name as `stat -f` has it (`tmpfs`, else the Node's own).

    `acl` are the SIDs that may use it on Windows; None: everybody, as it inherits.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    modified: float = field(default_factory=time.time)
    kind: str = ""
    acl: tuple[str, ...] | None = None

    def copy(self) -> Folder:
        """Folders of its own, Files shared as long as nobody writes: how a container gets its image."""
        entries = {name: e.copy() if isinstance(e, Folder) else e for name, e in self.entries.items()}
        return Folder(entries, self.mode, self.uid, self.gid, self.modified, self.kind, self.acl)


@dataclass
class Link:
    """A symbolic link."""

    target: str


Entry = File | Folder | Link


@dataclass
class Mount:
    """A volume at a path of one container."""

    path: str
    entry: File | Folder
    read_only: bool = False
    guard: Guard | None = None


@dataclass
class Place:
    """Where a path leads: its folder, its own name there, the entry (None: missing) and the volume it lies on."""

    path: str
    folder: Folder | None
    name: str
    entry: Entry | None
    mount: Mount | None


class FileSystem:
    """What one container sees. Paths are absolute; `os` is linux or windows."""

    def __init__(self, os: str, root: Folder | None = None) -> None:
        self.os, self.root = os, root if root is not None else Folder()
        self.windows = os == "windows"
        self.mounts: dict[tuple[str, ...], Mount] = {}

    def mount(self, path: str, entry: File | Folder, *, read_only: bool = False, guard: Guard | None = None) -> None:
        """Put a volume at a path; folders on the way appear, a later mount of the same path covers the former."""
        parts = self.parts(path)
        self.mounts[self._keys(parts)] = Mount(path, entry, read_only, guard)
        if not (parts and parts[0] == "\\\\"):
            self._mount_point(parts, entry)

    def unmount(self, path: str) -> None:
        """Take a volume away; what lies beneath shows again."""
        self.mounts.pop(self._keys(self.parts(path)), None)

    def mount_of(self, path: str) -> Mount | None:
        """The volume a path lies on; None is the container's own file system."""
        return self._walk(path).mount

    # Reading

    def read(self, path: str) -> bytes:
        """The whole file."""
        if self._is_null(path):
            return b""
        return self._file(self._found(path, "read"), path).data

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        return self.entry(path) is not None

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return isinstance(self.entry(path), Folder)

    def entry(self, path: str) -> File | Folder | None:
        """The File or Folder itself (links followed); None if there is none."""
        try:
            found = self._walk(path).entry
        except OSError:
            return None
        return found if _is_real(found) else None

    def with_extensions(self, path: str, extensions: Sequence[str]) -> list[str]:
        """`path` with each of `extensions` that its folder may hold (Windows: whatever the case), one look for all."""
        parts = self.parts(path)
        if not parts or parts[0] == "\\\\" or path[-1] in "./\\":
            return [path + extension for extension in extensions]
        folder = self.entry(self._text(parts[:-1]))
        if not isinstance(folder, Folder):
            return []
        last, known = parts[-1].casefold(), {name.casefold() for name in folder.entries}
        return [path + extension for extension in extensions if last + extension.casefold() in known]

    def stat(self, path: str) -> File | Folder:
        """The File or Folder itself; raises as `stat` does."""
        found = self._walk(path)
        if not _is_real(found.entry):
            raise self._missing(errno.ENOENT, path)
        return found.entry

    def listdir(self, path: str) -> list[str]:
        """Names in a folder, mount points included, in text order."""
        place = self._found(path, "list")
        if not isinstance(place.entry, Folder):
            raise self._missing(errno.ENOTDIR, path)
        return sorted(place.entry.entries)

    def walk(self, path: str) -> Iterator[str]:
        """Every path below a folder, depth first."""
        for name in self.listdir(path):
            child = self.join(path, name)
            yield child
            if self.is_folder(child):
                yield from self.walk(child)

    # Writing

    def write(self, path: str, data: bytes, *, append: bool = False, mode: int | None = None) -> None:
        """Replace or append; the folder must exist. `mode` counts only for a new file."""
        if self._is_null(path):
            return
        place = self._writable(path, "write")
        if isinstance(place.entry, Folder):
            raise self._missing(errno.EACCES if self.windows else errno.EISDIR, path)
        if isinstance(place.entry, File) and not place.entry.frozen:
            place.entry.data = place.entry.data + data if append else data
            place.entry.modified = time.time()
            return
        if place.folder is None:
            raise PathMissing(errno.ENOENT, os.strerror(errno.ENOENT), path)
        old = place.entry if isinstance(place.entry, File) else File(mode=0o644 if mode is None else mode)
        place.folder.entries[place.name] = File(old.data + data if append else data, old.mode, old.uid, old.gid)

    def chmod(self, path: str, mode: int) -> None:
        """Change permission bits."""
        place = self._writable(path, "write")
        if place.entry is None or isinstance(place.entry, Link):
            raise self._missing(errno.ENOENT, path)
        place.entry.mode = mode

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        """Create one folder; its parent must exist."""
        place = self._writable(path, "write")
        if place.entry is not None:
            raise self._missing(errno.EEXIST, path)
        if place.folder is None:
            raise PathMissing(errno.ENOENT, os.strerror(errno.ENOENT), path)
        place.folder.entries[place.name] = Folder(mode=mode)

    def makedirs(self, path: str) -> None:
        """Create a folder and its parents; one that is there already is well."""
        parts = self.parts(path)
        for count in range(1, len(parts) + 1):
            step = self._text(parts[:count])
            if not self.exists(step):
                self.mkdir(step)
            elif not self.is_folder(step):
                raise self._missing(errno.EEXIST, path)

    def link(self, path: str, target: str) -> None:
        """Create a symbolic link."""
        place = self._writable(path, "write", follow=False)
        if place.folder is None:
            raise PathMissing(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if place.entry is not None:
            raise self._missing(errno.EEXIST, path)
        place.folder.entries[place.name] = Link(target)

    def remove(self, path: str) -> None:
        """Delete a file or link."""
        place = self._writable(path, "remove", follow=False)
        if place.entry is None or place.folder is None:
            raise self._missing(errno.ENOENT, path)
        if isinstance(place.entry, Folder):
            raise self._missing(errno.EACCES if self.windows else errno.EISDIR, path)
        if place.mount is not None and place.mount.entry is place.entry:
            raise self._missing(errno.EBUSY, path)
        del place.folder.entries[place.name]

    def rmdir(self, path: str) -> None:
        """Delete an empty folder."""
        place = self._writable(path, "remove", follow=False)
        if place.entry is None or place.folder is None:
            raise self._missing(errno.ENOENT, path)
        if not isinstance(place.entry, Folder):
            raise self._missing(errno.ENOTDIR, path)
        if place.entry.entries:
            raise self._missing(errno.ENOTEMPTY, path)
        if place.mount is not None and place.mount.entry is place.entry:
            raise self._missing(errno.EBUSY, path)
        del place.folder.entries[place.name]

    def rename(self, source: str, target: str) -> None:
        """Move a file or folder; an old target file is replaced."""
        here, there = self._writable(source, "remove", follow=False), self._writable(target, "write", follow=False)
        if here.entry is None or here.folder is None:
            raise self._missing(errno.ENOENT, source)
        if there.folder is None:
            raise PathMissing(errno.ENOENT, os.strerror(errno.ENOENT), target)
        if here.mount is not there.mount:
            raise self._missing(errno.EXDEV, source)
        if isinstance(there.entry, Folder):
            raise self._missing(errno.EEXIST, target)
        del here.folder.entries[here.name]
        there.folder.entries[there.name] = here.entry

    # Paths

    def join(self, folder: str, name: str) -> str:
        """A name in a folder; an absolute name stands for itself."""
        if not name:
            return folder
        if self.windows:
            if name[:1] in "/\\" or name[1:2] == ":":
                return name
            return folder.rstrip("\\/") + "\\" + name
        return name if name.startswith("/") else folder.rstrip("/") + "/" + name

    def parts(self, path: str) -> tuple[str, ...]:
        """The names on the way from the root; a UNC path starts with `\\\\`, a drive other than C: with its letter."""
        return _parts(path, self.windows)

    def _text(self, parts: tuple[str, ...]) -> str:
        if not self.windows:
            return "/" + "/".join(parts)
        if parts and parts[0] == "\\\\":
            return "\\\\" + "\\".join(parts[1:])
        if parts and parts[0].endswith(":"):
            return parts[0] + "\\" + "\\".join(parts[1:])
        return "C:\\" + "\\".join(parts)

    def _keys(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        return _folded(parts) if self.windows else parts

    def _is_null(self, path: str) -> bool:
        parts = self.parts(path)
        if self.windows:
            return (bool(parts) and parts[-1].casefold() == "nul") or parts == ("dev", "null")
        return parts == ("dev", "null")

    def _name_in(self, folder: Folder, name: str) -> str:
        if name in folder.entries or not self.windows:
            return name
        key = name.casefold()
        return next((known for known in folder.entries if known.casefold() == key), name)

    def _walk(self, path: str, follow: bool = True) -> Place:
        parts = self.parts(path)
        for _ in range(MAX_LINKS):
            place, rest = self._steps(path, parts)
            if not isinstance(place.entry, Link) or (not rest and not follow):
                return place
            parts = self.parts(self.join(self._text(self.parts(place.path)[:-1]), place.entry.target)) + rest
        raise self._missing(errno.ELOOP, path)

    def _steps(self, path: str, parts: tuple[str, ...]) -> tuple[Place, tuple[str, ...]]:
        """Walk until the end or the first link; gives the place and the names still to go."""
        mount = self.mounts.get(())
        entry: Entry | None = mount.entry if mount else self.root
        folder: Folder | None = None
        name = ""
        for index, part in enumerate(parts):
            if entry is None:
                raise PathMissing(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if isinstance(entry, Link):
                return Place(self._text(parts[:index]), folder, name, entry, mount), parts[index:]
            if isinstance(entry, File):
                raise self._missing(errno.ENOTDIR, path)
            folder, name = entry, self._name_in(entry, part)
            mounted = self.mounts.get(self._keys(parts[: index + 1]))
            if mounted is not None:
                entry, mount = mounted.entry, mounted
            elif index == 0 and (part == "\\\\" or part.endswith(":")):
                entry = Folder()
            else:
                entry = entry.entries.get(name)
                if entry is None and parts[0] == "\\\\" and index == 1:
                    entry = Folder()
        return Place(self._text(parts), folder, name, entry, mount), ()

    def _mount_point(self, parts: tuple[str, ...], entry: File | Folder) -> None:
        """Make the folders on the way, and an empty twin of the mounted thing, so that listings show it."""
        for count in range(1, len(parts) + 1):
            place, _ = self._steps("", parts[:count])
            if place.folder is not None and place.name not in place.folder.entries:
                last = count == len(parts)
                place.folder.entries[place.name] = File() if last and isinstance(entry, File) else Folder()

    def _found(self, path: str, act: str) -> Place:
        place = self._walk(path)
        if place.mount is not None and place.mount.guard is not None:
            place.mount.guard(act, path)
        if place.entry is None:
            raise self._missing(errno.ENOENT, path)
        return place

    def _writable(self, path: str, act: str, follow: bool = True) -> Place:
        place = self._walk(path, follow)
        if place.mount is not None:
            if place.mount.guard is not None:
                place.mount.guard(act, path)
            if place.mount.read_only:
                raise self._missing(errno.EACCES if self.windows else errno.EROFS, path)
        return place

    def _file(self, place: Place, path: str) -> File:
        if isinstance(place.entry, File):
            return place.entry
        raise self._missing(errno.EACCES if self.windows else errno.EISDIR, path)

    @staticmethod
    def _missing(number: int, path: str) -> OSError:
        return OSError(number, os.strerror(number), path)


@lru_cache(KNOWN_PATHS)
def _parts(path: str, windows: bool) -> tuple[str, ...]:
    first: tuple[str, ...] = ()
    if windows:
        path = path.replace("/", "\\")
        if path.startswith("\\\\") and path[2:3] not in ("", "\\"):
            first, path = ("\\\\",), path[2:]
        elif path[1:2] == ":":
            first, path = () if path[0] in "cC" else (path[0].upper() + ":",), path[2:]
    names: list[str] = []
    for name in path.split("\\" if windows else "/"):
        if name == "..":
            del names[-1:]
        elif name not in ("", "."):
            names.append(name)
    return (*first, *names)


@lru_cache(KNOWN_PATHS)
def _folded(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in parts)


def _is_real(entry: Entry | None) -> TypeGuard[File | Folder]:
    return isinstance(entry, (File, Folder))
