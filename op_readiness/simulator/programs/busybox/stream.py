"""sed, as far as scripts of s///, d, p, q, = with line and pattern addresses go; anything else is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

from op_readiness.simulator.programs.busybox.applet import complain, inputs, lines
from op_readiness.simulator.programs.process import Process


@dataclass
class Edit:
    """One command with its addresses (line numbers, `$` or patterns)."""

    first: str
    last: str
    negated: bool
    kind: str
    expression: re.Pattern[str] | None = None
    replacement: str = ""
    flags: str = ""
    inside: bool = False


class NotSimulated(Exception):
    """A command of sed that is not simulated."""


_ADDRESS = r"(\d+|\$|/(?:[^/\\]|\\.)*/)"
_COMMAND = re.compile(rf"\s*(?:{_ADDRESS}(?:,{_ADDRESS})?)?\s*(!?)\s*([sdpq=])")


async def sed(process: Process) -> int:
    """Edited lines: -n, -e, -E or -r, -i in place."""
    scripts, names, flags = [], [], set()
    words = list(process.argv[1:])
    while words:
        word = words.pop(0)
        if word in ("-e", "--expression") and words:
            scripts.append(words.pop(0))
        elif re.fullmatch(r"-[nErsi]+", word):
            flags |= set(word[1:])
        else:
            names.append(word)
    if not scripts and names:
        scripts.append(names.pop(0))
    try:
        edits = [edit for script in scripts for edit in _parse(script, bool(flags & {"E", "r"}))]
    except (NotSimulated, re.error) as error:
        complain(process, f"unsupported command: {error}")
        return 1
    failed: list[str] = []
    for name, data in inputs(process, names, failed):
        out = _edit(data, edits, "n" in flags)
        if "i" in flags and name != "-":
            process.files.write(process.path(name), out)
        else:
            process.stdout.write(out)
    return 1 if failed else 0


def _parse(script: str, extended: bool) -> list[Edit]:
    edits, at = [], 0
    while at < len(script):
        if script[at] in " ;\n\t":
            at += 1
            continue
        match = _COMMAND.match(script, at)
        if match is None:
            raise NotSimulated(script[at:])
        at = match.end()
        edit = Edit(match[1] or "", match[2] or "", bool(match[3]), match[4])
        if edit.kind == "s":
            at = _substitution(script, at, edit, extended)
        edits.append(edit)
    return edits


def _substitution(script: str, at: int, edit: Edit, extended: bool) -> int:
    mark = re.escape(script[at])
    body = rf"((?:[^{mark}\\]|\\.)*)"
    match = re.compile(rf"{mark}{body}{mark}{body}{mark}([gpiI\d]*)", re.S).match(script, at)
    if match is None:
        raise NotSimulated("unmatched delimiter")
    pattern = match[1].replace("\\" + script[at], script[at]) if script[at] not in "|+?(){}" else match[1]
    edit.expression = re.compile(_dialect(pattern, extended), re.I if "i" in match[3].lower() else 0)
    edit.replacement = re.sub(r"(?<!\\)&", r"\\g<0>", match[2]).replace("\\&", "&").replace("\\/", "/")
    edit.flags = match[3]
    return match.end()


def _dialect(pattern: str, extended: bool) -> str:
    if extended:
        return pattern
    return re.sub(r"\\([+?|(){}])|([+?|(){}])", lambda m: m[1] if m[1] else "\\" + m[2], pattern)


def _edit(data: bytes, edits: list[Edit], silent: bool) -> bytes:
    rows = lines(data)
    out: list[str] = []
    for number, raw in enumerate(rows, 1):
        text = raw.decode(errors="surrogateescape")
        row, end = text.rstrip("\n"), "\n" if text.endswith("\n") else ""
        deleted = stops = False
        for edit in edits:
            if _applies(edit, number, row, number == len(rows)) == edit.negated:
                continue
            if edit.kind == "s" and edit.expression is not None:
                row, count = edit.expression.subn(edit.replacement, row, count=0 if "g" in edit.flags else 1)
                if count and "p" in edit.flags:
                    out.append(row + end)
            elif edit.kind in "p=":
                out.append(f"{number}\n" if edit.kind == "=" else row + (end or "\n"))
            else:
                deleted, stops = edit.kind == "d", edit.kind == "q"
                break
        if not (deleted or silent):
            out.append(row + end)
        if stops:
            break
    return "".join(out).encode(errors="surrogateescape")


def _applies(edit: Edit, number: int, row: str, last: bool) -> bool:
    if not edit.first:
        return True
    if not edit.last:
        return _at(edit.first, number, row, last)
    if not edit.inside:
        edit.inside = _at(edit.first, number, row, last)
        return edit.inside
    edit.inside = not _at(edit.last, number, row, last)
    return True


def _at(address: str, number: int, row: str, last: bool) -> bool:
    if address == "$":
        return last
    if address.isdigit():
        return number == int(address)
    return re.search(_dialect(address[1:-1], False), row) is not None
