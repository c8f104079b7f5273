"""A tarball of results that somebody hands us: read in one pass, never unpacked, refused when it is not what it says.

It may come from anywhere, so nothing in it is trusted: no path leads out, no links, no member that is large beyond
sense, no stream that swells without end. Only a few files are kept, in memory.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from op_readiness.model.errors import OpReadinessError
from op_readiness.reports.text import one_line

MOST_FILE = 64 * 1024**2
MOST_READ = 8 * 1024**2
MOST_ALL, MOST_RATIO, RATIO_FROM = 16 * 1024**3, 150, 64 * 1024**2
"""Bytes unpacked in all; and how often more than packed, counted from so many on. Logs come to fifty."""
MOST_MEMBERS = 500_000
CHUNK = 256 * 1024
OWN = ("report.json", "junit_01.xml")
PLUGIN_FILE = re.compile(r"plugins/([^/]+)/(?:results/global/(report\.json|junit_01\.xml)|errors/global/(error\.json))")


class Refused(OpReadinessError):
    """The tarball is not read on; the message says why."""


@dataclass
class Files:
    """What was kept: by plugin, and the file's name. A run's own archive is the plugin of no name."""

    plugins: dict[str, dict[str, bytes]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Plugins that have anything in the tarball."""


class Unpacked:
    """A gzip stream, unpacked forwards, as tarfile reads it; one byte can be gone back."""

    def __init__(self, source: BinaryIO) -> None:
        self._source, self._packed, self._unpacked = source, 0, 0
        self._inflate = zlib.decompressobj(wbits=31)
        self._buffer, self._position, self._last = b"", 0, b""
        self._ended = False

    def tell(self) -> int:
        """Bytes that were read."""
        return self._position

    def seek(self, position: int) -> int:
        """Read on to a position."""
        if position == self._position - 1:
            self._buffer, self._position = self._last + self._buffer, position
        if position < self._position:
            raise Refused("its members overlap")
        while self._position < position:
            if not self.read(min(CHUNK, position - self._position)):
                break
        return self._position

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer at the end."""
        if not 0 <= size <= MOST_READ:
            raise Refused("a header in it claims to be megabytes long")
        while len(self._buffer) < size and not self._ended:
            self._fill()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        self._position += len(data)
        self._last = data[-1:] or self._last
        return data

    def _fill(self) -> None:
        packed = self._inflate.unconsumed_tail or self._inflate.unused_data or self._source.read(CHUNK)
        if not packed:
            if not self._inflate.eof:
                raise Refused("it ends in the middle")
            self._ended = True
            return
        if self._inflate.eof:
            self._inflate = zlib.decompressobj(wbits=31)
        more = self._inflate.decompress(packed, CHUNK)
        self._packed += len(packed) - len(self._inflate.unconsumed_tail) - len(self._inflate.unused_data)
        self._unpacked += len(more)
        swollen = self._unpacked > RATIO_FROM and self._unpacked > MOST_RATIO * self._packed
        if swollen or self._unpacked > MOST_ALL:
            raise Refused(f"it unpacks {self._packed:,} bytes to more than {self._unpacked:,}")
        self._buffer += more


def read(source: BinaryIO, name: str) -> Files:
    """What of a tarball is wanted. Raises Refused, in one line that names it."""
    try:
        return _read(source)
    except Refused as error:
        raise Refused(f"{name} is refused: {error}") from error
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise Refused(f"{name} is refused: no tar.gz: {one_line(error, 200)}") from error
    except (OSError, ValueError, ArithmeticError, RecursionError) as error:
        raise Refused(f"{name} is refused: {type(error).__name__}: {one_line(error, 200)}") from error


def _read(source: BinaryIO) -> Files:
    found, members = Files(), 0
    with tarfile.open(fileobj=Unpacked(source), mode="r:", errors="surrogateescape") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            archive.members = []  # nothing is looked up by name: a long archive need not be kept in memory
            members += 1
            if members > MOST_MEMBERS:
                raise Refused(f"it has more than {MOST_MEMBERS:,} members")
            _keep(found, archive, member)
    if not members:
        raise Refused("there is nothing in it")
    return found


def _keep(found: Files, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    shown, parts = one_line(member.name, 120), re.split(r"[/\\]", member.name)
    if ".." in parts or member.name.startswith(("/", "\\")) or ":" in parts[0]:
        raise Refused(f"{shown} leads out of it")
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or member.sparse is not None:
        raise Refused(f"{shown} is no plain file" + (" but a link" if member.issym() or member.islnk() else ""))
    name = "/".join(part for part in parts if part not in ("", "."))
    if name.startswith("plugins/") and name.count("/") > 1:
        found.names.add(name.split("/")[1])
    match = PLUGIN_FILE.fullmatch(name)
    if not member.isreg() or not (match or name in OWN):
        return
    plugin, file = (match[1], match[2] or match[3]) if match else ("", name)
    if member.size > MOST_FILE:
        raise Refused(f"{shown} is {member.size:,} bytes long")
    files = found.plugins.setdefault(plugin, {})
    if file in files:
        raise Refused(f"{shown} is in it twice")
    files[file] = _content(archive, member)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    if stream is None:
        raise Refused(f"{one_line(member.name, 120)} has no content")
    chunks = []
    while chunk := stream.read(CHUNK):
        chunks.append(chunk)
    content = b"".join(chunks)
    if len(content) != member.size:
        raise Refused("it ends in the middle")
    return content
