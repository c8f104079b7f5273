"""Reading lines of cmd.exe: percent signs first, then quotes, carets and operators, as the real one goes about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from op_readiness.simulator.programs.cmd.syntax import Block, Command, For, If, Joined, Redirection, Simple

_VARIABLE = re.compile(r"%([^%:\r\n]+)(?::(~[^%]*|[^%=]+=[^%]*))?%")
_FOR = re.compile(
    r"for\s+(?:/([lfrdLFRD])\s+)?(?:(\"[^\"]*\"|[^\s%\"]\S*)\s+)?%{1,2}([a-zA-Z])\s+in\s*\(", re.I
)
_COMPARISONS = ("equ", "neq", "lss", "leq", "gtr", "geq")
BLANK = " \t,;="


class Unexpected(Exception):
    """A line that cmd does not take; the message is its own."""


def expanded(line: str, lookup: Callable[[str], str | None]) -> str:
    """The line with its %NAME% replaced; a name without value stays as it stands."""

    def put(match: re.Match[str]) -> str:
        value = lookup(match[1])
        if value is None:
            return match[0]
        return value if match[2] is None else changed(value, match[2])

    return _VARIABLE.sub(put, line)


def changed(value: str, how: str) -> str:
    """`~start,length` cuts a piece out, `old=new` replaces."""
    if not how.startswith("~"):
        old, _, new = how.partition("=")
        return re.sub(re.escape(old), lambda _: new, value, flags=re.I)
    start, _, length = how[1:].partition(",")
    begin = int(start or 0)
    begin = max(0, len(value) + begin) if begin < 0 else begin
    if not length:
        return value[begin:]
    count = int(length)
    return value[begin:count] if count < 0 else value[begin : begin + count]


def parse(line: str) -> Command | None:
    """The command that a line is; None for an empty one; raises Unexpected."""
    parser = Parser(line)
    command = parser.sequence()
    parser.blank()
    if parser.at < len(line):
        raise Unexpected(f"{line[parser.at]} was unexpected at this time.")
    return command


class Parser:
    """A line and a position in it."""

    def __init__(self, line: str) -> None:
        self.line, self.at, self.depth = line, 0, 0

    def blank(self) -> None:
        """Skip blanks and newlines."""
        while self.at < len(self.line) and self.line[self.at] in " \t\r\n":
            self.at += 1

    def sequence(self) -> Command | None:
        """Commands joined by & (weakest), || and &&, | (strongest)."""
        left = self._or()
        while left is not None and self._operator("&"):
            right = self._or()
            if right is not None:
                left = Joined("&", left, right)
        return left

    def _or(self) -> Command | None:
        left = self._and()
        while left is not None and self._operator("||"):
            left = Joined("||", left, self._need(self._and()))
        return left

    def _and(self) -> Command | None:
        left = self._pipe()
        while left is not None and self._operator("&&"):
            left = Joined("&&", left, self._need(self._pipe()))
        return left

    def _pipe(self) -> Command | None:
        left = self._command()
        while left is not None and self._operator("|"):
            left = Joined("|", left, self._need(self._command()))
        return left

    def _need(self, command: Command | None) -> Command:
        if command is None:
            raise Unexpected("The syntax of the command is incorrect.")
        return command

    def _operator(self, operator: str) -> bool:
        self.blank_only()
        here = self.line[self.at : self.at + 2]
        found = here if here in ("&&", "||") else here[:1]
        if operator == "&" and self.depth and found in ("\n", "\r"):
            self.blank()
            return self.line[self.at : self.at + 1] != ")"
        if found != operator:
            return False
        self.at += len(operator)
        return True

    def blank_only(self) -> None:
        """Skip blanks."""
        while self.at < len(self.line) and self.line[self.at] in " \t":
            self.at += 1

    def _command(self) -> Command | None:
        self.blank()
        while self.line[self.at : self.at + 1] == "@":
            self.at += 1
            self.blank()
        rest = self.line[self.at :]
        if rest[:1] in ("", ")"):
            return None
        if rest[0] in "&|":
            raise Unexpected(f"{rest[0]} was unexpected at this time.")
        if rest[0] == "(":
            return self._block()
        if re.match(r"if(?=[\s/])", rest, re.I):
            return self._if()
        if re.match(r"for(?=\s)", rest, re.I):
            return self._for()
        return self._simple()

    def _block(self) -> Block:
        self.at += 1
        self.depth += 1
        body = self._need(self.sequence())
        self.blank()
        if self.line[self.at : self.at + 1] != ")":
            raise Unexpected("The syntax of the command is incorrect.")
        self.at += 1
        self.depth -= 1
        redirections: list[Redirection] = []
        self.blank_only()
        while self._redirection(redirections, ""):
            self.blank_only()
        return Block(body, tuple(redirections))

    def _if(self) -> If:
        self.at += 2
        negated = ignore_case = False
        word = self._word()
        while word.lower() in ("/i", "not"):
            ignore_case = ignore_case or word.lower() == "/i"
            negated = negated or word.lower() == "not"
            word = self._word()
        condition: tuple[str, ...]
        if word.lower() in ("errorlevel", "exist", "defined"):
            condition = (word.lower(), self._word())
        else:
            condition = self._comparison(word)
        body = self._need(self._branch())
        self.blank_only()
        otherwise = None
        if re.match(r"else(?=[\s(])", self.line[self.at :], re.I) and isinstance(body, Block):
            self.at += 4
            otherwise = self._need(self._branch())
        return If(condition, negated, ignore_case, body, otherwise)

    def _branch(self) -> Command | None:
        """What an `if` or `for` governs: everything joined to it on the line."""
        self.blank()
        return self._block() if self.line[self.at : self.at + 1] == "(" else self.sequence()

    def _comparison(self, word: str) -> tuple[str, ...]:
        left, equals, right = word.partition("==")
        if equals:
            return "==", left, right or self._word()
        operator = self._word()
        if operator.startswith("=="):
            return "==", word, operator[2:] or self._word()
        if operator.lower() not in _COMPARISONS:
            raise Unexpected(f"{operator or word} was unexpected at this time.")
        return operator.lower(), word, self._word()

    def _word(self) -> str:
        """A word up to a blank outside quotes."""
        self.blank_only()
        start, quoted = self.at, False
        while self.at < len(self.line):
            char = self.line[self.at]
            quoted = quoted != (char == '"')
            if not quoted and char in " \t\r\n()&|":
                break
            self.at += 1
        return self.line[start : self.at]

    def _for(self) -> For:
        match = _FOR.match(self.line, self.at)
        if match is None:
            raise Unexpected("The syntax of the command is incorrect.")
        self.at = match.end()
        end, quote = self.at, ""
        while end < len(self.line) and (quote or self.line[end] != ")"):
            char = self.line[end]
            if char in "\"'":
                quote = "" if quote == char else quote or char
            end += 1
        items = self.line[self.at : end]
        self.at = end + 1
        if self._word().lower() != "do":
            raise Unexpected("The syntax of the command is incorrect.")
        body = self._need(self._branch())
        return For((match[1] or "").lower(), match[2] or "", match[3], items, body)

    def _simple(self) -> Simple:
        text: list[str] = []
        redirections: list[Redirection] = []
        quoted = False
        while self.at < len(self.line):
            char = self.line[self.at]
            if char == "^" and not quoted:
                text.append(self.line[self.at + 1 : self.at + 2])
                self.at += 2
                continue
            if char == '"':
                quoted = not quoted
            if not quoted and (char in "&|\r\n" or (char == ")" and self.depth)):
                break
            if not quoted and (char in "<>" or char.isdigit()) and self._redirection(redirections, "".join(text)):
                continue
            text.append(char)
            self.at += 1
        return Simple("".join(text), tuple(redirections))

    def _redirection(self, found: list[Redirection], before: str) -> bool:
        match = re.compile(r"(\d?)(>>|>|<)(?:&(\d))?").match(self.line, self.at)
        if match is None or (match[1] and before and before[-1] not in " \t,;=\"()"):
            return False
        self.at = match.end()
        fd = int(match[1]) if match[1] else (0 if match[2] == "<" else 1)
        if match[3]:
            found.append(Redirection(fd, ">&", match[3]))
            self._skip_before_end()
            return True
        target = self._target()
        if not target:
            raise Unexpected("The syntax of the command is incorrect.")
        found.append(Redirection(fd, match[2], target))
        self._skip_before_end()
        return True

    def _skip_before_end(self) -> None:
        """Blanks between a redirection and the end of the command belong to nobody."""
        match = re.compile(r"[ \t]+(?=$|[&|\r\n)])").match(self.line, self.at)
        if match is not None:
            self.at = match.end()

    def _target(self) -> str:
        self.blank_only()
        start, quoted = self.at, False
        while self.at < len(self.line):
            char = self.line[self.at]
            quoted = quoted != (char == '"')
            if not quoted and char in " \t\r\n&|<>()":
                break
            self.at += 1
        return self.line[start : self.at].replace('"', "")
