"""The archive that Sonobuoy's worker sends: reports, events and evidence of a run, and exactly one XML file.

Every other `.xml` would be parsed as results too, so one that lies among the evidence travels as `.xml.txt`. Links and
whatever else is no plain file stay behind: Sonobuoy's unpacker drops or refuses them.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from op_readiness.reports.writing import JUNIT

EVIDENCE = "evidence"


def write_archive(target: Path, files: Sequence[Path], folder: Path) -> Path:
    """A gzipped tar of `files` and of the evidence in `folder`, there whole or not at all; readable by everybody."""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
            for path, name in members(files, folder):
                archive.add(path, name, recursive=False, filter=plain)
        Path(temporary).chmod(0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def members(files: Sequence[Path], folder: Path) -> Iterator[tuple[Path, str]]:
    """Files and the names under which they go: the JUnit report and no other XML."""
    seen = set()
    for path in files:
        if path.is_file() and not path.is_symlink() and path.name not in seen:
            seen.add(path.name)
            yield path, path.name if path.name == JUNIT else harmless(path.name)
    for path in sorted((folder / EVIDENCE).rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path, harmless(path.relative_to(folder).as_posix())


def harmless(name: str) -> str:
    """A name that no reader of results takes for results."""
    return f"{name}.txt" if name.lower().endswith(".xml") else name


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member without what concerns this machine alone."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
