"""Applets that work on files: ls, rm, mkdir, rmdir, cp, mv, touch, ln, chmod, stat, find, sums, base64, truncate."""

from __future__ import annotations

import base64 as encoding
import errno
import fnmatch
import hashlib
import time
from collections.abc import Awaitable, Callable

from op_readiness.simulator.programs.busybox.applet import complain, error_text, inputs, options
from op_readiness.simulator.programs.files import File, Folder
from op_readiness.simulator.programs.process import Process


async def ls(process: Process) -> int:
    """Names, one a line: -a -A -l -1 -d -R."""
    given, names = options(process.argv[1:], "aAl1dRhtrSinF")
    status = 0
    folders: list[str] = []
    for name in names or ["."]:
        entry = process.files.entry(process.path(name))
        if entry is None:
            complain(process, f"{name}: No such file or directory")
            status = 1
        elif isinstance(entry, Folder) and "d" not in given:
            folders.append(name)
        else:
            process.stdout.write(_row(process, name, name, given))
    for name in folders:
        status = _list(process, name, given, titled=len(names) > 1 or "R" in given) or status
    return status


def _list(process: Process, name: str, given: dict[str, str], titled: bool) -> int:
    try:
        found = process.files.listdir(process.path(name))
    except OSError as error:
        complain(process, f"can't open '{name}': {error_text(error)}")
        return 1
    if titled:
        process.stdout.write(f"{name}:\n")
    dots = [".", ".."] if "a" in given else []
    for entry in [*dots, *(n for n in found if not n.startswith(".") or "a" in given or "A" in given)]:
        process.stdout.write(_row(process, process.files.join(process.path(name), entry), entry, given))
    if "R" in given:
        for entry in found:
            child = f"{name.rstrip('/')}/{entry}"
            if process.files.is_folder(process.path(child)):
                process.stdout.write("\n")
                _list(process, child, given, titled=True)
    return 0


def _row(process: Process, path: str, shown: str, given: dict[str, str]) -> str:
    if "l" not in given:
        return shown + "\n"
    entry = process.files.entry(process.path(path))
    if entry is None:
        return f"?????????? {shown}\n"
    size = len(entry.data) if isinstance(entry, File) else 4096
    when = time.strftime("%b %e %H:%M", time.gmtime(entry.modified))
    return f"{permissions(entry)}    1 {entry.uid:<8} {entry.gid:<8} {size:9d} {when} {shown}\n"


def permissions(entry: File | Folder) -> str:
    """`-rw-r--r--` and the like."""
    letters = "".join(c if entry.mode >> (8 - i) & 1 else "-" for i, c in enumerate("rwxrwxrwx"))
    if entry.mode & 0o1000:
        letters = letters[:-1] + ("t" if letters[-1] == "x" else "T")
    return ("d" if isinstance(entry, Folder) else "-") + letters


async def rm(process: Process) -> int:
    """Delete: -r folders too, -f without complaint of what is missing."""
    given, names = options(process.argv[1:], "rRfiv")
    status = 0
    for name in names:
        path = process.path(name)
        try:
            if process.files.is_folder(path) and ("r" in given or "R" in given):
                _remove_tree(process, path)
            else:
                process.files.remove(path)
        except FileNotFoundError:
            if "f" not in given:
                complain(process, f"can't remove '{name}': No such file or directory")
                status = 1
        except OSError as error:
            complain(process, f"can't remove '{name}': {error_text(error)}")
            status = 1
    return status


def _remove_tree(process: Process, path: str) -> None:
    for name in process.files.listdir(path):
        child = process.files.join(path, name)
        if process.files.is_folder(child):
            _remove_tree(process, child)
        else:
            process.files.remove(child)
    process.files.rmdir(path)


async def mkdir(process: Process) -> int:
    """Make folders: -p parents too."""
    given, names = options(process.argv[1:], "pv", "m")
    make = process.files.makedirs if "p" in given else process.files.mkdir
    return _each(process, names, "can't create directory", lambda name: make(process.path(name)))


async def rmdir(process: Process) -> int:
    """Delete empty folders."""
    _, names = options(process.argv[1:], "p")
    return _each(process, names, "can't remove", lambda name: process.files.rmdir(process.path(name)))


async def unlink(process: Process) -> int:
    """Delete one file."""
    return _each(process, process.argv[1:2], "can't remove", lambda name: process.files.remove(process.path(name)))


def _each(process: Process, names: list[str], what: str, act: Callable[[str], None]) -> int:
    status = 0
    for name in names:
        try:
            act(name)
        except OSError as error:
            complain(process, f"{what} '{name}': {error_text(error)}")
            status = 1
    return status


async def touch(process: Process) -> int:
    """Make an empty file, or renew its time."""
    _, names = options(process.argv[1:], "cam", "dt")
    return _each(process, names, "", lambda name: process.files.write(process.path(name), b"", append=True))


async def truncate(process: Process) -> int:
    """Set a file's size (-s, with k, M or G)."""
    given, names = options(process.argv[1:], "c", "s")
    text = given.get("s", "0")
    size = int(text.rstrip("kKMG") or 0) * {"k": 1024, "K": 1024, "M": 1024**2, "G": 1024**3}.get(text[-1], 1)

    def cut(name: str) -> None:
        path = process.path(name)
        old = process.files.read(path) if process.files.exists(path) else b""
        process.files.write(path, old[:size].ljust(size, b"\0"))

    return _each(process, names, "can't open", cut)


async def cp(process: Process) -> int:
    """Copy files, and folders with -r or -a."""
    given, names = options(process.argv[1:], "rRafpLPdiv")
    return _onto(process, names, lambda source, target: _copy(process, source, target, set(given)))


async def mv(process: Process) -> int:
    """Move; across volumes by copying."""
    _, names = options(process.argv[1:], "fnv")

    def move(source: str, target: str) -> None:
        try:
            process.files.rename(source, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(process, source, target, {"r"})
            _remove_tree(process, source) if process.files.is_folder(source) else process.files.remove(source)

    return _onto(process, names, move)


def _onto(process: Process, names: list[str], act: Callable[[str, str], None]) -> int:
    if len(names) < 2:
        complain(process, "missing operand")
        return 1
    target, status = names[-1], 0
    for name in names[:-1]:
        source, place = process.path(name), process.path(target)
        if process.files.is_folder(place):
            place = process.files.join(place, process.files.parts(source)[-1])
        try:
            act(source, place)
        except OSError as error:
            verb = "can't stat" if not process.files.exists(source) else "can't create"
            shown = name if verb == "can't stat" else target
            complain(process, f"{verb} '{shown}': {error_text(error)}")
            status = 1
    return status


def _copy(process: Process, source: str, target: str, given: set[str]) -> None:
    entry = process.files.stat(source)
    if isinstance(entry, File):
        process.files.write(target, process.files.read(source), mode=entry.mode)
        return
    if not given & {"r", "R", "a"}:
        raise OSError(errno.EISDIR, "omitting directory", source)
    process.files.makedirs(target)
    for name in process.files.listdir(source):
        _copy(process, process.files.join(source, name), process.files.join(target, name), given)


async def ln(process: Process) -> int:
    """Symbolic links (-s); hard ones are refused."""
    given, names = options(process.argv[1:], "sfn")
    if "s" not in given or len(names) != 2:
        complain(process, "only `ln -s TARGET NAME` is simulated")
        return 1
    path = process.path(names[1])
    if "f" in given and process.files.exists(path):
        process.files.remove(path)
    return _each(process, names[1:], "", lambda name: process.files.link(process.path(name), names[0]))


async def chmod(process: Process) -> int:
    """Octal modes and +x, -w and the like."""
    words = [word for word in process.argv[1:] if word not in ("-R", "-v", "-f")]
    if len(words) < 2:
        complain(process, "missing operand")
        return 1

    def change(name: str) -> None:
        entry = process.files.stat(process.path(name))
        process.files.chmod(process.path(name), _mode(words[0], entry.mode))

    return _each(process, words[1:], "", change)


def _mode(text: str, old: int) -> int:
    if text.isdigit():
        return int(text, 8)
    for clause in text.split(","):
        sign = next(c for c in clause if c in "+-=")
        who, _, what = clause.partition(sign)
        bits = sum({"r": 4, "w": 2, "x": 1}.get(c, 0) for c in what)
        for place, shift in (("u", 6), ("g", 3), ("o", 0)):
            if not who or place in who or "a" in who:
                mask = bits << shift
                old = old | mask if sign == "+" else old & ~mask if sign == "-" else old & ~(7 << shift) | mask
    return old


async def stat(process: Process) -> int:
    """A file's facts: -c FORMAT with %a %A %F %n %s %u %g %Y."""
    given, names = options(process.argv[1:], "Lft", "c")

    def show(name: str) -> None:
        entry = process.files.stat(process.path(name))
        size = len(entry.data) if isinstance(entry, File) else 4096
        kind = "directory" if isinstance(entry, Folder) else "regular file" if size else "regular empty file"
        values = {"a": f"{entry.mode & 0o7777:o}", "A": permissions(entry), "F": kind, "n": name, "s": str(size),
                  "u": str(entry.uid), "g": str(entry.gid), "Y": str(int(entry.modified)), "%": "%"}  # fmt: skip
        template = given.get("c", "  File: %n\n  Size: %s\t%F\nAccess: (0%a/%A)  Uid: (%u)   Gid: (%g)")
        out, rest = "", template
        while rest:
            before, mark, rest = rest.partition("%")
            out += before + (values.get(rest[:1], "?") if mark else "")
            rest = rest[1:] if mark else ""
        process.stdout.write(out + "\n")

    return _each(process, names, "can't stat", show)


async def find(process: Process) -> int:
    """Paths below folders: -name, -type f|d, -maxdepth N."""
    words = process.argv[1:]
    roots = []
    while words and not words[0].startswith("-"):
        roots.append(words[0])
        words = words[1:]
    tests = dict(zip(words[::2], words[1::2], strict=False))
    unknown = set(tests) - {"-name", "-type", "-maxdepth", "-print"}
    if unknown or (len(words) % 2 and words[-1] != "-print"):
        complain(process, f"unrecognized: {(sorted(unknown) or words[-1:])[0]}")
        return 1
    for root in roots or ["."]:
        if not process.files.exists(process.path(root)):
            complain(process, f"{root}: No such file or directory")
            return 1
        _find(process, root, tests, int(tests.get("-maxdepth", "100")))
    return 0


def _find(process: Process, path: str, tests: dict[str, str], depth: int) -> None:
    folder = process.files.is_folder(process.path(path))
    name = path.rstrip("/").rsplit("/", 1)[-1]
    kind = tests.get("-type")
    if fnmatch.fnmatchcase(name, tests.get("-name", "*")) and kind in (None, "d" if folder else "f"):
        process.stdout.write(path + "\n")
    if folder and depth:
        for child in process.files.listdir(process.path(path)):
            _find(process, f"{path.rstrip('/')}/{child}", tests, depth - 1)


def sums(algorithm: str) -> Callable[[Process], Awaitable[int]]:
    """An applet that prints digests; -c checks them."""

    async def digest(process: Process) -> int:
        given, names = options(process.argv[1:], "bcsw")
        failed: list[str] = []
        if "c" in given:
            return _check(process, names, algorithm)
        for name, data in inputs(process, names, failed):
            process.stdout.write(f"{hashlib.new(algorithm, data).hexdigest()}  {name}\n")
        return 1 if failed else 0

    return digest


def _check(process: Process, names: list[str], algorithm: str) -> int:
    failed: list[str] = []
    wrong = 0
    for _, data in inputs(process, names, failed):
        for line in data.decode(errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            try:
                right = hashlib.new(algorithm, process.files.read(process.path(name))).hexdigest() == digest
            except OSError:
                right = False
            wrong += not right
            process.stdout.write(f"{name}: {'OK' if right else 'FAILED'}\n")
    if wrong:
        complain(process, f"WARNING: {wrong} of computed checksums did NOT match")
    return 1 if wrong or failed else 0


async def base64(process: Process) -> int:
    """Encode, or decode with -d."""
    given, names = options(process.argv[1:], "d", "w")
    failed: list[str] = []
    data = b"".join(piece for _, piece in inputs(process, names, failed))
    if "d" in given:
        try:
            process.stdout.write(encoding.b64decode(b"".join(data.split())))
        except ValueError:
            complain(process, "truncated input")
            return 1
        return 1 if failed else 0
    text = encoding.b64encode(data)
    width = int(given.get("w", "76")) or len(text) or 1
    process.stdout.write(b"".join(text[i : i + width] + b"\n" for i in range(0, len(text), width)))
    return 1 if failed else 0
