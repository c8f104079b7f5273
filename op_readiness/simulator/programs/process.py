"""A process in a simulated container: what a program gets to work with, and how it ends.

A program is `async def program(process: Process) -> int`; its exit code is what it returns. It reads `argv[1:]`,
writes bytes to `stdout` and `stderr`, talks through `network`, sees files through `files`, waits on `clock`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.interface import NetworkNamespace


class Files(Protocol):
    """A container's view of its file system; errors are OSError with errno set (ENOENT, EACCES, EISDIR ...)."""

    def read(self, path: str) -> bytes:
        """The whole file."""

    def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        """Replace or append; the folder must exist."""

    def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""

    def listdir(self, path: str) -> list[str]:
        """Names in a folder."""

    def remove(self, path: str) -> None:
        """Delete a file."""

    def makedirs(self, path: str) -> None:
        """Create a folder and its parents."""


class Sink:
    """Where a process writes; keeps what was written and hands each piece on."""

    def __init__(self, forward: Callable[[bytes], Any] | None = None) -> None:
        self.data = bytearray()
        self._forward = forward

    def write(self, data: bytes | str) -> None:
        """Text goes out as UTF-8."""
        piece = data.encode() if isinstance(data, str) else data
        self.data += piece
        if self._forward is not None and piece:
            self._forward(piece)


class Terminated(Exception):
    """Raised in a program that waits when its container gets a signal that it does not handle."""


@dataclass
class Process:
    """One process. `stop` is set on SIGTERM; a program that serves waits for it and ends as the real one does.

    `world` is the simulated cluster (for `coredns`, which reads Services through its ServiceAccount): see
    `simulator.world.World`. `pid1` tells whether it is the container's first process.
    """

    argv: list[str]
    env: dict[str, str]
    os: str
    hostname: str
    network: NetworkNamespace
    files: Files
    clock: Clock
    image: str
    cwd: str = "/"
    user: str = ""
    stdin: bytes = b""
    stdout: Sink = field(default_factory=Sink)
    stderr: Sink = field(default_factory=Sink)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    pid1: bool = False
    world: Any = None
    pod: dict[str, Any] = field(default_factory=dict)

    def child(self, argv: list[str], **changes: Any) -> Process:
        """A process of the same container with another command line, its own output unless given."""
        return replace(self, argv=argv, **{"stdout": Sink(), "stderr": Sink(), "pid1": False, **changes})


Program = Callable[[Process], Awaitable[int]]


class UnknownProgram(Exception):
    """The image has no such file: the runtime says so, a shell exits 127 with the name."""
