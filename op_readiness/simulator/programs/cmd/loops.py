"""What `for` goes over: words and files, numbers (/L), lines of a file, a text or a command's output (/F)."""

from __future__ import annotations

import re
from dataclasses import replace

from op_readiness.simulator.programs.cmd.interpreter import FILE_MISSING, Cmd
from op_readiness.simulator.programs.cmd.names import matching
from op_readiness.simulator.programs.cmd.parser import BLANK
from op_readiness.simulator.programs.cmd.syntax import For
from op_readiness.simulator.programs.process import Sink
from op_readiness.simulator.programs.shell.streams import Streams


async def values_of(cmd: Cmd, command: For, streams: Streams) -> list[list[str]]:
    """For each turn the values of the loop's variables."""
    items = cmd.filled(command.items)
    if command.kind == "l":
        return [[str(number)] for number in _numbers(items)]
    if command.kind == "f":
        return _tokens(await _source(cmd, items.strip(), command.options, streams), command.options)
    if command.kind:
        streams.err.write(f"for /{command.kind} is not simulated.\r\n")
        cmd.errorlevel = 1
        return []
    values: list[list[str]] = []
    for word in re.findall(r'"[^"]*"|[^\s,;=]+', items):
        if "*" in word or "?" in word:
            folder = word.replace("/", "\\").rpartition("\\")[0]
            for path in matching(cmd.process, word.strip('"')):
                name = cmd.process.files.parts(path)[-1]
                values.append([f"{folder}\\{name}" if folder else name])
        else:
            values.append([word])
    return values


def _numbers(items: str) -> range:
    words = [int(word) if re.fullmatch(r"[+-]?\d+", word) else 0 for word in re.split(f"[{BLANK}]+", items.strip())]
    first, step, last = [*words, 0, 0, 0][:3]
    if step == 0:
        return range(0)
    return range(first, last + (1 if step > 0 else -1), step)


async def _source(cmd: Cmd, items: str, options: str, streams: Streams) -> str:
    back = "usebackq" in options.lower()
    quote = items[:1]
    if quote == ("`" if back else "'"):
        sink = Sink()
        await cmd.copy().run_text(items.strip(quote), replace(streams, out=sink))
        return bytes(sink.data).decode(errors="replace")
    if quote == ("'" if back else '"'):
        return items.strip(quote)
    try:
        return cmd.process.files.read(cmd.process.path(items.strip('"'))).decode(errors="replace")
    except OSError:
        streams.err.write(f"{FILE_MISSING}\r\n")
        cmd.errorlevel = 1
        return ""


def _tokens(text: str, options: str) -> list[list[str]]:
    wanted = re.search(r"tokens=([\d,*-]+)", options, re.I)
    delims = re.search(r"delims=([^\"]*?)(?:\"|\s+(?:tokens|skip|eol)=|$)", options, re.I)
    skip = re.search(r"skip=(\d+)", options, re.I)
    separators = delims[1] if delims else " \t"
    rows = text.replace("\r\n", "\n").split("\n")[int(skip[1]) if skip else 0 :]
    return [picked for row in rows if row and (picked := _picked(row, separators, wanted[1] if wanted else "1"))]


def _picked(row: str, separators: str, wanted: str) -> list[str]:
    pieces = [p for p in re.split(f"[{re.escape(separators)}]+", row) if p] if separators else [row]
    values: list[str] = []
    for spec in wanted.rstrip("*").split(","):
        first, dash, last = spec.partition("-")
        if first:
            for number in range(int(first), (int(last) if dash and last else int(first)) + 1):
                values.append(pieces[number - 1] if number <= len(pieces) else "")
    if wanted.endswith("*"):
        count = max((int(n) for n in re.findall(r"\d+", wanted)), default=0)
        rest = re.match(rf"(?:[^{re.escape(separators)}]+[{re.escape(separators)}]+){{{count}}}", row)
        values.append(row[rest.end() :] if rest else "")
    return values if any(values) else []
