"""Lines of styled text: one source for the coloured terminal, plain pipes and the text file.

A style is a word of ours (`good`, `bad`, `warn`, `dim`, `head`), so that text from a cluster is never read as markup.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from op_readiness.reports.text import to_ascii, visible

if TYPE_CHECKING:
    from rich.text import Text

STYLES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "head": "bold", "": ""}
"""Our styles in rich's words."""
LONGEST_LABEL = 20


@dataclass(frozen=True)
class Line:
    """One line: (text, style) after (text, style), and what becomes of it on a terminal too narrow for it.

    `wrap` goes on below, at word ends, indented as far as the first piece (or its leading spaces) reaches; `cut` is for
    rows and what is said again below; `paste` is left to the terminal, so that a command is copied whole.
    """

    pieces: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    fit: str = "wrap"

    @classmethod
    def of(cls, *pieces: str | tuple[str, str], fit: str = "wrap") -> Line:
        """A line of plain and styled pieces; each is made visible and kept on one line."""
        pairs = ((piece, "") if isinstance(piece, str) else piece for piece in pieces)
        return cls(tuple((visible(text).replace("\n", " "), style) for text, style in pairs if text), fit)

    @property
    def hang(self) -> int:
        """Columns that the rest of a wrapped line stands in from the left."""
        first = self.pieces[0][0] if self.pieces else ""
        label = len(self.pieces) > 1 and first.endswith(" ") and len(first) <= LONGEST_LABEL
        return len(first) if label else len(first) - len(first.lstrip())

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces).rstrip()

    def rich(self, *, ascii: bool = False) -> Text:
        """The line for a rich console."""
        from rich.text import Text

        text = Text(no_wrap=False, end="")
        for piece, style in self.pieces:
            text.append(to_ascii(piece) if ascii else piece, STYLES[style])
        return text


EMPTY = Line()


def plain(lines: Iterable[Line], *, ascii: bool = False) -> str:
    """The lines as text, each ended by a newline."""
    text = "".join(f"{line}\n" for line in lines)
    return to_ascii(text) if ascii else text


def table(rows: Sequence[Sequence[str]], *, indent: str = "  ", style_first: str = "") -> list[Line]:
    """Rows with their columns lined up; the first row is the heading."""
    shown = [[visible(cell).replace("\n", " ") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))] if shown else []
    lines = []
    for number, row in enumerate(shown):
        text = indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        lines.append(Line.of((text, "dim" if number == 0 else style_first), fit="cut"))
    return lines


def width_of_terminal() -> int:
    """Columns to fill."""
    return max(60, min(140, shutil.get_terminal_size((100, 24)).columns))
