"""Text from a cluster made fit to show: nothing in it can colour a terminal, break XML or hide what follows.

Windows containers write ANSI sequences, NUL bytes and code pages. Colour sequences are dropped; every other character
that a terminal would act on, or that XML 1.0 forbids, becomes visible as an escape such as `\\x00`.
"""

from __future__ import annotations

import re

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|\x1b\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # titles, links
    r"|\x1b[PX^_][^\x1b]{0,4096}\x1b\\"  # device control strings
    r"|\x1b[ -/]?[0-~]"  # two-character sequences
)
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb"
    "\ufffe\uffff"
    + "".join(chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(1, 17))
    + "]"
)
_ASCII = {
    "…": "...", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "→": "->", "·": "-", "×": "x", "≥": ">=", "≤": "<=",
    "✓": "+", "✗": "x", "─": "-", "│": "|",
}  # fmt: skip


def visible(text: object) -> str:
    """The text on any number of lines, safe to print and to put into XML."""
    plain = _ANSI.sub("", str(text).replace("\r\n", "\n"))
    return _UNFIT.sub(_escape, plain)


def one_line(text: object, most: int = 0) -> str:
    """The text as one line, white space run together; cut in the middle when longer than `most` (0: as it is)."""
    line = " ".join(visible(text).split())
    if not most or len(line) <= most:
        return line
    head = (most - 3) * 2 // 3
    return f"{line[:head]}...{line[len(line) - (most - 3 - head):]}"


def cut(text: str, most: int) -> str:
    """At most about `most` characters, the middle left out with a mark that says how much."""
    if len(text) <= most:
        return text
    head, tail = most * 2 // 3, most // 3
    return f"{text[:head]}\n[... {len(text) - head - tail} characters left out ...]\n{text[-tail:]}"


def to_ascii(text: str) -> str:
    """The ASCII twin: typographic characters spelled out, all others as escapes."""
    for character, spelled in _ASCII.items():
        text = text.replace(character, spelled)
    return text.encode("ascii", "backslashreplace").decode("ascii")


def seconds(value: float) -> str:
    """A duration as people say it: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 ability`, `2 abilities`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
