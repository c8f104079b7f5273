"""cmd.exe at work: runs what the parser has read. Its own commands write CRLF; its errors are English Windows texts."""

from __future__ import annotations

import asyncio
import errno
import random
import re
import time
from dataclasses import replace

from op_readiness.simulator.domain.sharing import reach
from op_readiness.simulator.programs.cmd.commandline import cut
from op_readiness.simulator.programs.cmd.parser import BLANK, Unexpected, expanded, parse
from op_readiness.simulator.programs.cmd.syntax import Block, Command, For, If, Joined, Redirection, Simple
from op_readiness.simulator.programs.files import PathMissing
from op_readiness.simulator.programs.process import Process, Sink
from op_readiness.simulator.programs.running import NotRunnable, execute, find, variable
from op_readiness.simulator.programs.shell.interpreter import READS_INPUT, REST_SECONDS, TURNS_BEFORE_REST
from op_readiness.simulator.programs.shell.streams import Input, RedirectionFault, Streams, open_output

NOT_RECOGNIZED = 9009
UNEXPECTED = 255
FILE_MISSING = "The system cannot find the file specified."
PATH_MISSING = "The system cannot find the path specified."
_ERRORS = {
    errno.ENOENT: FILE_MISSING, errno.EACCES: "Access is denied.", errno.EISDIR: "Access is denied.",
    errno.ENOTDIR: PATH_MISSING, errno.EROFS: "Access is denied.", errno.ENOTEMPTY: "The directory is not empty.",
    errno.EBUSY: "The process cannot access the file because it is being used by another process.",
}  # fmt: skip


def error_text(error: OSError) -> str:
    """Windows' words for an error."""
    if isinstance(error, PathMissing):
        return PATH_MISSING
    return _ERRORS.get(error.errno or 0, error.strerror or str(error))


class Leave(Exception):
    """exit: ends cmd with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Cmd:
    """The state of one cmd.exe."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.errorlevel = 0
        self.loop_variables: dict[str, str] = {}
        self.folders: list[str] = []
        self.echoes = False

    async def run_text(self, text: str, streams: Streams) -> int:
        """Run lines; the exit code of cmd."""
        try:
            for line in _lines(text):
                await self.line(line, streams)
        except Leave as leave:
            return leave.code
        return 1 if self.errorlevel == NOT_RECOGNIZED else self.errorlevel

    async def line(self, line: str, streams: Streams) -> None:
        """Run one line: percent signs are replaced once, before anything runs."""
        try:
            command = parse(expanded(line, self.value))
        except Unexpected as error:
            streams.err.write(f"{error}\r\n")
            self.errorlevel = UNEXPECTED if "unexpected" in str(error) else 1
            raise Leave(self.errorlevel) from None
        if command is not None:
            await self.command(command, streams)

    def value(self, name: str) -> str | None:
        """A variable, its dynamic ones included; None if it is not set."""
        known = variable(self.process, name)
        if known is not None:
            return known
        user = self.process.user or "ContainerAdministrator"
        dynamic = {
            "ERRORLEVEL": str(self.errorlevel), "CD": self.process.cwd, "RANDOM": str(random.randint(0, 32767)),
            "DATE": time.strftime("%a %m/%d/%Y", time.gmtime()), "TIME": time.strftime("%H:%M:%S.00", time.gmtime()),
            "COMPUTERNAME": self.process.hostname[:15].upper(), "USERNAME": user.rpartition("\\")[2],
            "USERDOMAIN": user.rpartition("\\")[0] or "User Manager", "OS": "Windows_NT", "SYSTEMDRIVE": "C:",
            "SYSTEMROOT": "C:\\Windows", "WINDIR": "C:\\Windows", "COMSPEC": "C:\\Windows\\system32\\cmd.exe",
            "PATHEXT": ".COM;.EXE;.BAT;.CMD", "PROCESSOR_ARCHITECTURE": "AMD64",
        }  # fmt: skip
        return dynamic.get(name.upper())

    def set(self, name: str, value: str | None) -> None:
        """Set or (None) remove a variable, whatever the case of its name."""
        for known in [known for known in self.process.env if known.upper() == name.upper()]:
            name = known
        if value is None:
            self.process.env.pop(name, None)
        else:
            self.process.env[name] = value

    def filled(self, text: str) -> str:
        """The text with the variables of running `for` loops."""
        if not self.loop_variables or "%" not in text:
            return text
        return re.sub(
            r"%{1,2}(~?)([a-zA-Z])", lambda m: self._loop_value(m[0], m[2], bool(m[1])), text
        )

    def _loop_value(self, whole: str, name: str, bare: bool) -> str:
        value = self.loop_variables.get(name)
        if value is None:
            return whole
        return value.strip('"') if bare else value

    async def command(self, command: Command, streams: Streams) -> None:
        """Run a command; its result is the error level."""
        if isinstance(command, Simple):
            await self._simple(command, streams)
        elif isinstance(command, Joined):
            await self._joined(command, streams)
        elif isinstance(command, Block):
            inner = self._redirected(command.redirections, streams)
            if inner is not None:
                await self.command(command.body, inner)
        elif isinstance(command, If):
            await self._if(command, streams)
        else:
            await self._for(command, streams)

    async def _joined(self, command: Joined, streams: Streams) -> None:
        if command.operator == "|":
            sink = Sink()
            await self.copy().contained(command.left, replace(streams, out=sink))
            right = self.copy()
            self.errorlevel = await right.contained(command.right, replace(streams, input=Input(bytes(sink.data))))
            return
        await self.command(command.left, streams)
        failed = self.errorlevel != 0
        if command.operator == "&" or (command.operator == "&&") != failed:
            await self.command(command.right, streams)

    def copy(self) -> Cmd:
        """A cmd for one side of a pipe."""
        other = Cmd(replace(self.process, env=dict(self.process.env)))
        other.errorlevel, other.loop_variables = self.errorlevel, dict(self.loop_variables)
        return other

    async def contained(self, command: Command, streams: Streams) -> int:
        """Run a command; `exit` leaves only this cmd."""
        try:
            await self.command(command, streams)
        except Leave as leave:
            return leave.code
        return self.errorlevel

    async def _if(self, command: If, streams: Streams) -> None:
        holds = self._holds([self.filled(word) for word in command.condition], command.ignore_case)
        if holds != command.negated:
            await self.command(command.body, streams)
        elif command.otherwise is not None:
            await self.command(command.otherwise, streams)

    def _holds(self, words: list[str], ignore_case: bool) -> bool:
        kind, first = words[0], words[1]
        if kind == "errorlevel":
            return self.errorlevel >= int(first or 0)
        if kind == "exist":
            return self.exists(first.strip('"'))
        if kind == "defined":
            return self.value(first) is not None
        left, right = first, words[2]
        if ignore_case:
            left, right = left.lower(), right.lower()
        if kind == "==":
            return left == right
        numbers = re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right)
        order = (int(left) > int(right)) - (int(left) < int(right)) if numbers else (left > right) - (left < right)
        wanted = {"equ": (0,), "neq": (-1, 1), "lss": (-1,), "leq": (-1, 0), "gtr": (1,), "geq": (0, 1)}
        return order in wanted[kind]

    def exists(self, name: str) -> bool:
        """Whether a file is there; `*` and `?` count."""
        if "*" in name or "?" in name:
            from op_readiness.simulator.programs.cmd.names import matching

            return bool(matching(self.process, name))
        return self.process.files.exists(self.process.path(name))

    async def _for(self, command: For, streams: Streams) -> None:
        from op_readiness.simulator.programs.cmd.loops import values_of

        former = dict(self.loop_variables)
        for turns, values in enumerate(await values_of(self, command, streams), 1):
            for offset, value in enumerate(values):
                self.loop_variables[chr(ord(command.variable) + offset)] = value
            await self.command(command.body, streams)
            if turns % TURNS_BEFORE_REST == 0:
                await self.process.clock.sleep(REST_SECONDS)
            else:
                await asyncio.sleep(0)
        self.loop_variables = former

    async def _simple(self, command: Simple, streams: Streams) -> None:
        from op_readiness.simulator.programs.cmd.builtins import BUILTINS

        await reach(self.process, self.filled(" ".join([command.text, *(one.target for one in command.redirections)])))
        inner = self._redirected(command.redirections, streams)
        if inner is None:
            return
        text = self.filled(command.text)
        name, rest = _name_and_rest(text)
        builtin = BUILTINS.get(name.lower())
        if builtin is not None:
            code = await builtin(self, rest, inner)
            self.errorlevel = self.errorlevel if code is None else code
            return
        await self.program(text, inner)

    async def program(self, text: str, streams: Streams) -> None:
        """Run a program of the container."""
        words = cut(text)
        if not words:
            return
        child = self.process.child(
            words, env=dict(self.process.env), cwd=self.process.cwd, stdin=streams.input.rest(), stdout=streams.out,
            stderr=streams.err,
        )  # fmt: skip
        try:
            found = find(child, words[0], extensions_only=True)
        except NotRunnable as error:
            self.errorlevel = NOT_RECOGNIZED
            what = "is not simulated." if error.kind == "format" else (
                "is not recognized as an internal or external command,\r\noperable program or batch file."
            )
            streams.err.write(f"'{words[0]}' {what}\r\n")
            return
        if re.split(r"[/\\]", words[0])[-1].lower().removesuffix(".exe") in READS_INPUT:
            streams.input.take_all()
        self.errorlevel = await execute(child, found)

    def _redirected(self, redirections: tuple[Redirection, ...], streams: Streams) -> Streams | None:
        """The streams after redirections; None, with the error told, when one cannot be."""
        for redirection in redirections:
            target = self.filled(redirection.target)
            try:
                if redirection.operator == ">&":
                    streams = streams.with_fd(redirection.fd, streams.sink(int(target)))
                elif redirection.operator == "<":
                    data = self.process.files.read(self.process.path(target))
                    streams = streams.with_fd(redirection.fd, Input(data))
                else:
                    sink = open_output(self.process, target, redirection.operator == ">>")
                    streams = streams.with_fd(redirection.fd, sink)
            except OSError as error:
                streams.err.write(error_text(error) + "\r\n")
                self.errorlevel = 1
                return None
            except RedirectionFault as fault:
                streams.err.write(f"{fault}\r\n")
                self.errorlevel = 1
                return None
        return streams


def _name_and_rest(text: str) -> tuple[str, str]:
    """The name of an internal command and all that follows, the separator included."""
    stripped = text.lstrip(BLANK)
    match = re.match(r"[^\s\"/\\.:;,=+\[\]()<>|&]+", stripped)
    name = match[0] if match else ""
    rest = stripped[len(name) :]
    if name.lower() not in ("echo", "cd", "chdir", "md", "rd") and rest[:1] in (".", ":", "\\"):
        return "", stripped
    return name, rest


def _lines(text: str) -> list[str]:
    """Logical lines: an open parenthesis or a caret at the end goes on."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if lines and (lines[-1].endswith("^") or _open(lines[-1])):
            lines[-1] = lines[-1].removesuffix("^") + ("" if lines[-1].endswith("^") else "\n") + line
        elif line.strip():
            lines.append(line)
    return lines


def _open(line: str) -> bool:
    bare = re.sub(r'"[^"]*"', "", line)
    return bare.count("(") > bare.count(")") and re.match(r"\s*@?(if|for|\()", line, re.I) is not None
