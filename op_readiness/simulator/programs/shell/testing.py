"""The conditions of `test` and `[`."""

from __future__ import annotations

import re
from collections.abc import Callable

from op_readiness.simulator.programs.files import File, Folder
from op_readiness.simulator.programs.process import Process


class TestFault(Exception):
    """A condition that is none; the message is ash's."""

    __test__ = False


_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}  # fmt: skip
_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b, "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip
_FILES = "defrwxsLhp"
_BINARY = (*_TEXTS, *_NUMBERS, "-nt", "-ot", "=~")


def holds(process: Process, words: list[str]) -> bool:
    """Whether the condition holds; raises TestFault."""
    rest = list(words)
    if not rest:
        return False
    value = _or(process, rest)
    if rest:
        raise TestFault(f"{rest[0]}: unknown operand")
    return value


def _or(process: Process, rest: list[str]) -> bool:
    value = _and(process, rest)
    while rest and rest[0] in ("-o", "||"):
        rest.pop(0)
        value = _and(process, rest) or value
    return value


def _and(process: Process, rest: list[str]) -> bool:
    value = _not(process, rest)
    while rest and rest[0] in ("-a", "&&"):
        rest.pop(0)
        value = _not(process, rest) and value
    return value


def _not(process: Process, rest: list[str]) -> bool:
    if len(rest) > 1 and rest[0] == "!" and not (len(rest) > 2 and rest[1] in _BINARY):
        rest.pop(0)
        return not _not(process, rest)
    return _primary(process, rest)


def _primary(process: Process, rest: list[str]) -> bool:
    if not rest:
        raise TestFault("argument expected")
    if len(rest) > 2 and rest[1] in _BINARY:
        left, operator, right = rest.pop(0), rest.pop(0), rest.pop(0)
        return _compare(process, left, operator, right)
    word = rest.pop(0)
    if word == "(" and rest:
        value = _or(process, rest)
        if not rest or rest.pop(0) != ")":
            raise TestFault("closing paren expected")
        return value
    if re.fullmatch(r"-[a-zA-Z]", word) and rest:
        return _unary(process, word[1], rest.pop(0))
    return bool(word)


def _compare(process: Process, left: str, operator: str, right: str) -> bool:
    if operator in _TEXTS:
        return _TEXTS[operator](left, right)
    if operator == "=~":
        return re.search(right, left) is not None
    if operator in ("-nt", "-ot"):
        times = [getattr(process.files.entry(process.path(name)), "modified", 0.0) for name in (left, right)]
        return times[0] > times[1] if operator == "-nt" else times[0] < times[1]
    return _NUMBERS[operator](_number(left), _number(right))


def _number(text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
        raise TestFault(f"{text}: bad number")
    return int(text)


def _unary(process: Process, operator: str, word: str) -> bool:
    if operator == "z":
        return not word
    if operator == "n":
        return bool(word)
    if operator == "t":
        return False
    if operator not in _FILES:
        raise TestFault(f"-{operator}: unknown operand")
    return _file(process, operator, word)


def _file(process: Process, operator: str, word: str) -> bool:
    entry = process.files.entry(process.path(word)) if word else None
    if entry is None or operator in "Lhp":
        return False
    if operator in "df":
        return isinstance(entry, Folder if operator == "d" else File)
    if operator == "s":
        return isinstance(entry, Folder) or bool(entry.data)
    if operator == "x":
        return bool(entry.mode & 0o111) or isinstance(entry, Folder)
    if operator == "w":
        mount = process.files.mount_of(process.path(word))
        return mount is None or not mount.read_only
    return True
