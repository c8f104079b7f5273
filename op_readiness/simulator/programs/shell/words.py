"""Reading words: quotes, expansions, here-documents. The character level of the shell's grammar."""

from __future__ import annotations

import re
from functools import lru_cache

from op_readiness.simulator.programs.shell.syntax import (
    Arithmetic,
    Parameter,
    Part,
    Substitution,
    Text,
    Word,
)

ENDS = " \t\n;&|<>()"
NAME_START = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
NAME = NAME_START + "0123456789"
SPECIAL = "@*#?-$!0123456789"
OPERATORS = (":-", ":=", ":+", ":?", "##", "%%", "//", "-", "=", "+", "?", "#", "%", "/", ":")


_RUN = re.compile(r"""[^\\'"()]+""")
_QUOTED_RUN = re.compile(r"""[^\\"$`]+""")


@lru_cache(maxsize=16)
def _plain(ends: str) -> re.Pattern[str]:
    """A run of characters that end no word and start nothing."""
    return re.compile("[^" + re.escape(ends + "\\'\"$`") + "]+")


class SyntaxFault(Exception):
    """A script that is none; the message is ash's after `syntax error: `."""


class Reader:
    """A text and a position in it."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self, count: int = 1) -> str:
        """The next characters; fewer at the end."""
        return self.text[self.at : self.at + count]

    def word(self, ends: str = ENDS) -> Word:
        """A word up to an unquoted end character."""
        parts: list[Part] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                parts.append(Text("".join(plain)))
                plain.clear()

        run_of = _plain(ends)
        while self.at < len(self.text):
            if run := run_of.match(self.text, self.at):
                plain.append(run[0])
                self.at = run.end()
                continue
            char = self.text[self.at]
            if char in ends:
                break
            if char == "\\":
                self.at += 1
                following = self.peek()
                self.at += 1
                if following != "\n":
                    flush()
                    parts.append(Text(following or "\\", quoted=True))
            elif char == "'":
                flush()
                parts.append(Text(self._until_quote(), quoted=True))
            elif char == '"':
                flush()
                parts += self._double_quoted()
            else:
                part = self.expansion(quoted=False)
                flush()
                parts.append(part)
        flush()
        return tuple(parts)

    def expansion(self, quoted: bool) -> Part:
        """What starts with $ or a backquote here."""
        if self.peek() == "`":
            return self._backquoted(quoted)
        if self.peek(2) in ("$(", "${"):
            return self._enclosed(quoted)
        following = self.text[self.at + 1 : self.at + 2]
        if following and following in SPECIAL:
            self.at += 2
            return Parameter(following, quoted=quoted)
        if following and following in NAME_START:
            self.at += 1
            return Parameter(self.name(), quoted=quoted)
        self.at += 1
        return Text("$", quoted)

    def _enclosed(self, quoted: bool) -> Part:
        if self.peek(3) == "$((":
            return self._arithmetic(quoted)
        braced = self.peek(2) == "${"
        self.at += 2
        return self._braced(quoted) if braced else Substitution(self._until_parenthesis(), quoted)

    def name(self) -> str:
        """A variable's name."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in NAME:
            self.at += 1
        return self.text[start : self.at]

    def double(self, text: str) -> Word:
        """A here-document's text: expansions count, quotes do not."""
        return Reader(text)._inside(end=None)

    def _until_quote(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise SyntaxFault("unterminated quoted string")
        text = self.text[self.at + 1 : end]
        self.at = end + 1
        return text

    def _double_quoted(self) -> Word:
        self.at += 1
        parts = self._inside(end='"')
        self.at += 1
        return parts or (Text("", quoted=True),)

    def _inside(self, end: str | None) -> Word:
        parts: list[Part] = []
        plain: list[str] = []
        while True:
            if self.at >= len(self.text):
                if end is None:
                    break
                raise SyntaxFault("unterminated quoted string")
            if run := _QUOTED_RUN.match(self.text, self.at):
                plain.append(run[0])
                self.at = run.end()
                continue
            char = self.text[self.at]
            if char == end:
                break
            if char == "\\":
                following = self.text[self.at + 1 : self.at + 2]
                self.at += 2
                if following == "\n":
                    continue
                special = '$`"\\' if end else "$`\\"
                plain.append(following if following and following in special else "\\" + following)
            elif char in "$`":
                part = self.expansion(quoted=True)
                if plain:
                    parts.append(Text("".join(plain), quoted=True))
                    plain = []
                parts.append(part)
            else:
                plain.append(char)
                self.at += 1
        if plain:
            parts.append(Text("".join(plain), quoted=True))
        return tuple(parts)

    def _backquoted(self, quoted: bool) -> Substitution:
        self.at += 1
        script: list[str] = []
        while self.peek() != "`":
            if self.at >= len(self.text):
                raise SyntaxFault("EOF in backquote substitution")
            if self.peek() == "\\" and self.text[self.at + 1 : self.at + 2] in ("`", "\\", "$"):
                self.at += 1
            script.append(self.peek())
            self.at += 1
        self.at += 1
        return Substitution("".join(script), quoted)

    def _until_parenthesis(self) -> str:
        """The text up to the parenthesis that closes; quotes and inner ones are skipped."""
        start, depth = self.at, 1
        while depth:
            if run := _RUN.match(self.text, self.at):
                self.at = run.end()
            char = self.peek()
            if not char:
                raise SyntaxFault('unexpected end of file (expecting ")")')
            if char == "\\":
                self.at += 1
            elif char == "'":
                self._until_quote()
                continue
            elif char == '"':
                self._double_quoted()
                continue
            elif char == "(":
                depth += 1
            elif char == ")":
                depth -= 1
            self.at += 1
        return self.text[start : self.at - 1]

    def _arithmetic(self, quoted: bool) -> Part:
        start = self.at
        self.at += 3
        inner = self._until_parenthesis()
        if self.peek() != ")":
            self.at = start + 2
            return Substitution(self._until_parenthesis(), quoted)
        self.at += 1
        return Arithmetic(self.double(inner), quoted)

    def _braced(self, quoted: bool) -> Parameter:
        if self.peek() == "#" and self.text[self.at + 1 : self.at + 2] != "}":
            self.at += 1
            name = self._parameter_name()
            self._close_brace()
            return Parameter(name, "length", (), quoted)
        name = self._parameter_name()
        if self.peek() == "}":
            self.at += 1
            return Parameter(name, quoted=quoted)
        operator = next((o for o in OPERATORS if self.peek(len(o)) == o), "")
        if not operator:
            raise SyntaxFault("bad substitution")
        self.at += len(operator)
        word = self._brace_word(quoted)
        self._close_brace()
        return Parameter(name, operator, word, quoted)

    def _brace_word(self, quoted: bool) -> Word:
        if not quoted:
            return self.word(ends="}")
        return self._inside(end="}")

    def _parameter_name(self) -> str:
        if self.peek() and self.peek() in NAME_START:
            return self.name()
        if self.peek().isdigit():
            start = self.at
            while self.peek().isdigit():
                self.at += 1
            return self.text[start : self.at]
        if self.peek() and self.peek() in SPECIAL:
            self.at += 1
            return self.text[self.at - 1]
        raise SyntaxFault("bad substitution")

    def _close_brace(self) -> None:
        if self.peek() != "}":
            raise SyntaxFault("missing '}'")
        self.at += 1
