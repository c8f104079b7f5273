"""A process in a simulated container: what a program gets to work with, and how it ends.

A program is `async def program(process: Process) -> int`; its exit code is what it returns. It reads `argv[1:]`,
writes bytes to `stdout` and `stderr`, talks through `network`, sees files through `files`, waits on `clock`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.interface import NetworkNamespace
from op_readiness.simulator.programs.files import FileSystem
from op_readiness.simulator.programs.usage import Usage


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
    `simulator.world.World`. `pid1` tells whether it is the container's first process. `usage` is the container's,
    shared by all of its processes; `credential_spec` is the text of its GMSA credential spec, `without_domain` tells
    that the runtime started it although it got no credentials. `container` is the container's name.
    """

    argv: list[str]
    env: dict[str, str]
    os: str
    hostname: str
    network: NetworkNamespace
    files: FileSystem
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
    usage: Usage = field(default_factory=Usage)
    credential_spec: str = ""
    without_domain: bool = False
    container: str = ""

    def child(self, argv: list[str], **changes: Any) -> Process:
        """A process of the same container with another command line, its own output unless given."""
        return replace(self, argv=argv, **{"stdout": Sink(), "stderr": Sink(), "pid1": False, **changes})

    def path(self, name: str) -> str:
        """An absolute path, seen from the working directory."""
        return self.files.join(self.cwd, name)

    @property
    def windows(self) -> bool:
        """Whether it runs on a Windows Node."""
        return self.os == "windows"

    @property
    def host_process(self) -> bool:
        """Whether its Pod is a HostProcess one."""
        spec = self.pod.get("spec", {})
        contexts = [spec, *spec.get("containers", [])]
        return any(
            ((c.get("securityContext") or {}).get("windowsOptions") or {}).get("hostProcess") for c in contexts
        )


Program = Callable[[Process], Awaitable[int]]


class UnknownProgram(Exception):
    """The container has no such program, or may not run it; the message is the runtime's (runc, hcsshim)."""
