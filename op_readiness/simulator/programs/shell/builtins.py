"""The shell's own commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

from op_readiness.simulator.programs.running import NotRunnable, find
from op_readiness.simulator.programs.shell.interpreter import Jump, Leave, Shell
from op_readiness.simulator.programs.shell.parser import parse
from op_readiness.simulator.programs.shell.printing import echo_text, printf_text
from op_readiness.simulator.programs.shell.streams import Streams
from op_readiness.simulator.programs.shell.testing import TestFault, holds

Builtin = Callable[[Shell, list[str], Streams], Awaitable[int]]
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15}
OPTIONS = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f", "pipefail": "pipefail"}


async def _colon(shell: Shell, words: list[str], streams: Streams) -> int:
    return 0


async def _false(shell: Shell, words: list[str], streams: Streams) -> int:
    return 1


async def _echo(shell: Shell, words: list[str], streams: Streams) -> int:
    streams.out.write(echo_text(words))
    return 0


async def _printf(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words:
        shell.complain(streams, "printf: usage: printf format [arguments]")
        return 2
    text, problems = printf_text(words[0], words[1:])
    streams.out.write(text)
    for problem in problems:
        shell.complain(streams, f"printf: {problem}")
    return 1 if problems else 0


async def _test(shell: Shell, words: list[str], streams: Streams) -> int:
    try:
        return 0 if holds(shell.process, words) else 1
    except TestFault as fault:
        shell.complain(streams, str(fault))
        return 2


async def _bracket(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words or words[-1] not in ("]", "]]"):
        shell.complain(streams, "[: missing ]")
        return 2
    return await _test(shell, words[:-1], streams)


async def _cd(shell: Shell, words: list[str], streams: Streams) -> int:
    target = words[0] if words else shell.variables.get("HOME", "/")
    if target == "-":
        target = shell.variables.get("OLDPWD", "/")
    path = shell.process.path(target)
    if not shell.process.files.is_folder(path):
        shell.complain(streams, f"cd: can't cd to {target}: No such file or directory")
        return 2
    parts = shell.process.files.parts(path)
    shell.variables["OLDPWD"] = shell.process.cwd
    root = "C:/" if shell.process.windows else "/"
    shell.process.cwd = shell.variables["PWD"] = root + "/".join(parts)
    return 0


async def _pwd(shell: Shell, words: list[str], streams: Streams) -> int:
    streams.out.write(shell.process.cwd.replace("\\", "/") + "\n")
    return 0


async def _exit(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words:
        raise Leave(shell.status)
    if not re.fullmatch(r"-?\d+", words[0]):
        shell.complain(streams, f"exit: Illegal number: {words[0]}")
        raise Leave(2)
    raise Leave(int(words[0]) & 0xFF)


def _jump(kind: str) -> Builtin:
    async def jump(shell: Shell, words: list[str], streams: Streams) -> int:
        if kind == "return":
            shell.status = int(words[0]) if words else shell.status
            raise Jump(kind)
        raise Jump(kind, int(words[0]) if words else 1)

    return jump


async def _export(shell: Shell, words: list[str], streams: Streams) -> int:
    names = [word for word in words if not word.startswith("-")]
    if not names:
        for name in sorted(shell.exported):
            streams.out.write(f"export {name}='{shell.variables.get(name, '')}'\n")
    for word in names:
        name, equals, value = word.partition("=")
        if equals:
            shell.variables[name] = value
        shell.exported.add(name)
    return 0


async def _local(shell: Shell, words: list[str], streams: Streams) -> int:
    for word in words:
        name, equals, value = word.partition("=")
        shell.variables[name] = value if equals else shell.variables.get(name, "")
    return 0


async def _unset(shell: Shell, words: list[str], streams: Streams) -> int:
    for name in words:
        shell.variables.pop(name, None)
        shell.functions.pop(name, None)
    return 0


async def _set(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words:
        for name, value in sorted(shell.variables.items()):
            streams.out.write(f"{name}='{value}'\n")
    rest = list(words)
    while rest and rest[0][:1] in "-+" and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            shell.arguments = rest
            return 0
        letters = [rest.pop(0) if letter == "o" and rest else letter for letter in word[1:]]
        for letter in letters:
            option = OPTIONS.get(letter, letter)
            (shell.options.add if word[0] == "-" else shell.options.discard)(option)
    if rest:
        shell.arguments = rest
    return 0


async def _shift(shell: Shell, words: list[str], streams: Streams) -> int:
    count = int(words[0]) if words else 1
    if count > len(shell.arguments):
        shell.complain(streams, "shift: can't shift that many")
        return 2
    shell.arguments = shell.arguments[count:]
    return 0


async def _eval(shell: Shell, words: list[str], streams: Streams) -> int:
    return await shell.script(parse(" ".join(words)), streams)


async def _source(shell: Shell, words: list[str], streams: Streams) -> int:
    try:
        text = shell.process.files.read(shell.process.path(words[0])).decode(errors="replace")
    except (OSError, IndexError):
        shell.complain(streams, f".: can't open '{words[0] if words else ''}': No such file or directory")
        raise Leave(2) from None
    return await shell.script(parse(text), streams)


async def _exec(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words:
        return 0
    shell.last_command = True
    raise Leave(await shell.program(words, streams))


async def _command(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words or words[0] not in ("-v", "-V"):
        if words and words[0] in BUILTINS:
            return await BUILTINS[words[0]](shell, words[1:], streams)
        return await shell.program(words, streams) if words else 0
    return _described(shell, words[1:], streams, short=words[0] == "-v")


async def _type(shell: Shell, words: list[str], streams: Streams) -> int:
    return _described(shell, words, streams, short=False)


def _described(shell: Shell, names: list[str], streams: Streams, short: bool) -> int:
    status = 0
    for name in names:
        if name in shell.functions or name in BUILTINS:
            kind = "function" if name in shell.functions else "shell builtin"
            streams.out.write(f"{name}\n" if short else f"{name} is a {kind}\n")
            continue
        try:
            path = find(shell.process, name).path
        except NotRunnable:
            status = 127
            if not short:
                streams.out.write(f"{name}: not found\n")
            continue
        streams.out.write(f"{path}\n" if short else f"{name} is {path}\n")
    return status


async def _read(shell: Shell, words: list[str], streams: Streams) -> int:
    """Split a line over variables; 1 at the end of the input."""
    raw, names = False, []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-r":
            raw = True
        elif word in ("-p", "-t", "-n", "-d"):
            rest = rest[1:]
        else:
            names.append(word)
    names = names or ["REPLY"]
    line = streams.input.line()
    text = (line or b"").decode(errors="surrogateescape").removesuffix("\n")
    if not raw:
        text = re.sub(r"\\(.)", r"\1", text)
    separators = shell.variables.get("IFS", " \t\n")
    for name in names[:-1]:
        text = text.lstrip(separators)
        pieces = re.split(f"[{re.escape(separators)}]+", text, maxsplit=1) if separators else [text]
        shell.variables[name], text = pieces[0], pieces[1] if len(pieces) > 1 else ""
    shell.variables[names[-1]] = text.strip(separators)
    return 0 if line is not None and line.endswith(b"\n") else 1


async def _wait(shell: Shell, words: list[str], streams: Streams) -> int:
    numbers = [int(word) for word in words if word.isdigit()] or list(shell.jobs)
    tasks = [shell.jobs.pop(number) for number in numbers if number in shell.jobs]
    if not tasks:
        return 127 if words else 0
    stop = asyncio.ensure_future(shell.process.stop.wait()) if "TERM" in shell.traps else None
    try:
        gathered = asyncio.gather(*tasks)
        if stop is None:
            results = await gathered
        else:
            await asyncio.wait((gathered, stop), return_when=asyncio.FIRST_COMPLETED)
            if not gathered.done():
                shell.jobs.update(zip(numbers, tasks, strict=False))
                await shell.heed_signals(streams)
                return 128 + 15
            results = gathered.result()
        return int(results[-1]) if words else 0
    finally:
        if stop is not None:
            stop.cancel()


async def _trap(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words:
        for name, handler in shell.traps.items():
            streams.out.write(f"trap -- '{handler}' {name}\n")
        return 0
    handler, names = (words[0], words[1:]) if len(words) > 1 else ("-", words)
    for name in names:
        known = {"0": "EXIT", "15": "TERM", "2": "INT"}.get(name, name.upper().removeprefix("SIG"))
        if handler == "-":
            shell.traps.pop(known, None)
        else:
            shell.traps[known] = handler
    return 0


async def _kill(shell: Shell, words: list[str], streams: Streams) -> int:
    signal, targets = 15, []
    for word in words:
        name = word.lstrip("-").removeprefix("SIG")
        if word.startswith("-") and word != "-s":
            signal = int(name) if name.isdigit() else SIGNALS.get(name.upper(), 15)
        elif word != "-s":
            targets.append(word)
    status = 0
    for target in targets:
        number = int(target.lstrip("%")) if target.lstrip("%").isdigit() else -1
        if number == shell.pid:
            _kill_self(shell, signal)
        elif number in shell.jobs:
            shell.jobs.pop(number).cancel()
        else:
            shell.complain(streams, f"kill: can't kill pid {target}: No such process")
            status = 1
    return status


def _kill_self(shell: Shell, signal: int) -> None:
    """A first process outlives signals that it does not handle, SIGKILL from inside included."""
    if signal and not shell.process.pid1:
        raise Leave(128 + signal)


async def _umask(shell: Shell, words: list[str], streams: Streams) -> int:
    if not words:
        streams.out.write("0022\n")
    return 0


BUILTINS: dict[str, Builtin] = {
    ":": _colon, "true": _colon, "false": _false, "echo": _echo, "printf": _printf, "test": _test, "[": _bracket,
    "cd": _cd, "pwd": _pwd, "exit": _exit, "break": _jump("break"), "continue": _jump("continue"),
    "return": _jump("return"), "export": _export, "readonly": _export, "local": _local, "unset": _unset, "set": _set,
    "shift": _shift, "eval": _eval, ".": _source, "source": _source, "exec": _exec, "command": _command,
    "type": _type, "read": _read, "wait": _wait, "trap": _trap, "kill": _kill, "umask": _umask,
}  # fmt: skip
