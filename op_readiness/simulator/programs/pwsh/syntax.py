"""What the parser makes of a PowerShell script."""

from __future__ import annotations

from dataclasses import dataclass

Part = "str | Variable | Statements"


class Unsupported(Exception):
    """The script needs more of PowerShell than is simulated; the text says what."""


@dataclass(frozen=True)
class Text:
    """A string or bare word: its parts, literal or to be filled in."""

    parts: tuple[str | Variable | Statements, ...]


@dataclass(frozen=True)
class Number:
    """An integer."""

    value: int


@dataclass(frozen=True)
class Variable:
    """`$name`, or `$env:NAME` (scope env)."""

    scope: str
    name: str


@dataclass(frozen=True)
class Statements:
    """A sequence, as in `( )`, `$( )` and whole scripts."""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Block:
    """`{ }` as a value."""

    body: Statements


@dataclass(frozen=True)
class Binary:
    """A comparison, -and, -or."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Not:
    """-not, !"""

    value: Node


@dataclass(frozen=True)
class Parameter:
    """`-Name` among the arguments of a command."""

    name: str


@dataclass(frozen=True)
class Command:
    """A cmdlet, alias or program with its arguments; `called` when `&` stands before it."""

    name: Node
    arguments: tuple[Node, ...]
    called: bool = False


@dataclass(frozen=True)
class Branches:
    """if, elseif, else."""

    pairs: tuple[tuple[Node, Statements], ...]
    otherwise: Statements | None


@dataclass(frozen=True)
class Assign:
    """`$name = ...`"""

    target: Variable
    value: Node


@dataclass(frozen=True)
class Leave:
    """throw or exit, with its value. `kind` is the word."""

    kind: str
    value: Node | None


Node = (
    Text | Number | Variable | Statements | Block | Binary | Not | Parameter | Command | Branches | Assign | Leave
)
