"""The cmdlets that are simulated. What they write goes to the caller as values; errors do not end a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from op_readiness.simulator.programs.cmd.interpreter import error_text
from op_readiness.simulator.programs.cmd.names import matching
from op_readiness.simulator.programs.pwsh.syntax import Block, Parameter, Unsupported

if TYPE_CHECKING:
    from op_readiness.simulator.programs.process import Process

Value = str | int | bool | Block | None
Given = dict[str, Value]


class CmdletError(Exception):
    """A cmdlet's error that lets the script go on; the text is PowerShell's."""


@dataclass(frozen=True)
class Cmdlet:
    """`values` take what follows them, in the order of positions; `switches` take nothing."""

    run: Callable[[Process, Given], Awaitable[list[Value]]]
    values: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()

    def bound(self, name: str, words: list[Value | Parameter]) -> Given:
        """Arguments by parameter; raises Unsupported for a parameter that is not simulated."""
        given: Given = {}
        free = list(self.values)
        rest: list[Value] = []
        words = list(words)
        while words:
            word = words.pop(0)
            if not isinstance(word, Parameter):
                rest.append(word)
                continue
            known = [one for one in (*self.values, *self.switches) if one.startswith(word.name.lower())]
            if len(known) != 1 and word.name.lower() not in known:
                raise Unsupported(f"{name} -{word.name}")
            which = word.name.lower() if word.name.lower() in known else known[0]
            if which in self.switches:
                given[which] = True
                continue
            following = words.pop(0) if words else None
            if following is None or isinstance(following, Parameter):
                raise Unsupported(f"{name} -{word.name} without a value")
            given[which] = following
            free.remove(which)
        if len(rest) > len(free):
            raise Unsupported(f"{name} with {len(rest)} arguments")
        return given | dict(zip(free, rest, strict=False))


async def _write_output(_: Process, given: Given) -> list[Value]:
    return [given.get("inputobject", "")]


async def _write_host(process: Process, given: Given) -> list[Value]:
    process.stdout.write(shown(given.get("object", "")) + ("" if given.get("nonewline") else "\r\n"))
    return []


async def _start_sleep(process: Process, given: Given) -> list[Value]:
    seconds = float(str(given.get("seconds", 0))) + float(str(given.get("milliseconds", 0))) / 1000
    await process.clock.sleep(seconds)
    return []


async def _test_path(process: Process, given: Given) -> list[Value]:
    return [bool(matching(process, str(given.get("path", ""))))]


async def _get_content(process: Process, given: Given) -> list[Value]:
    path = _path(process, given)
    try:
        text = process.files.read(path).decode(errors="replace")
    except OSError as error:
        raise _failure(error, path) from error
    return [text] if given.get("raw") else list(text.splitlines())


async def _set_content(process: Process, given: Given) -> list[Value]:
    path = _path(process, given)
    try:
        process.files.write(path, (shown(given.get("value", "")) + "\r\n").encode())
    except OSError as error:
        raise _failure(error, path) from error
    return []


async def _get_child_item(process: Process, given: Given) -> list[Value]:
    path = _path(process, given)
    found = matching(process, path)
    if not found:
        raise CmdletError(f"Cannot find path '{path}' because it does not exist.")
    if len(found) == 1 and process.files.is_folder(found[0]):
        return [*process.files.listdir(found[0])]
    return [process.files.parts(one)[-1] for one in found]


async def _remove_item(process: Process, given: Given) -> list[Value]:
    path = _path(process, given)
    try:
        process.files.remove(path)
    except OSError as error:
        raise _failure(error, path) from error
    return []


async def _copy_item(process: Process, given: Given) -> list[Value]:
    path = _path(process, given)
    target = process.path(str(given.get("destination", "")))
    if process.files.is_folder(target):
        target = process.files.join(target, process.files.parts(path)[-1])
    try:
        process.files.write(target, process.files.read(path))
    except OSError as error:
        raise _failure(error, path) from error
    return []


def _path(process: Process, given: Given) -> str:
    return process.path(str(given.get("path", ".")))


def _failure(error: OSError, path: str) -> CmdletError:
    if isinstance(error, FileNotFoundError):
        return CmdletError(f"Cannot find path '{path}' because it does not exist.")
    return CmdletError(f"Access to the path '{path}' is denied." if error.errno else error_text(error))


def shown(value: Value) -> str:
    """How a value is written out."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Block):
        raise Unsupported("a block as text")
    return "" if value is None else str(value)


CMDLETS: dict[str, Cmdlet] = {
    "write-output": Cmdlet(_write_output, ("inputobject",)),
    "write-host": Cmdlet(_write_host, ("object",), ("nonewline",)),
    "start-sleep": Cmdlet(_start_sleep, ("seconds", "milliseconds")),
    "test-path": Cmdlet(_test_path, ("path",)),
    "get-content": Cmdlet(_get_content, ("path",), ("raw",)),
    "set-content": Cmdlet(_set_content, ("path", "value")),
    "get-childitem": Cmdlet(_get_child_item, ("path",)),
    "remove-item": Cmdlet(_remove_item, ("path",), ("force",)),
    "copy-item": Cmdlet(_copy_item, ("path", "destination"), ("force",)),
}
ALIASES = {
    "echo": "write-output", "write": "write-output", "sleep": "start-sleep", "cat": "get-content", "gc": "get-content",
    "type": "get-content", "sc": "set-content", "ls": "get-childitem", "dir": "get-childitem", "gci": "get-childitem",
    "rm": "remove-item", "del": "remove-item", "ri": "remove-item", "cp": "copy-item", "copy": "copy-item",
}  # fmt: skip
