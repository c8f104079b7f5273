"""How Go programs write things: durations, quoted strings, JSON, log lines, network errors.

agnhost and coredns are Go programs; what they print follows from Go's packages. Network errors differ by system, since
Go on Windows shows Winsock's words.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime

from op_readiness.simulator.network.interface import (
    NameFailure,
    NetworkFailure,
    NoRoute,
    Peer,
    Refused,
    Reset,
    TimedOut,
)

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)")
_DIAL = {
    "linux": {
        Refused: "connect: connection refused",
        NoRoute: "connect: network is unreachable",
        Reset: "read: connection reset by peer",
        TimedOut: "connect: connection timed out",
    },
    "windows": {
        Refused: "connectex: No connection could be made because the target machine actively refused it.",
        NoRoute: "connectex: A socket operation was attempted to an unreachable network.",
        Reset: "wsarecv: An existing connection was forcibly closed by the remote host.",
        TimedOut: "connectex: A connection attempt failed because the connected party did not properly respond after a "
        "period of time, or established connection failed because connected host has failed to respond.",
    },
}
_TRY_AGAIN = (
    "getaddrinfow: This is usually a temporary error during hostname resolution and means that the local server did "
    "not receive a response from an authoritative server."
)


class GoError(ValueError):
    """A value that a Go package refuses, in its words."""


def duration(text: str) -> float:
    """Seconds of a Go duration such as `1m30s`; raises GoError as time.ParseDuration."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    total = 0.0
    if not rest:
        raise GoError(f"time: invalid duration {quoted(text)}")
    while rest:
        number = _NUMBER.match(rest)
        if number is None:
            raise GoError(f"time: invalid duration {quoted(text)}")
        rest = rest[number.end() :]
        unit = re.match(r"[^\d.]*", rest)
        word = unit.group() if unit else ""
        if not word:
            raise GoError(f"time: missing unit in duration {quoted(text)}")
        if word not in _UNITS:
            raise GoError(f"time: unknown unit {quoted(word)} in duration {quoted(text)}")
        total += float(number.group()) * _UNITS[word]
        rest = rest[len(word) :]
    return -total if text.startswith("-") else total


def duration_text(seconds: float) -> str:
    """As Go prints a Duration: `1m30s`, `10.476347001s`, `1ms`, `0s`."""
    nanoseconds = round(abs(seconds) * 1e9)
    sign = "-" if seconds < 0 and nanoseconds else ""
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return sign + _decimal(nanoseconds, size) + unit
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = _decimal(rest, 1_000_000_000) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _decimal(value: int, size: int) -> str:
    whole, part = divmod(value, size)
    digits = str(part).rjust(len(str(size)) - 1, "0").rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def quoted(text: str) -> str:
    """As %q and strconv.Quote."""
    body = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f")
    return re.sub(r"\\u00([01][0-9a-f])", r"\\x\1", body)


def html_escaped(text: str) -> str:
    """As net/http escapes names and addresses in its small pages."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&#34;"), ("'", "&#39;")):
        text = text.replace(sign, entity)
    return text


def json_text(value: object) -> str:
    """As encoding/json: keys sorted, no blanks, <, > and & escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.replace("\ufffd", "\\ufffd")


def atoi(text: str, function: str = "Atoi") -> int:
    """strconv.Atoi; raises GoError in its words."""
    if re.fullmatch(r"[+-]?\d+", text) is None:
        raise GoError(f"strconv.{function}: parsing {quoted(text)}: invalid syntax")
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise GoError(f"strconv.{function}: parsing {quoted(text)}: value out of range")
    return value


def integer(text: str) -> int:
    """A pflag integer, `0x10` and `010` included; raises GoError as strconv.ParseInt."""
    try:
        return int(text, 8) if re.fullmatch(r"[+-]?0[0-7]+", text) else int(text, 0)
    except ValueError:
        raise GoError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax") from None


def boolean(text: str) -> bool:
    """strconv.ParseBool; raises GoError in its words."""
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    if text in ("0", "f", "F", "FALSE", "false", "False"):
        return False
    raise GoError(f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax")


def log_line(level: str, text: str, place: str = "log.go:244", pid: int = 1) -> str:
    """One klog line, ended unless it ends already. `level` is I, W, E or F."""
    moment = datetime.now(UTC)
    end = "" if text.endswith("\n") else "\n"
    return f"{level}{moment:%m%d %H:%M:%S.%f} {pid:7d} {place}] {text}{end}"


def time_text(started: float, now: float) -> str:
    """As Go prints time.Now(), the monotonic part being seconds since `started` on the cluster's clock."""
    nanoseconds = time.time_ns()
    moment = datetime.fromtimestamp(nanoseconds // 10**9, UTC)
    part = f".{nanoseconds % 10**9:09d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%d %H:%M:%S}{part} +0000 UTC m=+{now - started:.9f}"


def refused_by(os: str) -> str:
    """What a refused connect is called."""
    return _DIAL[os][Refused]


def dial_error(os: str, error: NetworkFailure, target: Peer, local: Peer | None = None, net: str = "tcp") -> str:
    """A failed dial or read as net.OpError prints it."""
    words = _DIAL[os].get(type(error), str(error))
    if isinstance(error, Reset):
        source = f"{local}->" if local is not None else ""
        return f"read {net} {source}{target}: {words}"
    return f"dial {net} {target}: {words}"


def lookup_error(os: str, error: NameFailure, name: str) -> str:
    """A failed name lookup as net.DNSError prints it, with the name as it was given."""
    server = f" on {error.server}:53" if error.server and os != "windows" else ""
    if os == "windows":
        return f"lookup {name}: " + ("no such host" if error.kind in ("nxdomain", "malformed") else _TRY_AGAIN)
    if error.kind == "malformed":
        return f"lookup {name}: no such host"
    if error.kind == "nxdomain":
        return f"lookup {name}{server}: no such host"
    if error.kind == "timeout":
        return f"lookup {name}{server}: read udp: i/o timeout"
    return f"lookup {name}{server}: server misbehaving"


def stack_trace(message: str) -> str:
    """The start of what a panic leaves on stderr."""
    return f"panic: {message}\n\ngoroutine 1 [running]:\nmain.main()\n"
