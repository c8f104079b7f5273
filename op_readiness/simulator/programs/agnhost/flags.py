"""Flags as cobra and pflag parse them, and what they say of wrong use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.programs.golang import GoError, boolean, duration, integer, quoted

KINDS: dict[str, Callable[[str], Any]] = {"int": integer, "string": str, "bool": boolean, "duration": duration}


class WrongUse(Exception):
    """The command line is refused; the message is cobra's, without `Error: `."""


class HelpWanted(Exception):
    """`--help` or `-h` was given."""


@dataclass(frozen=True)
class Flag:
    """One flag: `kind` is int, string, bool or duration (seconds)."""

    name: str
    kind: str
    default: Any
    help: str = ""
    short: str = ""


@dataclass(frozen=True)
class Subcommand:
    """What a subcommand takes. `arguments`: None any, 0 none, n exactly n."""

    name: str
    summary: str
    flags: tuple[Flag, ...] = ()
    arguments: int | None = 0


@dataclass
class Given:
    """Parsed flags (every one, defaults included) and the rest."""

    values: dict[str, Any]
    arguments: list[str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


def parse(command: Subcommand, words: list[str]) -> Given:
    """The flags of a command line; raises WrongUse or HelpWanted."""
    given = Given({flag.name: flag.default for flag in command.flags}, [])
    long = {flag.name: flag for flag in command.flags}
    short = {flag.short: flag for flag in command.flags if flag.short}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            given.arguments += rest
            break
        if word.startswith("--"):
            _long(given, long, word, rest)
        elif word.startswith("-") and len(word) > 1:
            _short(given, short, word, rest)
        else:
            given.arguments.append(word)
    _count(command, len(given.arguments))
    return given


def _long(given: Given, flags: dict[str, Flag], word: str, rest: list[str]) -> None:
    name, equals, value = word[2:].partition("=")
    raw, name = name, name.replace("_", "-")
    if name == "help" and not equals:
        raise HelpWanted
    if name not in flags:
        raise WrongUse(f"unknown flag: --{raw}")
    flag = flags[name]
    if not equals:
        if flag.kind == "bool":
            value = "true"
        elif rest:
            value = rest.pop(0)
        else:
            raise WrongUse(f"flag needs an argument: --{name}")
    _set(given, flag, value, f"--{name}")


def _short(given: Given, flags: dict[str, Flag], word: str, rest: list[str]) -> None:
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter == "h" and letter not in flags:
            raise HelpWanted
        if letter not in flags:
            raise WrongUse(f"unknown shorthand flag: {quoted(letter).replace(chr(34), chr(39))} in {word}")
        flag = flags[letter]
        if letters.startswith("="):
            value, letters = letters[1:], ""
        elif flag.kind == "bool":
            value = "true"
        elif letters:
            value, letters = letters, ""
        elif rest:
            value = rest.pop(0)
        else:
            raise WrongUse(f"flag needs an argument: {quoted(letter).replace(chr(34), chr(39))} in {word}")
        _set(given, flag, value, f"-{letter}, --{flag.name}")


def _set(given: Given, flag: Flag, text: str, shown: str) -> None:
    try:
        given.values[flag.name] = KINDS[flag.kind](text)
    except GoError as error:
        raise WrongUse(f"invalid argument {quoted(text)} for {quoted(shown)} flag: {error}") from None


def _count(command: Subcommand, number: int) -> None:
    if command.arguments == 0 and number:
        raise WrongUse(f"accepts at most 0 arg(s), received {number}")
    if command.arguments and number != command.arguments:
        raise WrongUse(f"accepts {command.arguments} arg(s), received {number}")


def help_text(command: Subcommand) -> str:
    """What `SUB --help` prints."""
    lines = [f"{command.summary}.", "", "Usage:", f"  app {command.name} [flags]", "", "Flags:"]
    for flag in command.flags:
        lines.append(f"      --{flag.name} {flag.kind}   {flag.help} (default {flag.default})")
    return "\n".join([*lines, f"  -h, --help   help for {command.name}", ""])
