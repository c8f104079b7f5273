"""A POSIX shell (BusyBox ash in manner and words): `sh -c SCRIPT`, `sh FILE`, or a script on standard input."""

from __future__ import annotations

from dataclasses import replace

from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.shell.interpreter import NOT_FOUND, Shell
from op_readiness.simulator.programs.shell.parser import parse
from op_readiness.simulator.programs.shell.streams import Input, Streams
from op_readiness.simulator.programs.shell.syntax import Script, Simple
from op_readiness.simulator.programs.shell.words import SyntaxFault


async def sh(process: Process) -> int:
    """The exit code of a shell."""
    options, rest = _options(process.argv[1:])
    process = replace(process)
    if "c" in options:
        if not rest:
            process.stderr.write(f"{process.argv[0]}: -c requires an argument\n")
            return 2
        name, arguments = rest[1] if len(rest) > 1 else process.argv[0], rest[2:]
        return await _run(process, options, name, arguments, rest[0], Input(process.stdin))
    if rest and "s" not in options:
        try:
            text = process.files.read(process.path(rest[0])).decode(errors="surrogateescape")
        except OSError:
            process.stderr.write(f"{process.argv[0]}: can't open '{rest[0]}': No such file or directory\n")
            return 2 if process.files.exists(process.path(rest[0])) else NOT_FOUND
        return await _run(process, options, rest[0], rest[1:], text, Input(process.stdin))
    text = process.stdin.decode(errors="surrogateescape")
    return await _run(process, options, process.argv[0], rest, text, Input())


async def _run(
    process: Process, options: set[str], name: str, arguments: list[str], text: str, source: Input
) -> int:
    shell = Shell(process, name, arguments)
    shell.options |= options - {"c", "s", "l", "i"}
    shell.last_command = "c" in options and _is_one_program(text)
    return await shell.main(text, Streams(source, process.stdout, process.stderr))


def _options(words: list[str]) -> tuple[set[str], list[str]]:
    options: set[str] = set()
    rest = list(words)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            continue
        letters = word[1:]
        if letters.endswith("o") and rest:
            options.add(rest.pop(0))
            letters = letters[:-1]
        options |= set(letters)
    return options, rest


def _is_one_program(text: str) -> bool:
    """Whether a script is one plain command: the shell then gives its process to it (and SIGTERM reaches it)."""
    try:
        script: Script = parse(text)
    except SyntaxFault:
        return False
    return len(script) == 1 and not script[0].background and len(script[0].parts) == 1 and all(
        len(pipeline.commands) == 1 and isinstance(pipeline.commands[0], Simple) for _, pipeline in script[0].parts
    )
