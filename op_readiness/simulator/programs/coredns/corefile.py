"""Corefiles: server blocks with their zones, ports and plugins, read as CoreDNS reads them.

A plugin that is not simulated is refused by name, as an unknown one is: a Corefile never half works.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

PLUGINS = (
    "any", "bind", "cache", "cancel", "debug", "errors", "forward", "health", "hosts", "kubernetes", "loadbalance",
    "log", "loop", "prometheus", "ready", "reload",
)  # fmt: skip
NOT_SIMULATED = (
    "acl", "auto", "autopath", "bufsize", "chaos", "dns64", "dnssec", "dnstap", "erratic", "etcd", "file", "geoip",
    "grpc", "header", "import", "k8s_external", "local", "metadata", "minimal", "multisocket", "nsid", "pprof",
    "quic", "rewrite", "root", "route53", "secondary", "sign", "template", "timeouts", "tls", "trace", "transfer",
    "tsig", "view", "whoami", "azure", "clouddns",
)  # fmt: skip


class BadCorefile(Exception):
    """CoreDNS's own words, file and line included."""


@dataclass(frozen=True)
class Line:
    """The words of one line and where it stands."""

    words: tuple[str, ...]
    number: int


@dataclass
class Directive:
    """A plugin's line and the lines of its block."""

    name: str
    arguments: tuple[str, ...]
    number: int
    body: list[Line] = field(default_factory=list)

    def options(self, name: str) -> list[tuple[str, ...]]:
        """The arguments of each line of the block that starts with `name`."""
        return [line.words[1:] for line in self.body if line.words[0] == name]


@dataclass
class Block:
    """One server block. Zones have their last dot; `keys` are (zone, port)."""

    keys: list[tuple[str, int]]
    directives: list[Directive] = field(default_factory=list)

    def find(self, name: str) -> Directive | None:
        """The plugin of that name."""
        return next((d for d in self.directives if d.name == name), None)


def parse(text: str, path: str, env: dict[str, str], default_port: int = 53) -> list[Block]:
    """The server blocks; raises BadCorefile."""
    blocks: list[Block] = []
    rest = _lines(text, env)
    for line in rest:
        if line.words[-1] != "{":
            raise BadCorefile(f"{path}:{line.number} - Error during parsing: Unexpected token '{line.words[0]}'")
        keys = [_key(word.rstrip(","), default_port) for word in line.words[:-1]]
        blocks.append(Block(keys or [(".", default_port)], list(_directives(rest, path))))
    return blocks


def _lines(text: str, env: dict[str, str]) -> Iterator[Line]:
    for number, raw in enumerate(text.splitlines(), 1):
        filled = re.sub(r"\{\$(\w+)\}|\{%(\w+)%\}", lambda m: env.get(m.group(1) or m.group(2), ""), raw)
        lexer = shlex.shlex(filled, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters, lexer.quotes = True, "#", '"'
        words = tuple(lexer)
        if len(words) > 1 and words[-1] == "}":
            yield Line(words[:-1], number)
            yield Line(("}",), number)
        elif words:
            yield Line(words, number)


def _directives(lines: Iterator[Line], path: str) -> Iterator[Directive]:
    for line in lines:
        name, *arguments = line.words
        if name == "}":
            return
        if name not in PLUGINS:
            reason = f"directive '{name}' is not simulated" if name in NOT_SIMULATED else f"Unknown directive '{name}'"
            raise BadCorefile(f"{path}:{line.number} - Error during parsing: {reason}")
        directive = Directive(name, tuple(a for a in arguments if a != "{"), line.number)
        if arguments and arguments[-1] == "{":
            for inner in lines:
                if inner.words == ("}",):
                    break
                directive.body.append(inner)
        yield directive
    raise BadCorefile(f"{path} - Error during parsing: Unexpected EOF")


def _key(word: str, default_port: int) -> tuple[str, int]:
    word = word.removeprefix("dns://")
    zone, colon, port = word.rpartition(":")
    if not colon or not port.isdigit():
        zone, port = word, str(default_port)
    return zone.lower().rstrip(".") + ".", int(port)
