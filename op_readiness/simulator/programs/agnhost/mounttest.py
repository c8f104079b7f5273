"""agnhost mounttest: looks at files and writes new ones, in its own fixed order."""

from __future__ import annotations

import errno
from collections.abc import Callable

from op_readiness.simulator.programs.agnhost.flags import Flag, Given, Subcommand
from op_readiness.simulator.programs.files import Folder
from op_readiness.simulator.programs.golang import quoted
from op_readiness.simulator.programs.process import Process

COMMAND = Subcommand(
    "mounttest",
    "Creates files with given permissions and outputs FS type, owner, mode, permissions, contents of files",
    (
        *(
            Flag(name, "string", "", text)
            for name, text in (
                ("fs-type", "Path to print the fs type for"),
                ("file-mode", "Path to print the mode bits of"),
                ("file-perm", "Path to print the perms of"),
                ("file-owner", "Path to print the owning UID and GID of"),
                ("new-file-0644", "Path to write to and read from with perm 0644"),
                ("new-file-0666", "Path to write to and read from with perm 0666"),
                ("new-file-0660", "Path to write to and read from with perm 0660"),
                ("new-file-0777", "Path to write to and read from with perm 0777"),
                ("file-content", "Path to read the file content from"),
                ("file-content-in-loop", "Path to read the file content in loop from"),
            )
        ),
        Flag("retry-time", "int", 180, "Retry time during the loop"),
        Flag("break-on-expected-content", "bool", True, "Break out of loop on expected content"),
    ),
)
INITIAL = "mount-tester new file\n"
LOOP_SECONDS = 2.0
EXT4_MAGIC = "61267"
_WORDS = {
    "linux": {
        errno.ENOENT: "no such file or directory",
        errno.EACCES: "permission denied",
        errno.EISDIR: "is a directory",
        errno.ENOTDIR: "not a directory",
        errno.EROFS: "read-only file system",
    },
    "windows": {
        errno.ENOENT: "The system cannot find the file specified.",
        errno.EACCES: "Access is denied.",
        errno.ENOTDIR: "The system cannot find the path specified.",
    },
}


async def main(process: Process, given: Given) -> int:
    """1 if any step failed."""
    steps: list[tuple[str, Callable[[Process, str], bool]]] = [("fs-type", _fs_type)]
    steps += [(f"new-file-{mode:04o}", _new_file(mode)) for mode in (0o644, 0o666, 0o660, 0o777)]
    steps += [("file-mode", _mode), ("file-perm", _perm), ("file-owner", _owner), ("file-content", _content)]
    results = [step(process, given[flag]) for flag, step in steps if given[flag]]
    if given["file-content-in-loop"]:
        results.append(await _loop(process, given))
    return 0 if all(results) else 1


def words(process: Process, error: OSError) -> str:
    """The system's text for an error, as Go prints it."""
    from op_readiness.simulator.programs.files import PathMissing

    if process.windows and isinstance(error, PathMissing):
        return "The system cannot find the path specified."
    known = _WORDS[process.os].get(error.errno or 0)
    return known or (error.strerror or str(error)).lower()


def mode_text(mode: int, folder: bool) -> str:
    """As Go prints a FileMode: `-rw-r-----`, `drwxr-xr-x`, `dtrwxrwxrwx`."""
    text = ("d" if folder else "") + ("t" if mode & 0o1000 else "") or "-"
    return text + "".join(letter if mode >> (8 - i) & 1 else "-" for i, letter in enumerate("rwxrwxrwx"))


def _say(process: Process, text: str) -> None:
    process.stdout.write(text + "\n")


def _fs_type(process: Process, path: str) -> bool:
    if process.windows:
        return True
    try:
        process.files.stat(process.path(path))
        mount = process.files.mount_of(process.path(path))
    except OSError as error:
        _say(process, f"error from statfs({quoted(path)}): {words(process, error)}")
        return False
    kind = mount.entry.kind if mount is not None and isinstance(mount.entry, Folder) else ""
    _say(process, f"mount type of {quoted(path)}: {kind or EXT4_MAGIC}")
    return True


def _new_file(mode: int) -> Callable[[Process, str], bool]:
    def write(process: Process, path: str) -> bool:
        try:
            process.files.write(process.path(path), INITIAL.encode(), mode=mode)
        except OSError as error:
            _say(process, f"error writing new file {quoted(path)}: open {path}: {words(process, error)}")
            return False
        return _content(process, path)

    return write


def _mode(process: Process, path: str) -> bool:
    return _show_mode(process, path, "mode")


def _perm(process: Process, path: str) -> bool:
    return _show_mode(process, path, "perms")


def _show_mode(process: Process, path: str, what: str) -> bool:
    try:
        entry = process.files.stat(process.path(path))
    except OSError as error:
        call = "Lstat" if what == "mode" else "lstat"
        verb = "CreateFile" if process.windows else "stat"
        call = call if process.windows else "Stat"
        _say(process, f"error from {call}({quoted(path)}): {verb} {path}: {words(process, error)}")
        return False
    folder = isinstance(entry, Folder) and what == "mode"
    place = "Windows file" if process.windows else "file"
    _say(process, f"{what} of {place} {quoted(path)}: {mode_text(entry.mode, folder and not process.windows)}")
    return True


def _owner(process: Process, path: str) -> bool:
    if process.windows:
        return True
    try:
        entry = process.files.stat(process.path(path))
    except OSError as error:
        _say(process, f"error from stat({quoted(path)}): {words(process, error)}")
        return False
    _say(process, f"owner UID of {quoted(path)}: {entry.uid}\nowner GID of {quoted(path)}: {entry.gid}")
    return True


def _content(process: Process, path: str) -> bool:
    try:
        data = process.files.read(process.path(path))
    except OSError as error:
        _say(process, f"error reading file content for {quoted(path)}: {_unread(process, path, error)}")
        return False
    process.stdout.write(f"content of file {quoted(path)}: ".encode() + data + b"\n")
    return True


def _unread(process: Process, path: str, error: OSError) -> str:
    """What os.ReadFile says: a folder can be opened, and only reading it fails."""
    if process.files.is_folder(process.path(path)):
        return f"read {path}: {'Incorrect function.' if process.windows else 'is a directory'}"
    return f"open {path}: {words(process, error)}"


async def _loop(process: Process, given: Given) -> bool:
    """Read until the expected text is there; True also when it never came, as long as the last read worked."""
    path, until = given["file-content-in-loop"], process.clock.now() + given["retry-time"]
    worked = True
    while process.clock.now() < until:
        try:
            data = process.files.read(process.path(path))
            worked = True
        except OSError as error:
            worked = False
            _say(process, f"Error reading file {path}: {_unread(process, path, error)}, retrying")
        else:
            process.stdout.write(f"content of file {quoted(path)}: ".encode() + data + b"\n")
            if given["break-on-expected-content"]:
                if data == INITIAL.encode():
                    break
                _say(process, f"Unexpected content. Expected: {INITIAL}. Retrying")
        await process.clock.sleep(LOOP_SECONDS)
    return worked


