"""What a POSIX shell script is made of, once read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """Literal characters; quoted ones are neither split nor globbed."""

    text: str
    quoted: bool = False


@dataclass(frozen=True)
class Parameter:
    """`$name`, `${name}`, `${name:-word}` and the like. `operator` is empty for the plain ones."""

    name: str
    operator: str = ""
    word: Word = ()
    quoted: bool = False


@dataclass(frozen=True)
class Substitution:
    """`$(script)` or backquotes."""

    script: str
    quoted: bool = False


@dataclass(frozen=True)
class Arithmetic:
    """`$((expression))`."""

    word: Word
    quoted: bool = False


Part = Text | Parameter | Substitution | Arithmetic
Word = tuple[Part, ...]


@dataclass(frozen=True)
class Redirection:
    """`fd` is redirected: operator is one of < > >> >| <& >& << ; a here-document's word is its text."""

    fd: int
    operator: str
    word: Word


@dataclass(frozen=True)
class Simple:
    """Assignments, words and redirections."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True)
class Pipeline:
    """Commands whose outputs feed the next; `negated` by `!`."""

    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True)
class AndOr:
    """Pipelines joined by && and ||; the first operator is empty. `background` with &."""

    parts: tuple[tuple[str, Pipeline], ...]
    background: bool = False


Script = tuple[AndOr, ...]


@dataclass(frozen=True)
class If:
    """Conditions with their bodies, and the else part."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script = ()


@dataclass(frozen=True)
class Loop:
    """while, or until when `negated`."""

    condition: Script
    body: Script
    negated: bool = False


@dataclass(frozen=True)
class For:
    """for NAME in WORDS; without `in` over the arguments (words None)."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


@dataclass(frozen=True)
class Case:
    """case WORD in pattern|pattern) script ;;."""

    word: Word
    items: tuple[tuple[tuple[Word, ...], Script], ...]


@dataclass(frozen=True)
class Group:
    """{ script; } or ( script ) when `subshell`."""

    body: Script
    subshell: bool = False


@dataclass(frozen=True)
class Function:
    """NAME() command."""

    name: str
    body: Command


@dataclass(frozen=True)
class Redirected:
    """A compound command with redirections."""

    command: If | Loop | For | Case | Group
    redirections: tuple[Redirection, ...] = field(default=())


Command = Simple | If | Loop | For | Case | Group | Function | Redirected
