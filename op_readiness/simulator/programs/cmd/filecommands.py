"""cmd's commands on files: type, dir, copy, move, del, md, rd, ren, mklink."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from op_readiness.simulator.programs.cmd.interpreter import FILE_MISSING, Cmd, error_text
from op_readiness.simulator.programs.cmd.names import matching
from op_readiness.simulator.programs.files import File, Folder
from op_readiness.simulator.programs.shell.streams import Streams

NOT_EMPTY = 145
SYNTAX = "The syntax of the command is incorrect."


def _words(rest: str) -> tuple[set[str], list[str]]:
    """Switches in lower case, and names without their quotes."""
    pieces = re.findall(r'"[^"]*"|[^\s,;="/]+(?:/[^\s,;="]+)*|/[^\s/]+', rest)
    switches = {p[1:].lower() for p in pieces if p.startswith("/")}
    return switches, [p.strip('"') for p in pieces if not p.startswith("/")]


def _names(rest: str) -> list[str]:
    """Names, forward slashes and all: for commands without switches."""
    return [piece.strip('"') for piece in re.findall(r'"[^"]*"|[^\s,;="]+', rest)]


def _say(streams: Streams, text: str) -> int:
    streams.err.write(text + "\r\n")
    return 1


async def type_(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """Files as they are, byte for byte."""
    names = _names(rest)
    if not names:
        return _say(streams, SYNTAX)
    code = 0
    for name in names:
        paths = matching(cmd.process, name) or [cmd.process.path(name)]
        for path in paths:
            try:
                data = cmd.process.files.read(path)
            except OSError as error:
                code = _say(streams, error_text(error))
                continue
            if len(names) > 1 or len(paths) > 1:
                streams.err.write(f"\r\n{cmd.process.files.parts(path)[-1]}\r\n\r\n\r\n")
            streams.out.write(data)
    return code


async def dir_(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """A listing; /b names alone, /s below too, /a with attributes let go."""
    try:
        return _dir(cmd, rest, streams)
    except OSError as error:
        return _say(streams, error_text(error))


def _dir(cmd: Cmd, rest: str, streams: Streams) -> int:
    switches, names = _words(rest)
    name = names[0] if names else cmd.process.cwd
    path = cmd.process.path(name)
    folder = cmd.process.files.is_folder(path)
    shown = path if folder else path.replace("/", "\\").rpartition("\\")[0] or "C:\\"
    entries = [cmd.process.files.join(path, n) for n in cmd.process.files.listdir(path)] if folder else (
        matching(cmd.process, name)
    )
    bare = "b" in switches
    if not bare:
        streams.out.write(" Volume in drive C has no label.\r\n Volume Serial Number is 5A2C-0D11\r\n\r\n")
        streams.out.write(f" Directory of {_shown(cmd, shown)}\r\n\r\n")
    if not entries and not folder:
        return _say(streams, "File Not Found")
    if "s" in switches and bare:
        entries = [below for entry in entries for below in _below(cmd, entry)]
    for entry in entries:
        _row(cmd, entry, streams, bare, "s" in switches)
    if not bare:
        _summary(cmd, entries, streams)
    return 0


def _shown(cmd: Cmd, path: str) -> str:
    if path.startswith("\\\\"):
        return path
    return "C:\\" + "\\".join(cmd.process.files.parts(path))


def _below(cmd: Cmd, path: str) -> list[str]:
    inner = list(cmd.process.files.walk(path)) if cmd.process.files.is_folder(path) else []
    return [path, *inner]


def _row(cmd: Cmd, path: str, streams: Streams, bare: bool, full: bool) -> None:
    name = cmd.process.files.parts(path)[-1]
    if bare:
        streams.out.write((_shown(cmd, path) if full else name) + "\r\n")
        return
    entry = cmd.process.files.entry(path)
    when = time.strftime("%m/%d/%Y  %I:%M %p", time.gmtime(entry.modified if entry else 0))
    size = f"{len(entry.data):17,d}" if isinstance(entry, File) else "    <DIR>         "[:17].ljust(17)
    streams.out.write(f"{when} {size} {name}\r\n")


def _summary(cmd: Cmd, paths: list[str], streams: Streams) -> None:
    files = [e for p in paths if isinstance(e := cmd.process.files.entry(p), File)]
    folders = len(paths) - len(files)
    streams.out.write(f"{len(files):16d} File(s) {sum(len(f.data) for f in files):14,d} bytes\r\n")
    streams.out.write(f"{folders:16d} Dir(s)  21,123,072,000 bytes free\r\n")


async def copy(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """Files to a file or folder."""
    _, names = _words(rest)
    if not names:
        return _say(streams, SYNTAX)
    sources = matching(cmd.process, names[0])
    target = cmd.process.path(names[1] if len(names) > 1 else cmd.process.cwd)
    count = 0
    for source in sources:
        place = _place(cmd, source, target)
        try:
            entry = cmd.process.files.stat(source)
            if isinstance(entry, Folder):
                continue
            cmd.process.files.write(place, cmd.process.files.read(source), mode=entry.mode)
        except OSError as error:
            _say(streams, error_text(error))
            break
        count += 1
    if not sources:
        _say(streams, FILE_MISSING)
    streams.out.write(f"        {count} file(s) copied.\r\n")
    return 0 if count else 1


def _place(cmd: Cmd, source: str, target: str) -> str:
    if cmd.process.files.is_folder(target):
        return cmd.process.files.join(target, cmd.process.files.parts(source)[-1])
    return target


async def move(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """Files or one folder to another place."""
    _, names = _words(rest)
    if len(names) < 2:
        return _say(streams, SYNTAX)
    sources, target = matching(cmd.process, names[0]), cmd.process.path(names[1])
    if not sources:
        return _say(streams, FILE_MISSING)
    for source in sources:
        try:
            cmd.process.files.rename(source, _place(cmd, source, target))
        except OSError as error:
            return _say(streams, error_text(error))
    streams.out.write(f"        {len(sources)} file(s) moved.\r\n")
    return 0


async def delete(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """Files; what is missing is told and is no failure."""
    _, names = _words(rest)
    for name in names:
        paths = matching(cmd.process, name)
        if not paths:
            _say(streams, f"Could Not Find {_shown(cmd, cmd.process.path(name))}")
        for path in paths:
            if not cmd.process.files.is_folder(path):
                _try(streams, cmd.process.files.remove, path)
    return 0


def _try(streams: Streams, act: Callable[[str], None], path: str) -> bool:
    try:
        act(path)
    except OSError as error:
        _say(streams, error_text(error))
        return False
    return True


async def mkdir(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """Folders with all their parents."""
    code = 0
    for name in _names(rest):
        path = cmd.process.path(name)
        if cmd.process.files.exists(path):
            code = _say(streams, f"A subdirectory or file {name} already exists.")
        elif not _try(streams, cmd.process.files.makedirs, path):
            code = 1
    return code


async def rmdir(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """A folder; /s with all that is in it."""
    switches, names = _words(rest)
    for name in names:
        path = cmd.process.path(name)
        try:
            if any("s" in switch for switch in switches):
                for inner in reversed(list(cmd.process.files.walk(path))):
                    remove = cmd.process.files.rmdir if cmd.process.files.is_folder(inner) else cmd.process.files.remove
                    remove(inner)
            cmd.process.files.rmdir(path)
        except FileNotFoundError as error:
            _say(streams, error_text(error))
            return 2
        except OSError as error:
            _say(streams, error_text(error))
            return NOT_EMPTY if "not empty" in error_text(error) else 5
    return 0


async def rename(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """Another name in the same folder."""
    _, names = _words(rest)
    if len(names) != 2:
        return _say(streams, SYNTAX)
    source = cmd.process.path(names[0])
    folder = source.replace("/", "\\").rpartition("\\")[0] + "\\"
    if cmd.process.files.exists(cmd.process.files.join(folder, names[1])):
        return _say(streams, "A duplicate file name exists, or the file cannot be found.")
    try:
        cmd.process.files.rename(source, cmd.process.files.join(folder, names[1]))
    except OSError as error:
        return _say(streams, error_text(error))
    return 0


async def mklink(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """A symbolic link: mklink [/d] LINK TARGET."""
    _, names = _words(rest)
    if len(names) != 2:
        return _say(streams, SYNTAX)
    try:
        cmd.process.files.link(cmd.process.path(names[0]), names[1])
    except OSError as error:
        return _say(streams, error_text(error))
    streams.out.write(f"symbolic link created for {names[0]} <<===>> {names[1]}\r\n")
    return 0
