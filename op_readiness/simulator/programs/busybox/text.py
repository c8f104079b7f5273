"""Applets that turn text into text: cat, head, tail, wc, sort, uniq, tr, cut, grep, rev, tac, tee."""

from __future__ import annotations

import re
from itertools import groupby

from op_readiness.simulator.programs.busybox.applet import complain, error_text, inputs, lines, options
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.shell.printing import unescaped

_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z",
    "space": " \\t\\n\\r\\v\\f",
    "punct": "!-/:-@[-`{-~", "blank": " \\t",
}  # fmt: skip


async def cat(process: Process) -> int:
    """Files one after the other."""
    given, names = options(process.argv[1:], "nuvteAE")
    failed: list[str] = []
    number = 0
    for _, data in inputs(process, names, failed):
        if "n" not in given:
            process.stdout.write(data)
            continue
        for line in lines(data):
            number += 1
            process.stdout.write(f"{number:6d}\t".encode() + line)
    return 1 if failed else 0


async def head(process: Process) -> int:
    """The first lines (-n) or bytes (-c)."""
    return _ends(process, first=True)


async def tail(process: Process) -> int:
    """The last lines; `+N` starts there. -f goes on reading for ever."""
    status = _ends(process, first=False)
    if any(word.startswith("-") and not word.startswith("--") and "f" in word for word in process.argv[1:]):
        await _follow(process)
    return status


def _ends(process: Process, first: bool) -> int:
    words = [re.sub(r"^-(\d+)$", r"-n\1", word) for word in process.argv[1:]]
    given, names = options(words, "qvfF", "nc")
    text = given.get("c", given.get("n", "10"))
    failed: list[str] = []
    for name, data in inputs(process, names, failed):
        if len(names) > 1 and "q" not in given:
            process.stdout.write(f"==> {name} <==\n")
        pieces = [data[i : i + 1] for i in range(len(data))] if "c" in given else lines(data)
        process.stdout.write(b"".join(_slice(pieces, text, first)))
    return 1 if failed else 0


def _slice(pieces: list[bytes], text: str, first: bool) -> list[bytes]:
    count = int(text.lstrip("+-") or 0)
    if first:
        return pieces[:-count] if text.startswith("-") and count else pieces[:count]
    if text.startswith("+"):
        return pieces[max(0, count - 1) :]
    return pieces[-count:] if count else []


async def _follow(process: Process) -> None:
    names = [process.path(word) for word in process.argv[1:] if not word.startswith("-")]
    sizes = {name: len(process.files.read(name)) for name in names if process.files.exists(name)}
    while True:
        await process.clock.sleep(1)
        for name in names:
            if process.files.exists(name):
                data = process.files.read(name)
                process.stdout.write(data[sizes.get(name, 0) :])
                sizes[name] = len(data)


async def wc(process: Process) -> int:
    """Lines, words, bytes."""
    given, names = options(process.argv[1:], "lwcm")
    kinds = [kind for kind in "lwc" if kind in given or (kind == "c" and "m" in given)] or list("lwc")
    failed: list[str] = []
    totals = dict.fromkeys("lwc", 0)
    rows = 0
    for name, data in inputs(process, names, failed):
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data)}
        rows += 1
        totals = {kind: totals[kind] + counts[kind] for kind in counts}
        process.stdout.write(_counts(counts, kinds, name if names else ""))
    if rows > 1:
        process.stdout.write(_counts(totals, kinds, "total"))
    return 1 if failed else 0


def _counts(counts: dict[str, int], kinds: list[str], name: str) -> str:
    if len(kinds) == 1:
        return f"{counts[kinds[0]]}{' ' + name if name else ''}\n"
    return " ".join(f"{counts[kind]:9d}" for kind in kinds) + f"{' ' + name if name else ''}\n"


async def sort(process: Process) -> int:
    """Sorted lines: -n numbers, -r backwards, -u once each, -k FIELD, -t SEPARATOR."""
    given, names = options(process.argv[1:], "nruf", "kto")
    failed: list[str] = []
    data = b"".join(piece for _, piece in inputs(process, names, failed))
    rows = [line.rstrip(b"\n") for line in lines(data)]
    rows.sort(key=lambda row: _sort_key(row, given), reverse="r" in given)
    if "u" in given:
        rows = [next(group) for _, group in groupby(rows, key=lambda row: _sort_key(row, given))]
    process.stdout.write(b"".join(row + b"\n" for row in rows))
    return 1 if failed else 0


def _sort_key(row: bytes, given: dict[str, str]) -> tuple[float, bytes]:
    if "k" in given:
        column = int(re.match(r"\d+", given["k"] + "1")[0])  # type: ignore[index]
        pieces = row.split(given["t"].encode()) if "t" in given else row.split()
        row = b" ".join(pieces[column - 1 :])
    if "f" in given:
        row = row.upper()
    if "n" not in given:
        return 0.0, row
    number = re.match(rb"\s*-?\d+(\.\d+)?", row)
    return (float(number[0]) if number else 0.0), row


async def uniq(process: Process) -> int:
    """Neighbours once: -c counts, -d doubled ones alone, -u single ones alone."""
    given, names = options(process.argv[1:], "cdui")
    failed: list[str] = []
    data = b"".join(piece for _, piece in inputs(process, names[:1], failed))
    for row, group in groupby(line.rstrip(b"\n") for line in lines(data)):
        count = len(list(group))
        if ("d" in given and count < 2) or ("u" in given and count > 1):
            continue
        process.stdout.write((f"{count:7d} ".encode() if "c" in given else b"") + row + b"\n")
    return 1 if failed else 0


async def tr(process: Process) -> int:
    """Characters replaced, deleted (-d) or squeezed (-s)."""
    given, sets = options(process.argv[1:], "cdsC")
    first = _characters(sets[0]) if sets else b""
    second = _characters(sets[1]) if len(sets) > 1 else b""
    if "c" in given or "C" in given:
        first = bytes(byte for byte in range(256) if byte not in first)
    data = process.stdin
    if "d" in given:
        data = data.translate(None, delete=first)
    elif second:
        filled = (second + second[-1:] * len(first))[: len(first)]
        data = data.translate(bytes.maketrans(first, filled))
    if "s" in given:
        squeezed = second or first
        data = re.sub(b"([" + b"".join(re.escape(bytes([b])) for b in squeezed) + b"])\\1+", b"\\1", data)
    process.stdout.write(data)
    return 0


def _characters(text: str) -> bytes:
    text = re.sub(r"\[:(\w+):\]", lambda m: _CLASSES.get(m[1], ""), text)
    data = unescaped(text)
    out = bytearray()
    at = 0
    while at < len(data):
        if at + 2 < len(data) and data[at + 1] == ord("-") and data[at + 2] >= data[at]:
            out += bytes(range(data[at], data[at + 2] + 1))
            at += 3
        else:
            out.append(data[at])
            at += 1
    return bytes(out)


async def cut(process: Process) -> int:
    """Fields (-f, -d), characters (-c) or bytes (-b) of each line."""
    given, names = options(process.argv[1:], "sn", "fdcb")
    failed: list[str] = []
    spans = _spans(given.get("f") or given.get("c") or given.get("b") or "")
    joint = given.get("d", "\t").encode()
    for _, data in inputs(process, names, failed):
        for line in lines(data):
            row = line.rstrip(b"\n")
            if "f" not in given:
                kept = b"".join(row[i : i + 1] for i in range(len(row)) if _in(spans, i + 1))
            elif joint not in row:
                if "s" in given:
                    continue
                kept = row
            else:
                kept = joint.join(piece for i, piece in enumerate(row.split(joint), 1) if _in(spans, i))
            process.stdout.write(kept + b"\n")
    return 1 if failed else 0


def _spans(text: str) -> list[tuple[int, int]]:
    spans = []
    for piece in text.split(","):
        first, dash, last = piece.partition("-")
        low = int(first) if first else 1
        spans.append((low, int(last) if last else (10**9 if dash else low)))
    return spans


def _in(spans: list[tuple[int, int]], number: int) -> bool:
    return any(low <= number <= high for low, high in spans)


async def grep(process: Process) -> int:
    """Lines that fit: -i -v -c -q -l -n -o -w -x -F -E -h -H -s -m N -e PATTERN -A/-B ignored; 1 when none does."""
    given, words = options(process.argv[1:], "ivcqlnowxFEhHsrL", "em")
    if "e" in given:
        words.insert(0, given["e"])
    if not words:
        complain(process, "no pattern")
        return 2
    expression = _expression(words[0], given, process.argv[0])
    failed: list[str] = []
    found = False
    names = words[1:]
    for name, data in inputs(process, names, failed):
        shown = f"{name}:".encode() if (len(names) > 1 or "H" in given) and "h" not in given else b""
        found = _grep_one(process, data, expression, given, name, shown) or found
    return 0 if found else 2 if failed else 1


def _expression(text: str, given: dict[str, str], program: str) -> re.Pattern[bytes]:
    extended = "E" in given or "egrep" in program
    if "F" in given or "fgrep" in program:
        text = "|".join(re.escape(piece) for piece in text.split("\n"))
    elif not extended:
        text = re.sub(r"\\([+?|(){}])|([+?|(){}])", lambda m: m[1] if m[1] else "\\" + m[2], text)
    text = re.sub(r"\[:(\w+):\]", lambda m: _CLASSES.get(m[1], ""), text)
    if "w" in given:
        text = rf"\b(?:{text})\b"
    if "x" in given:
        text = f"^(?:{text})$"
    return re.compile(text.encode(errors="surrogateescape"), re.I if "i" in given else 0)


def _grep_one(
    process: Process, data: bytes, expression: re.Pattern[bytes], given: dict[str, str], name: str, shown: bytes
) -> bool:
    count = 0
    limit = int(given["m"]) if "m" in given else 10**9
    quiet = any(option in given for option in "qclL")
    for number, line in enumerate(lines(data), 1):
        row = line.rstrip(b"\n")
        if (expression.search(row) is None) != ("v" in given):
            continue
        count += 1
        if not quiet:
            prefix = shown + (f"{number}:".encode() if "n" in given else b"")
            pieces = [m[0] for m in expression.finditer(row)] if "o" in given else [row]
            process.stdout.write(b"".join(prefix + piece + b"\n" for piece in pieces))
        if count >= limit:
            break
    if "c" in given and "q" not in given:
        process.stdout.write(shown + f"{count}\n".encode())
    if "l" in given and count:
        process.stdout.write(f"{name}\n")
    return count > 0


async def rev(process: Process) -> int:
    """Each line backwards."""
    for line in lines(process.stdin):
        process.stdout.write(line.rstrip(b"\n")[::-1] + b"\n")
    return 0


async def tac(process: Process) -> int:
    """Lines, the last first."""
    failed: list[str] = []
    for _, data in inputs(process, process.argv[1:], failed):
        process.stdout.write(b"".join(reversed(lines(data))))
    return 1 if failed else 0


async def tee(process: Process) -> int:
    """Standard input to standard output and files (-a appends)."""
    given, names = options(process.argv[1:], "ai")
    status = 0
    for name in names:
        try:
            process.files.write(process.path(name), process.stdin, append="a" in given)
        except OSError as error:
            complain(process, f"can't open '{name}': {error_text(error)}")
            status = 1
    process.stdout.write(process.stdin)
    return status
