"""From a command line to a program: what a container runtime or a shell finds, and how a signal ends it.

The file that `argv[0]` leads to names the program. What is not there, or is there without a stand-in, is refused with
the runtime's words: an unknown command never passes for a success.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from op_readiness.simulator.programs.files import File
from op_readiness.simulator.programs.hostprocesses import on_the_host
from op_readiness.simulator.programs.images import program_of
from op_readiness.simulator.programs.process import Process, Program, Terminated, UnknownProgram
from op_readiness.simulator.programs.windowsusers import LOGON_FAILED, can_log_on

T = TypeVar("T")
DEFAULT_PATH = {
    "linux": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "windows": r"C:\Windows\System32;C:\Windows",
}
PATHEXT = ".COM;.EXE;.BAT;.CMD"
STATUS_CONTROL_C_EXIT = 0xC000013A
"""Exit code of a Windows program that does not handle the console's shutdown event."""
WINDOWS_MISSING = "The system cannot find the file specified."


@dataclass(frozen=True)
class Known:
    """A program. `own_signals`: it looks at `process.stop` itself (agnhost, coredns, pause)."""

    start: Program
    own_signals: bool = False


@dataclass(frozen=True)
class Found:
    """A program file, and the arguments that go before the user's (a script's interpreter)."""

    path: str
    known: Known
    before: tuple[str, ...] = ()


class NotRunnable(Exception):
    """`kind` is missing, denied or format (a file that is no program of this system)."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(f"{name}: {kind}")
        self.name, self.kind = name, kind


async def run(process: Process) -> int:
    """The exit code of a container's command; raises UnknownProgram with the runtime's words before it starts.

    SIGTERM on Linux does nothing to a first process that does not handle it; on Windows the console's shutdown event
    ends everybody who does not.
    """
    try:
        found = find(process, process.argv[0] if process.argv else "")
    except NotRunnable as error:
        raise UnknownProgram(_runtime_words(process, error)) from None
    if not can_log_on(process):
        raise UnknownProgram(LOGON_FAILED)
    work = execute(process, found)
    if found.known.own_signals or not process.windows:
        return await work
    try:
        return await until_stopped(process, work)
    except Terminated:
        return STATUS_CONTROL_C_EXIT


async def execute(process: Process, found: Found) -> int:
    """Run what was found; its exit code, in the range of the system."""
    if found.before:
        process = replace(process, argv=[*found.before, found.path, *process.argv[1:]])
    with on_the_host(process, found.path):
        code = await found.known.start(process)
    return code & 0xFFFFFFFF if process.windows else code & 0xFF


async def until_stopped(process: Process, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; raises Terminated, with `work` cancelled, when the container is asked to stop first."""
    task, stop = asyncio.ensure_future(work), asyncio.ensure_future(process.stop.wait())
    try:
        await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Terminated("terminated")
    finally:
        stop.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def find(process: Process, name: str, *, extensions_only: bool = False) -> Found:
    """The program behind a name: as a path from the working directory, or along PATH; raises NotRunnable.

    `extensions_only`: cmd's way, which never runs a file without an extension of PATHEXT.
    """
    denied = False
    for path in _candidates(process, name, extensions_only):
        entry = process.files.entry(path)
        if not isinstance(entry, File):
            continue
        if not process.windows and not entry.mode & 0o111:
            denied = True
            continue
        return _program(process, path, entry.data, name)
    if denied or (not process.windows and _is_path(process, name) and process.files.is_folder(process.path(name))):
        raise NotRunnable(name, "denied")
    raise NotRunnable(name, "missing")


def variable(process: Process, name: str) -> str | None:
    """An environment variable; on Windows whatever the case of its name."""
    if name in process.env or not process.windows:
        return process.env.get(name)
    key = name.upper()
    return next((value for known, value in process.env.items() if known.upper() == key), None)


def _candidates(process: Process, name: str, extensions_only: bool) -> Sequence[str]:
    if not name:
        return []
    if _is_path(process, name):
        places = [process.path(name)]
    else:
        folders = (variable(process, "PATH") or DEFAULT_PATH[process.os]).split(";" if process.windows else ":")
        if process.windows:
            folders = [process.cwd, *folders]
        places = [process.files.join(folder, name) for folder in folders if folder]
    if not process.windows:
        return places
    extensions = [e for e in (variable(process, "PATHEXT") or PATHEXT).split(";") if e]
    has_one = name.upper().endswith(tuple(extension.upper() for extension in extensions))
    exact = [""] if has_one or not (extensions_only or process.host_process) else []
    return [path for place in places for path in process.files.with_extensions(place, (*exact, *extensions))]


def _is_path(process: Process, name: str) -> bool:
    return "/" in name or (process.windows and ("\\" in name or ":" in name))


def _program(process: Process, path: str, data: bytes, name: str) -> Found:
    from op_readiness.simulator.programs.registry import PROGRAMS

    program = program_of(data, process.os)
    if program is not None and program in PROGRAMS:
        return Found(path, PROGRAMS[program])
    if process.windows and path.lower().endswith((".cmd", ".bat")):
        return Found(path, PROGRAMS["windows-cmd"], ("cmd.exe", "/c"))
    if data.startswith(b"#!") and not process.windows:
        interpreter = data[2:].split(b"\n", 1)[0].decode().split()
        inner = find(process, interpreter[0]) if interpreter else None
        if inner is not None:
            return Found(path, inner.known, tuple(interpreter))
    raise NotRunnable(name, "format")


def _runtime_words(process: Process, error: NotRunnable) -> str:
    if process.windows:
        return {
            "missing": WINDOWS_MISSING,
            "denied": "Access is denied.",
            "format": "%1 is not a valid Win32 application.",
        }[error.kind]
    name = error.name
    if error.kind == "format":
        return f"exec {name}: exec format error"
    if error.kind == "denied":
        return f'exec: "{name}": permission denied'
    if "/" in name:
        return f'exec: "{name}": stat {name}: no such file or directory'
    return f'exec: "{name}": executable file not found in $PATH'
