"""The commands of cmd.exe itself. Each gets what follows its name, and gives the error level (None: unchanged)."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable

from op_readiness.simulator.programs.cmd import filecommands
from op_readiness.simulator.programs.cmd.interpreter import PATH_MISSING, Cmd, Leave
from op_readiness.simulator.programs.shell.streams import Streams
from op_readiness.simulator.programs.windowsbuild import build_of

Builtin = Callable[[Cmd, str, Streams], Awaitable[int | None]]


async def _echo(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    """`echo text` keeps every blank but the one after its name; bare it tells whether it is on."""
    if rest.strip().lower() in ("on", "off"):
        cmd.echoes = rest.strip().lower() == "on"
        return None
    if not rest.strip():
        streams.out.write(f"ECHO is {'on' if cmd.echoes else 'off'}.\r\n")
        return None
    streams.out.write(rest[1:] + "\r\n")
    return None


async def _rem(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    return None


async def _exit(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    words = rest.split()
    if words and words[0].lower() == "/b":
        words = words[1:]
    raise Leave(int(words[0]) & 0xFFFFFFFF if words and re.fullmatch(r"-?\d+", words[0]) else cmd.errorlevel)


async def _set(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    text = rest.lstrip()
    if text.lower().startswith("/a"):
        return _set_arithmetic(cmd, text[2:].strip().strip('"'))
    if text.startswith('"') and text.rstrip().endswith('"'):
        text = text.rstrip()[1:-1]
    name, equals, value = text.partition("=")
    if equals:
        cmd.set(name, value or None)
        return 0 if value else None
    names = sorted((n for n in cmd.process.env if n.upper().startswith(text.strip().upper())), key=str.upper)
    for known in names:
        streams.out.write(f"{known}={cmd.process.env[known]}\r\n")
    if not names and text.strip():
        streams.err.write(f"Environment variable {text.strip()} not defined\r\n")
        return 1
    return 0


def _set_arithmetic(cmd: Cmd, text: str) -> int:
    from op_readiness.simulator.programs.shell.arithmetic import ArithmeticFault, evaluate

    variables = {name: value for name, value in cmd.process.env.items() if re.fullmatch(r"-?\d+", value)}
    try:
        evaluate(re.sub(r"%(\w+)%", r"\1", text), variables)
    except ArithmeticFault:
        return 1
    for name, value in variables.items():
        cmd.set(name, value)
    return 0


async def _cd(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    target = rest.strip().removeprefix("/d ").removeprefix("/D ").strip().strip('"')
    if not target:
        streams.out.write(cmd.process.cwd + "\r\n")
        return 0
    return _change(cmd, target, streams)


def _change(cmd: Cmd, target: str, streams: Streams) -> int:
    path = cmd.process.path(target)
    if not cmd.process.files.is_folder(path):
        streams.err.write(f"{PATH_MISSING}\r\n")
        return 1
    cmd.process.cwd = "C:\\" + "\\".join(cmd.process.files.parts(path))
    return 0


async def _pushd(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    former = cmd.process.cwd
    code = _change(cmd, rest.strip().strip('"'), streams)
    if code == 0:
        cmd.folders.append(former)
    return code


async def _popd(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    if cmd.folders:
        cmd.process.cwd = cmd.folders.pop()
    return 0


async def _ver(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    streams.out.write(f"\r\nMicrosoft Windows [Version {build_of(cmd.process)}]\r\n")
    return 0


async def _call(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    if rest.strip().startswith(":"):
        return await _not_simulated("call :label")(cmd, rest, streams)
    await cmd.line(rest, streams)
    return None


async def _date(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    streams.out.write(time.strftime("%a %m/%d/%Y \r\n", time.gmtime()))
    return 0


async def _time(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    streams.out.write(time.strftime("%I:%M %p\r\n", time.gmtime()))
    return 0


async def _path(cmd: Cmd, rest: str, streams: Streams) -> int | None:
    streams.out.write(f"PATH={cmd.value('PATH') or ''}\r\n")
    return 0


def _not_simulated(name: str) -> Builtin:
    async def refuse(cmd: Cmd, rest: str, streams: Streams) -> int | None:
        streams.err.write(f"'{name}' is not simulated.\r\n")
        return 1

    return refuse


BUILTINS: dict[str, Builtin] = {
    "echo": _echo, "rem": _rem, "exit": _exit, "set": _set, "cd": _cd, "chdir": _cd, "pushd": _pushd, "popd": _popd,
    "ver": _ver, "call": _call, "date": _date, "time": _time, "path": _path, "title": _rem, "cls": _rem,
    "setlocal": _rem, "endlocal": _rem, "verify": _rem, "color": _rem, "type": filecommands.type_,
    "dir": filecommands.dir_, "copy": filecommands.copy, "move": filecommands.move, "del": filecommands.delete,
    "erase": filecommands.delete, "md": filecommands.mkdir, "mkdir": filecommands.mkdir, "rd": filecommands.rmdir,
    "rmdir": filecommands.rmdir, "ren": filecommands.rename, "rename": filecommands.rename,
    "mklink": filecommands.mklink,
    **{name: _not_simulated(name) for name in ("goto", "shift", "start", "assoc", "ftype", "pause", "vol", "break")},
}  # fmt: skip
