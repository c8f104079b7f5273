"""Reads a PowerShell script, or refuses it whole before anything of it has run."""

from __future__ import annotations

import re

from op_readiness.simulator.programs.pwsh.syntax import (
    Assign,
    Binary,
    Block,
    Branches,
    Command,
    Leave,
    Node,
    Not,
    Number,
    Parameter,
    Statements,
    Text,
    Unsupported,
    Variable,
)

_ENDS = ";\n}|)"
_OPERATOR = re.compile(r"-(and|or|[ic]?(?:eq|ne|lt|le|gt|ge|like))\b", re.I)
_VARIABLE = re.compile(r"\$(?:(env):)?(\w+)|\$\{(?:(env):)?(\w+)\}", re.I)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def parse(script: str) -> Statements:
    """The statements of a script; raises Unsupported."""
    parser = _Parser(script.replace("\r\n", "\n"))
    statements = parser.statements("")
    if parser.at < len(parser.text):
        raise Unsupported(f"{parser.text[parser.at]!r} where a statement should begin")
    return statements


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    # Statements

    def statements(self, end: str) -> Statements:
        """Statements up to the closing character (which is taken), or the end of the script."""
        items: list[Node] = []
        while True:
            self._skip(" \t\n;")
            if self.at >= len(self.text):
                if end:
                    raise Unsupported(f"no closing {end!r}")
                return Statements(tuple(items))
            if self.text[self.at] in "})":
                if end and self.text[self.at] == end:
                    self.at += 1
                return Statements(tuple(items))
            items.append(self._statement())
            self._blanks()
            if self._peek() not in ("", ";", "\n", "}", ")"):
                raise Unsupported(f"{self._peek()!r} after a statement")

    def _statement(self) -> Node:
        word = self._word(r"(if|throw|exit|return|foreach|for|while|try|function|switch|param|do|trap)\b")
        if word == "if":
            return self._if()
        if word in ("throw", "exit"):
            self._blanks()
            value = None if self._peek() in ("", *_ENDS) else self._expression()
            return Leave(word, value)
        if word:
            raise Unsupported(f"the statement {word}")
        assigned = re.compile(r"\$(?:(env):)?(\w+)\s*=(?!=)\s*", re.I).match(self.text, self.at)
        if assigned is not None:
            self.at = assigned.end()
            return Assign(Variable((assigned[1] or "").lower(), assigned[2].lower()), self._statement())
        return self._expression() if self._begins_expression() else self._command()

    def _begins_expression(self) -> bool:
        return bool(re.compile(r"""[$'"(\d!@]|-not\b|\{""", re.I).match(self.text, self.at))

    def _if(self) -> Node:
        pairs: list[tuple[Node, Statements]] = []
        otherwise = None
        while True:
            self._expect("(")
            condition = self.statements(")")
            pairs.append((condition, self._body()))
            mark = self.at
            self._skip(" \t\n")
            word = self._word(r"(elseif|else)\b")
            if word == "elseif":
                continue
            if word == "else":
                otherwise = self._body()
            else:
                self.at = mark
            return Branches(tuple(pairs), otherwise)

    def _body(self) -> Statements:
        self._skip(" \t\n")
        self._expect("{")
        return self.statements("}")

    def _command(self) -> Node:
        called = self._peek() == "&"
        if called:
            self.at += 1
            self._blanks()
        name = self._argument()
        arguments: list[Node] = []
        while True:
            self._blanks()
            if self._peek() in ("", ";", "\n", "}", ")"):
                return Command(name, tuple(arguments), called)
            if self._peek() in "|<>,&#@" or re.compile(r"\d>").match(self.text, self.at):
                raise Unsupported(f"{self._peek()!r} in a command")
            arguments.append(self._argument())

    def _argument(self) -> Node:
        char = self._peek()
        if char in "'\"":
            return self._string()
        if char == "(":
            self.at += 1
            return self.statements(")")
        if char == "{":
            self.at += 1
            return Block(self.statements("}"))
        parameter = re.compile(r"-([A-Za-z]\w*):?(?=[\s;})]|$)").match(self.text, self.at)
        if parameter is not None:
            self.at = parameter.end()
            return Parameter(parameter[1])
        return self._bare()

    def _bare(self) -> Node:
        parts: list[str | Variable | Statements] = []
        while self.at < len(self.text) and self.text[self.at] not in " \t\n;|<>,(){}'\"":
            parts.append(self._piece())
        if not parts:
            raise Unsupported(f"{self._peek()!r} where a word should be")
        if all(isinstance(part, str) for part in parts):
            whole = "".join(str(part) for part in parts)
            return Number(int(whole)) if re.fullmatch(r"-?\d+", whole) else Text((whole,))
        return parts[0] if len(parts) == 1 and isinstance(parts[0], Variable) else Text(tuple(parts))

    # Expressions

    def _expression(self) -> Node:
        left = self._unary()
        while True:
            self._blanks()
            operator = _OPERATOR.match(self.text, self.at)
            if operator is None:
                return left
            self.at = operator.end()
            left = Binary(operator[1].lower(), left, self._unary())

    def _unary(self) -> Node:
        self._blanks()
        if self._word(r"(-not)\b") or self._word(r"(!)"):
            return Not(self._unary())
        return self._primary()

    def _primary(self) -> Node:
        char = self._peek()
        if char in "'\"":
            return self._string()
        if char == "(":
            self.at += 1
            return self.statements(")")
        if char == "{":
            self.at += 1
            return Block(self.statements("}"))
        if char == "$":
            piece = self._piece()
            if isinstance(piece, str) or self._peek() in (".", "[", "+"):
                raise Unsupported("a member of a value")
            return piece
        number = re.compile(r"-?\d+\b").match(self.text, self.at)
        if number is None:
            raise Unsupported(f"{char!r} in an expression")
        self.at = number.end()
        return Number(int(number[0]))

    def _string(self) -> Node:
        quote = self.text[self.at]
        self.at += 1
        parts: list[str | Variable | Statements] = []
        while self.at < len(self.text):
            if self.text[self.at] == quote:
                if self.text[self.at + 1 : self.at + 2] != quote:
                    self.at += 1
                    return Text(tuple(parts))
                parts.append(quote)
                self.at += 2
            elif quote == "'":
                parts.append(self.text[self.at])
                self.at += 1
            else:
                parts.append(self._piece())
        raise Unsupported("a string without its end")

    def _piece(self) -> str | Variable | Statements:
        """One character, escape, variable or `$( )` of text that is filled in."""
        char = self.text[self.at]
        if char == "`":
            following = self.text[self.at + 1 : self.at + 2]
            self.at += 2
            return _ESCAPES.get(following, following)
        if char == "$":
            if self.text.startswith("$(", self.at):
                self.at += 2
                return self.statements(")")
            variable = _VARIABLE.match(self.text, self.at)
            if variable is not None:
                self.at = variable.end()
                return Variable((variable[1] or variable[3] or "").lower(), (variable[2] or variable[4]).lower())
        self.at += 1
        return char

    # Characters

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self, characters: str) -> None:
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text[self.at] in characters:
                self.at += 1
            else:
                return

    def _blanks(self) -> None:
        while self._peek() and self._peek() in " \t":
            self.at += 1

    def _word(self, pattern: str) -> str:
        match = re.compile(pattern, re.I).match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[1].lower()

    def _expect(self, char: str) -> None:
        self._blanks()
        if self._peek() != char:
            raise Unsupported(f"{self._peek()!r} where {char!r} should be")
        self.at += 1
