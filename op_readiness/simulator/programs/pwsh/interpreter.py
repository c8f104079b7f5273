"""PowerShell at work: runs what the parser has read.

Output has CRLF; `throw` ends a script with 1, `exit` with its number.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence

from op_readiness.simulator.programs.process import Process, Sink
from op_readiness.simulator.programs.pwsh.cmdlets import ALIASES, CMDLETS, CmdletError, Value, shown
from op_readiness.simulator.programs.pwsh.parser import parse
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
from op_readiness.simulator.programs.running import NotRunnable, execute, find, variable

_AUTOMATIC = {"true": True, "false": False, "null": None}


class _Left(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Thrown(Exception):
    pass


class Script:
    """One run of a script; `file` tells whether it came with -File (then errors do not show in the exit code)."""

    def __init__(self, process: Process, text: str, *, file: bool = False) -> None:
        self._process, self._file = process, file
        self._statements = parse(text)
        for command in _commands(self._statements):
            _must_be_known(process, command)
        self._variables: dict[str, Value] = {}
        self._well, self._native = True, False

    async def run(self) -> int:
        """Run it; the exit code of PowerShell."""
        try:
            for item in self._statements.items:
                for value in await self._run(item):
                    self._process.stdout.write(shown(value) + "\r\n")
        except _Left as left:
            return left.code
        except _Thrown as thrown:
            self._process.stderr.write(f"Exception: {thrown}\r\n")
            return 1
        return 0 if self._well or (self._file and not self._native) else 1

    async def _run(self, node: Node) -> list[Value]:
        if isinstance(node, Statements):
            return [value for item in node.items for value in await self._run(item)]
        if isinstance(node, Command):
            return await self._command(node)
        if isinstance(node, Assign):
            values = await self._run(node.value)
            self._assign(node.target, values[0] if len(values) == 1 else "\n".join(map(shown, values)))
            return []
        if isinstance(node, Branches):
            return await self._branches(node)
        if isinstance(node, Leave):
            value = None if node.value is None else await self._one(node.value)
            if node.kind == "throw":
                raise _Thrown(shown(value) or "ScriptHalted")
            raise _Left(int(shown(value) or 0) & 0xFFFFFFFF)
        self._well = True
        return [await self._one(node)]

    async def _branches(self, node: Branches) -> list[Value]:
        for condition, body in node.pairs:
            if _true(await self._one(condition)):
                return await self._run(body)
        return await self._run(node.otherwise) if node.otherwise is not None else []

    def _assign(self, target: Variable, value: Value) -> None:
        if target.scope == "env":
            self._process.env[target.name.upper()] = shown(value)
        else:
            self._variables[target.name] = value

    # Values

    async def _one(self, node: Node) -> Value:
        if isinstance(node, Text):
            return "".join([part if isinstance(part, str) else shown(await self._one(part)) for part in node.parts])
        if isinstance(node, Number | Block):
            return node.value if isinstance(node, Number) else node
        if isinstance(node, Variable):
            return self._value(node)
        if isinstance(node, Not):
            return not _true(await self._one(node.value))
        if isinstance(node, Binary):
            return await self._compared(node)
        values = await self._run(node)
        return values[0] if len(values) == 1 else " ".join(map(shown, values)) if values else None

    def _value(self, node: Variable) -> Value:
        if node.scope == "env":
            return variable(self._process, node.name)
        return _AUTOMATIC[node.name] if node.name in _AUTOMATIC else self._variables.get(node.name)

    async def _compared(self, node: Binary) -> bool:
        left = await self._one(node.left)
        if node.operator in ("and", "or"):
            if _true(left) == (node.operator == "or"):
                return _true(left)
            return _true(await self._one(node.right))
        right = await self._one(node.right)
        return _holds(node.operator, left, right)

    # Commands

    async def _command(self, node: Command) -> list[Value]:
        target = await self._one(node.name)
        if isinstance(target, Block):
            return await self._run(target.body)
        name = shown(target)
        words: list[Value | Parameter] = [
            one if isinstance(one, Parameter) else await self._one(one) for one in node.arguments
        ]
        cmdlet = CMDLETS.get(_cmdlet_name(name))
        if cmdlet is None:
            return await self._program(name, words)
        self._native = False
        try:
            values = await cmdlet.run(self._process, cmdlet.bound(name, words))
        except CmdletError as error:
            self._process.stderr.write(f"{name}: {error}\r\n")
            self._well = False
            return []
        self._well = True
        return values

    async def _program(self, name: str, words: list[Value | Parameter]) -> list[Value]:
        argv = [name, *(f"-{word.name}" if isinstance(word, Parameter) else shown(word) for word in words)]
        out = Sink()
        child = self._process.child(argv, env=dict(self._process.env), stdout=out, stderr=self._process.stderr)
        try:
            found = find(child, name)
        except NotRunnable:
            self._process.stderr.write(
                f"{name}: The term '{name}' is not recognized as a name of a cmdlet, function, script file, or "
                "executable program.\r\n"
            )
            self._well = False
            return []
        self._native = True
        self._well = await execute(child, found) == 0
        return [*out.data.decode(errors="replace").splitlines()]


def _commands(node: Node | str | None) -> Iterator[Command]:
    """Every command of a script."""
    below: Sequence[Node | str | None] = []
    if isinstance(node, Command):
        yield node
        below = [node.name, *node.arguments]
    elif isinstance(node, Statements):
        below = [*node.items]
    elif isinstance(node, Text):
        below = [*node.parts]
    elif isinstance(node, Block):
        below = [node.body]
    elif isinstance(node, Binary):
        below = [node.left, node.right]
    elif isinstance(node, Not | Assign | Leave):
        below = [node.value]
    elif isinstance(node, Branches):
        below = [*(one for pair in node.pairs for one in pair), node.otherwise]
    for one in below:
        yield from _commands(one)


def _must_be_known(process: Process, command: Command) -> None:
    """Refuse a cmdlet that PowerShell has and this does not."""
    if not isinstance(command.name, Text) or not all(isinstance(part, str) for part in command.name.parts):
        if isinstance(command.name, Block):
            return
        raise Unsupported("a command whose name is not plain")
    name = "".join(str(part) for part in command.name.parts)
    if _cmdlet_name(name) in CMDLETS:
        return
    if re.fullmatch(r"[A-Za-z]+-[A-Za-z]+", name):
        raise Unsupported(f"the cmdlet {name}")
    if "[" in name:
        raise Unsupported(name)


def _cmdlet_name(name: str) -> str:
    return ALIASES.get(name.lower(), name.lower())


def _true(value: Value) -> bool:
    return bool(value)


def _holds(operator: str, left: Value, right: Value) -> bool:
    """A comparison; the right side takes the left one's kind, case counts only with a `c` before the operator."""
    bare = operator[1:] if operator[0] in "ic" else operator
    sensitive = operator[0] == "c"
    if isinstance(left, int) and not isinstance(left, bool) and re.fullmatch(r"-?\d+", shown(right)):
        one: int | str = left
        other: int | str = int(shown(right))
    else:
        one, other = shown(left), shown(right)
        if not sensitive:
            one, other = one.lower(), other.lower()
    if bare == "like":
        return fnmatch.fnmatchcase(str(one), str(other))
    order = (one > other) - (one < other)  # type: ignore[operator]
    return order in _ORDERS[bare]


_ORDERS: dict[str, tuple[int, ...]] = {
    "eq": (0,), "ne": (-1, 1), "lt": (-1,), "le": (-1, 0), "gt": (1,), "ge": (0, 1),
}
