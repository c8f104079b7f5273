"""echo and printf as BusyBox has them."""

from __future__ import annotations

import re

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "e": "\x1b"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|0([0-7]{0,3})|([1-7][0-7]{0,2})|(.))", re.S)
_DIRECTIVE = re.compile(r"%(?:%|([-+ #0]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z]))")


def echo_text(words: list[str]) -> bytes:
    """What `echo` writes: -n, -e and -E are options as long as they stand first."""
    newline, escapes = True, False
    rest = list(words)
    while rest and re.fullmatch(r"-[neE]+", rest[0]):
        for letter in rest.pop(0)[1:]:
            newline = newline and letter != "n"
            escapes = letter == "e" or (escapes and letter != "E")
    text = " ".join(rest)
    if escapes:
        text, cut, _ = text.partition("\\c")
        newline = newline and not cut
        return unescaped(text) + (b"\n" if newline else b"")
    return text.encode(errors="surrogateescape") + (b"\n" if newline else b"")


def unescaped(text: str) -> bytes:
    """Backslash escapes turned into bytes."""
    out, at = bytearray(), 0
    for match in _ESCAPE.finditer(text):
        out += text[at : match.start()].encode(errors="surrogateescape")
        hexadecimal, zero, octal, letter = match.groups()
        if hexadecimal:
            out.append(int(hexadecimal, 16))
        elif zero is not None or octal:
            out.append(int(zero or octal or "0", 8) & 0xFF)
        else:
            out += _ESCAPES.get(letter, "\\" + letter).encode(errors="surrogateescape")
        at = match.end()
    return bytes(out + text[at:].encode(errors="surrogateescape"))


def printf_text(template: str, arguments: list[str]) -> tuple[bytes, list[str]]:
    """What `printf` writes and what it complains of; the format is used again as long as arguments are left."""
    out, problems = bytearray(), list[str]()
    rest = list(arguments)
    while True:
        before = len(rest)
        out += _once(template, rest, problems)
        if not rest or len(rest) == before:
            return bytes(out), problems


def _once(template: str, rest: list[str], problems: list[str]) -> bytes:
    out, at = bytearray(), 0
    for match in _DIRECTIVE.finditer(template):
        out += unescaped(template[at : match.start()])
        at = match.end()
        if match.group(4) is None:
            out += b"%"
            continue
        flags, width, precision, kind = match.groups()
        width = (rest.pop(0) if rest else "0") if width == "*" else width
        precision = (rest.pop(0) if rest else "0") if precision == "*" else precision
        out += _one(flags, width, precision, kind, rest.pop(0) if rest else None, problems)
    return bytes(out + unescaped(template[at:]))


def _one(
    flags: str, width: str, precision: str | None, kind: str, argument: str | None, problems: list[str]
) -> bytes:
    spec = "%" + flags + width + ("" if precision is None else "." + precision)
    if kind in "sb":
        text = argument or ""
        value = unescaped(text).decode(errors="surrogateescape") if kind == "b" else text
        return (spec + "s").__mod__(value).encode(errors="surrogateescape")
    if kind == "c":
        return (argument or "")[:1].encode()
    try:
        if kind in "diuxXo":
            return (spec + ("d" if kind == "u" else kind)).__mod__(_integer(argument or "0")).encode()
        if kind in "feEgG":
            return (spec + kind).__mod__(float(argument or "0")).encode()
    except ValueError:
        problems.append(f"invalid number '{argument}'")
        return (spec + ("d" if kind in "diu" else kind)).__mod__(0).encode()
    problems.append(f"%{kind}: invalid format")
    return b""


def _integer(text: str) -> int:
    if text[:1] in ("'", '"'):
        return ord(text[1:2] or "\0")
    return int(text, 8) if re.fullmatch(r"0[0-7]+", text) else int(text, 0)
