"""Arithmetic of `$(( ))` and `expr`-like C expressions: integers, variables, comparisons, logic, assignment."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%]=|[-+*/%<>=!~&|^()?:,])"
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<=", ">=", "<", ">"), ("<<", ">>"), ("+", "-"),
    ("*", "/", "%"),
)  # fmt: skip


class ArithmeticFault(Exception):
    """An expression that is none, or a division by zero; the message is ash's."""


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise ArithmeticFault("divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "|": lambda a, b: a | b, "^": lambda a, b: a ^ b, "&": lambda a, b: a & b, "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b), "<=": lambda a, b: int(a <= b), ">=": lambda a, b: int(a >= b),
    "<": lambda a, b: int(a < b), ">": lambda a, b: int(a > b), "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b,
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": _divide,
    "%": lambda a, b: a - b * _divide(a, b), "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}  # fmt: skip


def evaluate(text: str, variables: MutableMapping[str, str]) -> int:
    """The value; assignments change `variables`. An empty text is 0."""
    tokens: list[str] = []
    at = 0
    while at < len(text) and text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ArithmeticFault("arithmetic syntax error")
        tokens.append(match.group(1))
        at = match.end()
    if not tokens:
        return 0
    evaluator = _Evaluator(tokens, variables)
    value = evaluator.expression()
    if evaluator.tokens:
        raise ArithmeticFault("arithmetic syntax error")
    return value


class _Evaluator:
    def __init__(self, tokens: list[str], variables: MutableMapping[str, str]) -> None:
        self.tokens, self._variables = tokens, variables

    def expression(self) -> int:
        if len(self.tokens) > 1 and re.match(r"[A-Za-z_]", self.tokens[0]):
            operator = self.tokens[1]
            if operator == "=" or (len(operator) == 2 and operator[1] == "=" and operator[0] in "+-*/%"):
                return self._assign()
        condition = self._level(0)
        if not self._take("?"):
            return condition
        first = self.expression()
        if not self._take(":"):
            raise ArithmeticFault("arithmetic syntax error")
        second = self.expression()
        return first if condition else second

    def _assign(self) -> int:
        name, operator = self.tokens.pop(0), self.tokens.pop(0)
        value = self.expression()
        if operator != "=":
            value = _OPERATIONS[operator[0]](self._value(name), value)
        self._variables[name] = str(value)
        return value

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while self.tokens and self.tokens[0] in _LEVELS[level]:
            operator = self.tokens.pop(0)
            value = _OPERATIONS[operator](value, self._level(level + 1))
        return value

    def _unary(self) -> int:
        for operator, change in (("-", int.__neg__), ("+", int), ("!", lambda v: int(not v)), ("~", int.__invert__)):
            if self._take(operator):
                return change(self._unary())
        if self._take("("):
            value = self.expression()
            if not self._take(")"):
                raise ArithmeticFault("arithmetic syntax error")
            return value
        if not self.tokens:
            raise ArithmeticFault("arithmetic syntax error")
        return self._value(self.tokens.pop(0))

    def _value(self, token: str) -> int:
        if token[0].isdigit():
            return int(token, 8) if re.fullmatch(r"0[0-7]+", token) else int(token, 0)
        if not re.match(r"[A-Za-z_]", token):
            raise ArithmeticFault("arithmetic syntax error")
        text = self._variables.get(token, "").strip() or "0"
        try:
            return int(text, 0)
        except ValueError:
            raise ArithmeticFault("arithmetic syntax error") from None

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False
