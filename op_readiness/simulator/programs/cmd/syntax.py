"""What a line of cmd.exe is made of, once read. Texts keep their quotes; carets are gone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Redirection:
    """`fd` goes to a file (`>`, `>>`), comes from one (`<`), or follows another (`>&`)."""

    fd: int
    operator: str
    target: str


@dataclass(frozen=True)
class Simple:
    """A command's whole text, blanks included, and its redirections."""

    text: str
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class Joined:
    """Two commands with `&`, `&&`, `||` or `|` between them."""

    operator: str
    left: Command
    right: Command


@dataclass(frozen=True)
class Block:
    """( commands ) with redirections."""

    body: Command
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class If:
    """if [/i] [not] CONDITION command [else command]; the condition's words as they stand."""

    condition: tuple[str, ...]
    negated: bool
    ignore_case: bool
    body: Command
    otherwise: Command | None = None


@dataclass(frozen=True)
class For:
    """for [/L|/F ["options"]] %x in (set) do command."""

    kind: str
    options: str
    variable: str
    items: str
    body: Command


Command = Simple | Joined | Block | If | For
