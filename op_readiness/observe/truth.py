"""The truth table of reachability: every client against every server, what should be and what was seen.

A table tells at a glance what a list of failures hides: a whole column is a Node whose rules are not in force, a whole
row is one whose Pods have lost their network, and every cell of one path alone is a way round the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from op_readiness.observe.blame import Sighting, accused
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Target

MOST_COLUMNS = 12
"""Beyond, a table shows only the columns in which something is wrong."""
YES, NO = "yes", "no"
Key = tuple[str, str, str]
"""Row, column and path of a cell."""


@dataclass(frozen=True)
class Question:
    """One cell: does `client` reach `target`? `row` and `column` are their short names; `allowed`, what should be.

    `closed_at` is the Node whose rules deny it, where that is not the target's.
    """

    client: Client
    row: str
    target: Target
    column: str
    allowed: bool
    closed_at: str = ""

    @property
    def key(self) -> Key:
        """What tells it from every other question of a table."""
        return self.row, self.column, self.path

    @property
    def path(self) -> str:
        """The table that it belongs to: Pod IP or Service IP."""
        return self.target.path


@dataclass(frozen=True)
class Reply:
    """What was seen of a question: who answered (empty: nobody), or the client's own words."""

    question: Question
    name: str
    words: str = ""

    @property
    def reached(self) -> bool:
        """Whether anybody answered."""
        return bool(self.name)

    @property
    def right(self) -> bool:
        """As it should be: silence where nobody may come, and else the server's own name."""
        if not self.question.allowed:
            return not self.reached
        return self.name in self.question.target.backends

    def __str__(self) -> str:
        question = self.question
        should = "should connect" if question.allowed else "should be denied"
        seen = f"{self.name} answered" if self.reached else f"no answer ({self.words or 'silence'})"
        return f"{question.row} -> {question.column} by {question.path} {question.target.authority} {should}: {seen}"


def table(replies: Sequence[Reply]) -> str:
    """Tables by path: rows are clients, columns servers, cells `should/did`, `!` beside those that differ."""
    return "\n".join(
        _one_table(path, [reply for reply in replies if reply.question.path == path])
        for path in dict.fromkeys(reply.question.path for reply in replies)
    )


def wrong_lines(replies: Iterable[Reply], most: int) -> list[str]:
    """The cells that are not as they should be, the first `most` of them, and how many more."""
    wrong = [str(reply) for reply in replies if not reply.right]
    return [*wrong[:most], *([f"... and {len(wrong) - most} more"] if len(wrong) > most else [])]


def guilty(replies: Sequence[Reply], windows_nodes: frozenset[str]) -> tuple[str, ...]:
    """Nodes that explain the wrong cells.

    An answer that should not have come accuses the Node whose rules should have denied it (the server's for ingress,
    the client's for egress), and denials there speak for it. A missing answer accuses either end, and only answers
    between two Nodes speak for their ends: a silence that was wanted shows nothing of the way.
    """
    denied = [
        Sighting(one.right, target=one.question.closed_at or one.question.target.node)
        for one in replies
        if not one.question.allowed
    ]
    allowed = [
        Sighting(one.right, one.question.client.place.node, one.question.target.node)
        for one in replies
        if one.question.allowed and not (one.right and one.question.client.place.node == one.question.target.node)
    ]
    return tuple(sorted({*accused(denied, windows_nodes), *accused(allowed, windows_nodes)}))


def _one_table(path: str, replies: Sequence[Reply]) -> str:
    columns = list(dict.fromkeys(reply.question.column for reply in replies))
    if len(columns) > MOST_COLUMNS:
        columns = [name for name in columns if any(r.question.column == name and not r.right for r in replies)]
    cells = {(reply.question.row, reply.question.column): _cell(reply) for reply in replies}
    rows = list(dict.fromkeys(reply.question.row for reply in replies))
    grid = [[f"{path} (should/did)", *columns], *([row, *(cells.get((row, c), "") for c in columns)] for row in rows)]
    widths = [max(len(line[n]) for line in grid) for n in range(len(grid[0]))]
    return "\n".join("  ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)).rstrip() for line in grid)


def _cell(reply: Reply) -> str:
    should, did = (YES if yes else NO for yes in (reply.question.allowed, reply.reached))
    return f"{should}/{did}{'' if reply.right else ' !'}"
