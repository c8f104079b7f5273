"""The POSIX shell at work: runs what the parser has read, in one process of a container.

Pipelines run one command after the other with the output kept between them; file descriptors are 0, 1 and 2. Loops
give way to others now and then, so that a script that never waits cannot hold up the cluster.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from op_readiness.simulator.programs.process import Process, Sink
from op_readiness.simulator.programs.running import NotRunnable, execute, find
from op_readiness.simulator.programs.shell import expansion
from op_readiness.simulator.programs.shell.arithmetic import ArithmeticFault
from op_readiness.simulator.programs.shell.parser import parse
from op_readiness.simulator.programs.shell.redirecting import redirected
from op_readiness.simulator.programs.shell.streams import Input, RedirectionFault, Streams
from op_readiness.simulator.programs.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirected,
    Script,
    Simple,
)
from op_readiness.simulator.programs.shell.words import SyntaxFault

NOT_FOUND, NOT_EXECUTABLE, SYNTAX = 127, 126, 2
TURNS_BEFORE_REST, REST_SECONDS = 200, 0.05
"""A loop that never waits rests this many cluster seconds after that many turns."""
_PIDS = itertools.count(7)
_READERS = (
    "cat grep egrep fgrep head tail wc sort uniq tr cut sed tee sha256sum sha1sum sha512sum md5sum xargs nc sh ash "
    "bash rev tac base64 more findstr windows-findstr windows-sort windows-more"
)
READS_INPUT = frozenset(_READERS.split())


class Leave(Exception):
    """exit: ends the shell with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Jump(Exception):
    """break, continue or return on its way out."""

    def __init__(self, kind: str, count: int = 1) -> None:
        super().__init__(kind)
        self.kind, self.count = kind, count


class Shell:
    """The state of one shell."""

    def __init__(self, process: Process, name: str, arguments: list[str]) -> None:
        self.process, self.name, self.arguments = process, name, arguments
        self.variables: dict[str, str] = dict(process.env)
        self.exported: set[str] = set(process.env)
        self.functions: dict[str, Command] = {}
        self.options: set[str] = set()
        self.traps: dict[str, str] = {}
        self.status = 0
        self.substituted = 0  # command substitutions so far: an assignment has the status of its last one, if any
        self.pid = 1 if process.pid1 else next(_PIDS)
        self.jobs: dict[int, asyncio.Task[int]] = {}
        self.last_job = 0
        self.checked = 0
        self.last_command = self.fatal = False
        self.streams = Streams(Input(process.stdin), process.stdout, process.stderr)

    # What expansion asks

    def special(self, name: str) -> str | None:
        """A special parameter."""
        simple = {"?": str(self.status), "$": str(self.pid), "0": self.name, "#": str(len(self.arguments))}
        if name == "!":
            return str(self.last_job) if self.last_job else None
        return "".join(sorted(self.options)) if name == "-" else simple.get(name)

    async def captured(self, script: str) -> str:
        """What a command substitution gives."""
        sink = Sink()
        inner = self.copy()
        self.substituted += 1
        self.status = await inner.run_text(script, Streams(Input(), sink, self.streams.err))
        return bytes(sink.data).decode(errors="surrogateescape").rstrip("\n")

    # Running

    async def run_text(self, text: str, streams: Streams) -> int:
        """The status of a script in a subshell of its own; never raises what belongs to the script."""
        self.streams = streams
        try:
            return await self.script(parse(text), streams)
        except SyntaxFault as fault:
            self.complain(streams, f"syntax error: {fault}")
            return SYNTAX
        except Leave as leave:
            return leave.status
        except Jump:
            return self.status
        except (expansion.ExpansionFault, ArithmeticFault) as fault:
            self.complain(streams, str(fault))
            return 2

    async def main(self, text: str, streams: Streams) -> int:
        """The status of the whole shell: the script, the traps, the end of what runs behind it."""
        status = await self.run_text(text, streams)
        if "EXIT" in self.traps:
            self.status = status
            handler = self.traps.pop("EXIT")
            ended = await self.run_text(handler, streams)
            status = ended if "exit" in handler else status
        for job in self.jobs.values():
            job.cancel()
        return status

    def copy(self) -> Shell:
        """A subshell: it sees everything and changes nothing here."""
        other = Shell(self.process, self.name, list(self.arguments))
        other.variables, other.exported = dict(self.variables), set(self.exported)
        other.functions, other.options = dict(self.functions), set(self.options)
        other.status, other.pid, other.last_job = self.status, self.pid, self.last_job
        other.streams = self.streams
        return other

    def complain(self, streams: Streams, text: str) -> None:
        """One line on stderr with the shell's name."""
        streams.err.write(f"{self.name}: {text}\n")

    async def script(self, script: Script, streams: Streams) -> int:
        """Run lists in turn."""
        for item in script:
            if item.background:
                self._background(item, streams)
                self.status = 0
                continue
            self.status = await self.and_or(item, streams)
            if self.status and "e" in self.options and not self.checked and self.fatal:
                raise Leave(self.status)
        return self.status

    async def and_or(self, item: AndOr, streams: Streams) -> int:
        """Run pipelines joined by && and ||."""
        status = 0
        for number, (operator, pipeline) in enumerate(item.parts):
            if (operator == "&&" and status) or (operator == "||" and not status):
                continue
            last = number == len(item.parts) - 1
            self.checked += 0 if last else 1
            try:
                status = self.status = await self.pipeline(pipeline, streams)
                self.fatal = last and not pipeline.negated
            finally:
                self.checked -= 0 if last else 1
        return status

    async def pipeline(self, pipeline: Pipeline, streams: Streams) -> int:
        """Run commands one after the other, each reading what the former wrote."""
        await self.heed_signals(streams)
        if len(pipeline.commands) == 1:
            status = await self.command(pipeline.commands[0], streams)
        else:
            status = await self._piped(pipeline, streams)
        return int(not status) if pipeline.negated else status

    async def _piped(self, pipeline: Pipeline, streams: Streams) -> int:
        source, statuses = streams.input, []
        for command in pipeline.commands[:-1]:
            sink = Sink()
            statuses.append(await self.copy().contained(command, Streams(source, sink, streams.err)))
            source = Input(bytes(sink.data))
        statuses.append(await self.copy().contained(pipeline.commands[-1], replace(streams, input=source)))
        if "pipefail" in self.options:
            return next((status for status in reversed(statuses) if status), 0)
        return statuses[-1]

    async def contained(self, command: Command, streams: Streams) -> int:
        """A command in a subshell: what leaves the shell leaves only this one."""
        self.streams = streams
        try:
            return await self.command(command, streams)
        except Leave as leave:
            return leave.status
        except Jump:
            return self.status
        except (expansion.ExpansionFault, ArithmeticFault) as fault:
            self.complain(streams, str(fault))
            return 2

    def _background(self, item: AndOr, streams: Streams) -> None:
        inner = self.copy()
        pipeline = Group((AndOr(item.parts),))
        task = asyncio.ensure_future(inner.contained(pipeline, replace(streams, input=Input())))
        self.last_job = next(_PIDS)
        self.jobs[self.last_job] = task

    async def command(self, command: Command, streams: Streams) -> int:
        """Run one command."""
        self.streams = streams
        return await _RUNNERS[type(command)](self, command, streams)

    async def heed_signals(self, streams: Streams) -> None:
        """Run the TERM trap once the container has been asked to stop."""
        handler = self.traps.get("TERM")
        if handler is not None and self.process.stop.is_set():
            del self.traps["TERM"]
            await self.script(parse(handler), streams)

    # Compound commands

    async def _if(self, command: If, streams: Streams) -> int:
        for condition, body in command.branches:
            if await self._condition(condition, streams) == 0:
                return await self.script(body, streams)
        self.status = 0
        return await self.script(command.otherwise, streams)

    async def _condition(self, script: Script, streams: Streams) -> int:
        self.checked += 1
        try:
            return await self.script(script, streams)
        finally:
            self.checked -= 1

    async def _loop(self, command: Loop, streams: Streams) -> int:
        status = 0
        turns = 0
        while (await self._condition(command.condition, streams) == 0) != command.negated:
            status, ends = await self._turn(command.body, streams)
            turns += 1
            await self._rest(turns)
            if ends:
                break
        self.status = status
        return status

    async def _for(self, command: For, streams: Streams) -> int:
        values = list(self.arguments) if command.words is None else await expansion.fields(self, command.words)
        status = 0
        for turns, value in enumerate(values, 1):
            self.variables[command.name] = value
            status, ends = await self._turn(command.body, streams)
            await self._rest(turns)
            if ends:
                break
        self.status = status
        return status

    async def _turn(self, body: Script, streams: Streams) -> tuple[int, bool]:
        """One turn of a loop: its status and whether the loop ends."""
        try:
            return await self.script(body, streams), False
        except Jump as jump:
            if jump.kind == "return":
                raise
            if jump.count > 1:
                raise Jump(jump.kind, jump.count - 1) from None
            return 0, jump.kind == "break"

    async def _rest(self, turns: int) -> None:
        await self.heed_signals(self.streams)
        if turns % TURNS_BEFORE_REST == 0:
            await self.process.clock.sleep(REST_SECONDS)
        else:
            await asyncio.sleep(0)

    async def _case(self, command: Case, streams: Streams) -> int:
        value = await expansion.text(self, command.word)
        for patterns, script in command.items:
            for word in patterns:
                if expansion.matches(value, await expansion.pattern(self, word)):
                    self.status = 0
                    return await self.script(script, streams)
        return 0

    async def _group(self, command: Group, streams: Streams) -> int:
        if not command.subshell:
            return await self.script(command.body, streams)
        inner = self.copy()
        return await inner.contained(Group(command.body), streams)

    async def _function(self, command: Function, streams: Streams) -> int:
        self.functions[command.name] = command.body
        return 0

    async def _redirected(self, command: Redirected, streams: Streams) -> int:
        try:
            inner = await redirected(self, command.redirections, streams)
        except RedirectionFault as fault:
            self.complain(streams, str(fault))
            return 1
        return await self.command(command.command, inner)

    async def call(self, name: str, words: list[str], streams: Streams) -> int:
        """Run a function."""
        former, self.arguments = self.arguments, words
        try:
            return await self.command(self.functions[name], streams)
        except Jump as jump:
            if jump.kind != "return":
                raise
            return self.status
        finally:
            self.arguments = former

    # Simple commands

    async def _simple(self, command: Simple, streams: Streams) -> int:
        words = await expansion.fields(self, command.words)
        try:
            inner = await redirected(self, command.redirections, streams)
        except RedirectionFault as fault:
            self.complain(streams, str(fault))
            return 1
        if not words:
            return await self._assign(command, streams)
        if "x" in self.options:
            streams.err.write("+ " + " ".join(words) + "\n")
        return await self._run(command, words, inner)

    async def _assign(self, command: Simple, streams: Streams) -> int:
        substituted = self.substituted
        for name, word in command.assignments:  # `$?` in here is still that of the command before
            self.variables[name] = await expansion.text(self, word)
        if self.substituted == substituted:
            self.status = 0
        return self.status

    async def _run(self, command: Simple, words: list[str], streams: Streams) -> int:
        from op_readiness.simulator.programs.shell.builtins import BUILTINS

        given = {name: await expansion.text(self, word) for name, word in command.assignments}
        name, arguments = words[0], words[1:]
        if name in self.functions:
            self.variables.update(given)
            return await self.call(name, arguments, streams)
        if name in BUILTINS:
            former = {known: self.variables.get(known) for known in given}
            self.variables.update(given)
            try:
                return await BUILTINS[name](self, arguments, streams)
            finally:
                for known, value in former.items():
                    if value is None:
                        self.variables.pop(known, None)
                    else:
                        self.variables[known] = value
        return await self.program(words, streams, given)

    async def program(self, words: list[str], streams: Streams, given: dict[str, str] | None = None) -> int:
        """Run a program of the container; 127 with its name when there is none."""
        env = {name: self.variables[name] for name in self.exported if name in self.variables} | (given or {})
        child = self.process.child(
            words, env=env, cwd=self.process.cwd, stdin=streams.input.rest(), stdout=streams.out, stderr=streams.err
        )
        if self.last_command:
            child.pid1 = self.process.pid1
        try:
            found = find(child, words[0])
        except NotRunnable as error:
            texts = {"missing": "not found", "denied": "Permission denied", "format": "Exec format error"}
            self.complain(streams, f"{words[0]}: {texts[error.kind]}")
            return NOT_FOUND if error.kind == "missing" else NOT_EXECUTABLE
        if re.split(r"[/\\]", words[0])[-1].removesuffix(".exe") in READS_INPUT:
            streams.input.take_all()
        return await execute(child, found)


Runner = Callable[[Shell, Any, Streams], Awaitable[int]]
_RUNNERS: dict[type, Runner] = {
    Simple: Shell._simple, If: Shell._if, Loop: Shell._loop, For: Shell._for, Case: Shell._case, Group: Shell._group,
    Function: Shell._function, Redirected: Shell._redirected,
}  # fmt: skip
