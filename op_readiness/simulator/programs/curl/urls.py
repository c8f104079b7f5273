"""curl's URLs: globbing of `[1-10]` and `{a,b}`, and what it says of a URL that it does not take."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from urllib.parse import quote

_RANGE = re.compile(r"(\d+)-(\d+)(?::(\d+))?$|([a-zA-Z])-([a-zA-Z])(?::(\d+))?$")
_IPV6 = re.compile(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%25?\w+)?$")
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_GLOBBED = 100_000


class BadUrl(Exception):
    """`code` is curl's exit code, the message what stands after it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Url:
    """A URL taken apart. `host` is without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str
    user: str = ""

    @property
    def tls(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"

    @property
    def netloc(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def globbed(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The URLs that a globbed one stands for, each with its parts (`#1`, `#2` in -o); raises BadUrl."""
    pieces: list[list[str]] = []
    numbered: list[int] = []
    rest, position = text, 0
    while rest:
        mark = re.search(r"[\[{\]}]", rest)
        if mark is None:
            pieces.append([rest])
            break
        if mark.start():
            pieces.append([rest[: mark.start()]])
        position = len(text) - len(rest) + mark.start() + 1
        rest = rest[mark.start() :]
        choices, rest = _choices(rest, position)
        if len(choices) > 1 or text[position - 1] == "{":
            numbered.append(len(pieces))
        pieces.append(choices)
    made = []
    for chosen in itertools.islice(itertools.product(*pieces), MAX_GLOBBED):
        made.append(("".join(chosen), tuple(chosen[i] for i in numbered)))
    return made


def _choices(rest: str, position: int) -> tuple[list[str], str]:
    closing = {"[": "]", "{": "}"}.get(rest[0])
    if closing is None:
        raise BadUrl(3, f"unmatched close brace/bracket in URL position {position}:")
    inner, found, after = rest[1:].partition(closing)
    if not found:
        raise BadUrl(3, f"unmatched brace in URL position {position}:" if closing == "}" else _bad_range(position))
    if closing == "}":
        return inner.split(","), after
    if _IPV6.match(inner):
        return [f"[{inner}]"], after
    span = _RANGE.match(inner)
    if span is None:
        raise BadUrl(3, _bad_range(position + 1))
    if span.group(1) is not None:
        first, last, step = int(span.group(1)), int(span.group(2)), int(span.group(3) or 1)
        width = len(span.group(1)) if span.group(1).startswith("0") else 0
        names = [str(n).zfill(width) for n in range(first, last + 1, max(1, step))]
    else:
        step = int(span.group(6) or 1)
        names = [chr(n) for n in range(ord(span.group(4)), ord(span.group(5)) + 1, max(1, step))]
    if not names:
        raise BadUrl(3, _bad_range(position + 1))
    return names, after


def _bad_range(position: int) -> str:
    return f"bad range in URL position {position}:"


def parse(text: str) -> Url:
    """A URL taken apart; raises BadUrl as curl does."""
    if re.search(r"[\x00-\x20]", text):
        raise BadUrl(3, "URL rejected: Malformed input to a URL function")
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    scheme = scheme.lower()
    if scheme not in DEFAULT_PORTS:
        raise BadUrl(1, f'Protocol "{scheme}" not supported')
    netloc, target = _split_path(rest)
    user, at, place = netloc.rpartition("@")
    host, port = _host_and_port(place, scheme)
    if not host:
        raise BadUrl(3, "URL rejected: No host part in the URL")
    return Url(scheme, host, port, quote(target, safe="!#$%&'()*+,/:;=?@[]~-._"), user if at else "")


def _split_path(rest: str) -> tuple[str, str]:
    found = re.search(r"[/?#]", rest)
    if found is None:
        return rest, "/"
    target = rest[found.start() :].partition("#")[0]
    if not target.startswith("/"):
        target = "/" + target
    return rest[: found.start()], target


def _host_and_port(place: str, scheme: str) -> tuple[str, int]:
    if place.startswith("["):
        host, bracket, tail = place[1:].partition("]")
        if not bracket or (tail and not tail.startswith(":")):
            raise BadUrl(3, "URL rejected: Bad IPv6 address")
        port = tail[1:]
    else:
        host, _, port = place.partition(":")
    if port and (not port.isdigit() or int(port) > 65535):
        raise BadUrl(3, "URL rejected: Port number was not a decimal number between 0 and 65535")
    return host, int(port) if port else DEFAULT_PORTS[scheme]
