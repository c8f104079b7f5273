"""From words to fields: parameters, substitutions, splitting by IFS, file names; in the shell's order."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.shell.arithmetic import evaluate
from op_readiness.simulator.programs.shell.syntax import Arithmetic, Parameter, Part, Substitution, Text, Word

DEFAULT_IFS = " \t\n"
_GLOB = re.compile(r"[*?\[]")


class ExpansionFault(Exception):
    """`${x:?}` or an unset variable under `set -u`; ends the shell with this message."""


class State(Protocol):
    """What expansion needs of the shell."""

    process: Process
    variables: dict[str, str]
    arguments: list[str]
    status: int
    options: set[str]

    def special(self, name: str) -> str | None:
        """`$?`, `$$`, `$0` and the like; None for what is no special parameter."""

    async def captured(self, script: str) -> str:
        """The output of a command substitution, without its last newlines."""


@dataclass
class Fields:
    """Fields under construction: each is a list of (text, quoted)."""

    done: list[list[tuple[str, bool]]] = field(default_factory=list)
    current: list[tuple[str, bool]] | None = None

    def add(self, text: str, quoted: bool) -> None:
        """Text that belongs to the current field."""
        self.current = [*(self.current or []), (text, quoted)]

    def cut(self) -> None:
        """End the current field, if there is one."""
        if self.current is not None:
            self.done.append(self.current)
            self.current = None


async def fields(state: State, words: Sequence[Word]) -> list[str]:
    """All fields that words expand to."""
    result: list[str] = []
    for word in words:
        if all(isinstance(part, Text) for part in word) and not _needs_glob(word):
            result.append("".join(part.text for part in word if isinstance(part, Text)))
            continue
        made = Fields()
        for part in word:
            await _expand(state, part, made)
        made.cut()
        for pieces in made.done:
            result += _globbed(state.process, pieces)
    return result


async def text(state: State, word: Word) -> str:
    """One text without splitting or file names (assignments, redirections, case)."""
    return "".join([piece for piece, _ in await _pieces(state, word)])


async def pattern(state: State, word: Word) -> str:
    """A pattern for fnmatch in which quoted characters stand for themselves."""
    return "".join([_escaped(piece) if quoted else piece for piece, quoted in await _pieces(state, word)])


async def _pieces(state: State, word: Word) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    for part in word:
        if isinstance(part, Text):
            pieces.append((part.text, part.quoted))
        else:
            pieces.append((await _value(state, part), part.quoted))
    return pieces


async def _expand(state: State, part: Part, made: Fields) -> None:
    if isinstance(part, Text):
        made.add(part.text, part.quoted)
        return
    if isinstance(part, Parameter) and part.name == "@" and not part.operator:
        _all_arguments(state, part.quoted, made)
        return
    value = await _value(state, part)
    if part.quoted:
        made.add(value, True)
        return
    _split(state, value, made)


def _all_arguments(state: State, quoted: bool, made: Fields) -> None:
    for number, argument in enumerate(state.arguments):
        if number:
            made.cut()
        if quoted:
            made.add(argument, True)
        else:
            _split(state, argument, made)


def _split(state: State, value: str, made: Fields) -> None:
    separators = state.variables.get("IFS", DEFAULT_IFS)
    if not separators:
        if value:
            made.add(value, False)
        return
    blanks = "".join(c for c in separators if c in DEFAULT_IFS)
    piece = ""
    for char in value:
        if char not in separators:
            piece += char
            continue
        if piece:
            made.add(piece, False)
            piece = ""
        elif char not in blanks and made.current is None:
            made.add("", False)
        made.cut()
    if piece:
        made.add(piece, False)


async def _value(state: State, part: Part) -> str:
    if isinstance(part, Substitution):
        return await state.captured(part.script)
    if isinstance(part, Arithmetic):
        return str(evaluate(await text(state, part.word), state.variables))
    if isinstance(part, Parameter):
        return await _parameter(state, part)
    return part.text


async def _parameter(state: State, part: Parameter) -> str:
    value = _lookup(state, part.name)
    operator = part.operator
    if operator == "length":
        return str(len(value or ""))
    if operator[-1:] in ("-", "=", "+", "?"):
        return await _default(state, part, value)
    if value is None and "u" in state.options and part.name not in "@*":
        raise ExpansionFault(f"{part.name}: parameter not set")
    if not operator or not value:
        return value or ""
    change = _CHANGES[operator]
    return await change(state, value, part)


def _lookup(state: State, name: str) -> str | None:
    if name in ("@", "*"):
        joint = state.variables.get("IFS", DEFAULT_IFS)[:1]
        return joint.join(state.arguments) if state.arguments else None
    if name.isdigit() and name != "0":
        index = int(name) - 1
        return state.arguments[index] if index < len(state.arguments) else None
    special = state.special(name)
    return special if special is not None else state.variables.get(name)


async def _default(state: State, part: Parameter, value: str | None) -> str:
    missing = value is None or (part.operator.startswith(":") and value == "")
    kind = part.operator[-1]
    if kind == "+":
        return "" if missing else await text(state, part.word)
    if not missing:
        return value or ""
    given = await text(state, part.word)
    if kind == "=":
        state.variables[part.name] = given
    elif kind == "?":
        raise ExpansionFault(f"{part.name}: {given or 'parameter not set'}")
    return given


async def _strip(state: State, value: str, part: Parameter) -> str:
    wanted = await pattern(state, part.word)
    front, longest = part.operator[0] == "#", len(part.operator) == 2
    sizes = range(len(value) + 1)
    for size in reversed(sizes) if longest else sizes:
        piece = value[:size] if front else value[len(value) - size :]
        if matches(piece, wanted):
            return value[size:] if front else value[: len(value) - size]
    return value


async def _replace(state: State, value: str, part: Parameter) -> str:
    whole = await pattern(state, part.word)
    wanted, _, instead = whole.partition("/")
    expression = re.compile(_regex(wanted))
    return expression.sub(lambda _: instead, value, count=0 if part.operator == "//" else 1)


async def _slice(state: State, value: str, part: Parameter) -> str:
    offset, colon, length = (await text(state, part.word)).partition(":")
    start = evaluate(offset, state.variables)
    start = max(0, len(value) + start) if start < 0 else start
    if not colon:
        return value[start:]
    count = evaluate(length, state.variables)
    return value[start:count] if count < 0 else value[start : start + count]


Change = Callable[[State, str, Parameter], Awaitable[str]]
_CHANGES: dict[str, Change] = {
    "#": _strip, "##": _strip, "%": _strip, "%%": _strip, "/": _replace, "//": _replace, ":": _slice,
}  # fmt: skip


def matches(value: str, wanted: str) -> bool:
    """Whether a whole value fits a pattern of `pattern`."""
    return re.fullmatch(_regex(wanted), value, re.S) is not None


def _regex(wanted: str) -> str:
    translated = fnmatch.translate(wanted)
    return re.sub(r"^\(\?s:(.*)\)\\Z$", r"\1", translated, flags=re.S)


def _escaped(piece: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", piece)


def _needs_glob(word: Word) -> bool:
    return any(isinstance(part, Text) and not part.quoted and _GLOB.search(part.text) for part in word)


def _globbed(process: Process, pieces: list[tuple[str, bool]]) -> list[str]:
    whole = "".join(piece for piece, _ in pieces)
    if not any(not quoted and _GLOB.search(piece) for piece, quoted in pieces):
        return [whole]
    wanted = "".join(_escaped(piece) if quoted else piece for piece, quoted in pieces)
    return _files(process, wanted) or [whole]


def _files(process: Process, wanted: str) -> list[str]:
    """Paths that fit a pattern, in text order."""
    steps = re.split(r"/(?![^\[]*\])", wanted)
    found = ["/"] if wanted.startswith("/") else [""]
    for number, step in enumerate(steps):
        if not step:
            continue
        last = number == len(steps) - 1
        following = []
        for folder in found:
            for name in _names(process, folder, step):
                path = folder + name
                if last or process.files.is_folder(process.path(path)):
                    following.append(path if last else path + "/")
        found = following
    return found


def _names(process: Process, folder: str, step: str) -> list[str]:
    try:
        names = process.files.listdir(process.path(folder) if folder else process.cwd)
    except OSError:
        return []
    return [name for name in names if matches(name, step) and (not name.startswith(".") or step.startswith("."))]
