"""What BusyBox applets share: options, input files, and how they complain."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from op_readiness.simulator.programs.process import Process

ERRORS = {
    errno.ENOENT: "No such file or directory", errno.EACCES: "Permission denied", errno.EISDIR: "Is a directory",
    errno.ENOTDIR: "Not a directory", errno.EROFS: "Read-only file system", errno.EEXIST: "File exists",
    errno.ENOTEMPTY: "Directory not empty", errno.EBUSY: "Resource busy", errno.EXDEV: "Cross-device link",
}  # fmt: skip


class Usage(Exception):
    """Options that an applet does not take; the message names them, the exit code is 1."""


def name_of(process: Process) -> str:
    """The applet's name as it shows in messages."""
    return re.split(r"[/\\]", process.argv[0])[-1].removesuffix(".exe")


def complain(process: Process, text: str) -> None:
    """One line on stderr."""
    process.stderr.write(f"{name_of(process)}: {text}\n")


def error_text(error: OSError) -> str:
    """The system's words for an error."""
    return ERRORS.get(error.errno or 0, error.strerror or str(error))


def options(words: list[str], flags: str, values: str = "") -> tuple[dict[str, str], list[str]]:
    """Short options anywhere (`-n 5`, `-n5`, bundled) with the rest; raises Usage for any other."""
    given: dict[str, str] = {}
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return given, others + rest
        if not word.startswith("-") or len(word) == 1:
            others.append(word)
            continue
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in flags:
                given[letter] = ""
            elif letter in values:
                if not letters and not rest:
                    raise Usage(f"option requires an argument: {letter}")
                given[letter], letters = letters or rest.pop(0), ""
            elif word.startswith("--"):
                raise Usage(f"unrecognized option: {word[2:]}")
            else:
                raise Usage(f"unrecognized option: {letter}")
    return given, others


def inputs(process: Process, names: list[str], failed: list[str]) -> Iterator[tuple[str, bytes]]:
    """Each named file (standard input for none or `-`); complains of those that cannot be read and notes them."""
    for name in names or ["-"]:
        if name == "-":
            yield "-", process.stdin
            continue
        try:
            yield name, process.files.read(process.path(name))
        except OSError as error:
            failed.append(name)
            verb = "read error" if error.errno == errno.EISDIR else f"can't open '{name}'"
            complain(process, f"{verb}: {error_text(error)}")


def lines(data: bytes) -> list[bytes]:
    """Lines with their newlines."""
    return data.splitlines(keepends=True) if b"\r" not in data else re.findall(rb"[^\n]*\n|[^\n]+", data)
