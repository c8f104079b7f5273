"""Command lines as Windows passes them: one text, made from arguments by the runtime and cut again by programs."""

from __future__ import annotations

import re


def composed(words: list[str]) -> str:
    """The command line that a runtime makes of arguments: what has blanks is quoted, quotes get a backslash."""
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if word and not re.search(r'[ \t"]', word):
        return word
    inner = re.sub(r'(\\*)"', r'\1\1\\"', word)
    if not re.search(r"[ \t]", word) and word:
        return inner
    return '"' + re.sub(r"(\\+)$", r"\1\1", inner) + '"'


def cut(text: str) -> list[str]:
    """The arguments that a program's C runtime cuts out of a command line."""
    words: list[str] = []
    current, quoted, begun, at = "", False, False, 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            run = re.match(r"\\+", text[at:])
            count = len(run[0]) if run else 1
            at += count
            if text[at : at + 1] != '"':
                current, begun = current + "\\" * count, True
                continue
            current, begun = current + "\\" * (count // 2), True
            if count % 2:
                current += '"'
                at += 1
            continue
        at += 1
        if char == '"':
            if quoted and text[at : at + 1] == '"':
                current += '"'
                at += 1
            else:
                quoted = not quoted
            begun = True
        elif char in " \t" and not quoted:
            if begun:
                words.append(current)
            current, begun = "", False
        else:
            current, begun = current + char, True
    return [*words, current] if begun else words


def after_switch(words: list[str]) -> tuple[str | None, set[str]]:
    """What `cmd /c` or `/k` is to run, outer quotes taken off by its rules, and the switches; None without /c."""
    line = composed(words)
    match = re.search(r"(?:^|\s)((?:/[a-z](?::\w+)?\s*)*?)/([ck])\s?", " " + line, re.I)
    if match is None:
        return None, {word[1:2].lower() for word in words if word.startswith("/")}
    switches = {switch.lower() for switch in re.findall(r"/([a-z])", match[1], re.I)}
    return _without_quotes((" " + line)[match.end() :], "s" in switches), switches


def _without_quotes(text: str, always: bool) -> str:
    stripped = text.lstrip(" ")
    if not stripped.startswith('"'):
        return text
    keeps = (
        not always
        and stripped.count('"') == 2
        and not re.search(r"[&<>()@^|]", stripped)
        and re.fullmatch(r'"[^" ]+ [^"]*\.(exe|com|bat|cmd)".*', stripped, re.I)
    )
    if keeps:
        return text
    head, _, tail = stripped[1:].rpartition('"')
    return head + tail
