"""Where a shell's commands read and write: input that is eaten piece by piece, files that outputs go to."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace

from op_readiness.simulator.programs.process import Process, Sink

CREATE_WORDS = {
    errno.ENOENT: "nonexistent directory", errno.EACCES: "Permission denied", errno.EROFS: "Read-only file system",
    errno.EISDIR: "Is a directory", errno.ENOTDIR: "Not a directory",
}  # fmt: skip
OPEN_WORDS = {**CREATE_WORDS, errno.ENOENT: "no such file"}


class RedirectionFault(Exception):
    """A redirection that cannot be; the message is ash's."""


class Input:
    """Bytes to read; `read` and children take from the same."""

    def __init__(self, data: bytes = b"") -> None:
        self.data, self.at = data, 0

    def rest(self) -> bytes:
        """What is left, without taking it."""
        return self.data[self.at :]

    def take_all(self) -> bytes:
        """What is left."""
        rest, self.at = self.data[self.at :], len(self.data)
        return rest

    def line(self) -> bytes | None:
        """The next line with its newline, the last one maybe without; None at the end."""
        if self.at >= len(self.data):
            return None
        end = self.data.find(b"\n", self.at)
        end = len(self.data) if end < 0 else end + 1
        line, self.at = self.data[self.at : end], end
        return line


@dataclass(frozen=True)
class Streams:
    """Standard input, output and error of one command."""

    input: Input
    out: Sink
    err: Sink

    def with_fd(self, fd: int, target: Sink | Input) -> Streams:
        """The same with one of them replaced; raises RedirectionFault for others than 0, 1 and 2."""
        if fd == 0 and isinstance(target, Input):
            return replace(self, input=target)
        if fd == 1 and isinstance(target, Sink):
            return replace(self, out=target)
        if fd == 2 and isinstance(target, Sink):
            return replace(self, err=target)
        raise RedirectionFault(f"{fd}: redirections are simulated for file descriptors 0, 1 and 2 alone")

    def sink(self, fd: int) -> Sink:
        """What `>&fd` means."""
        if fd not in (1, 2):
            raise RedirectionFault(f"{fd}: Bad file descriptor")
        return self.out if fd == 1 else self.err


class FileSink(Sink):
    """An output that goes to a file as it is written."""

    def __init__(self, process: Process, path: str) -> None:
        super().__init__()
        self._process, self._path = process, path

    def write(self, data: bytes | str) -> None:
        """Append; a volume that turns bad meanwhile loses it, as a full disk would."""
        piece = data.encode() if isinstance(data, str) else data
        if piece:
            self._process.files.write(self._path, piece, append=True)


class NullSink(Sink):
    """/dev/null."""

    def write(self, data: bytes | str) -> None:
        """Nothing."""


def open_output(process: Process, name: str, append: bool) -> Sink:
    """A file to write to, emptied unless `append`; raises OSError."""
    path = process.path(name)
    if name in ("/dev/null", "NUL", "nul"):
        return NullSink()
    if name in ("/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"):
        return process.stdout
    if name in ("/dev/stderr", "/proc/self/fd/2", "/dev/fd/2"):
        return process.stderr
    process.files.write(path, b"", append=append)
    return FileSink(process, path)
