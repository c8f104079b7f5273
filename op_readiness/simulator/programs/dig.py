"""dig: one or more questions, shown as BIND's dig shows them (9.18 on Linux, 9.14 with CRLF on Windows)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from op_readiness.simulator.network.dnsmessage import DnsAnswer, DnsRecord, encode_answer
from op_readiness.simulator.network.interface import NameFailure
from op_readiness.simulator.programs.adapters import adapter_dns
from op_readiness.simulator.programs.addresses import literal, resolve
from op_readiness.simulator.programs.dnsasking import TYPES, Resolution, asking, reverse_name
from op_readiness.simulator.programs.process import Process

VERSIONS = {"linux": "9.18.33", "windows": "9.14.10"}
SHOWS = ("cmd", "comments", "question", "answer", "authority", "additional", "stats")
ACCEPTED = (
    "recurse", "cookie", "ttlid", "identify", "class", "dnssec", "ignore", "fail", "cd", "ad", "ndots", "bufsize",
)  # fmt: skip
EDNS_SIZE = 1232
NO_SERVER, USAGE, NO_ADDRESS = 9, 1, 10


class WrongUse(Exception):
    """A command line that dig does not take."""


@dataclass(frozen=True)
class Question:
    """One question with its options."""

    name: str = "."
    kind: str = "A"
    server: str = ""
    tcp: bool = False
    short: bool = False
    search: bool = False
    seconds: float = 5.0
    tries: int = 3
    shows: frozenset[str] = frozenset(SHOWS)
    edns: bool = True


@dataclass
class Line:
    """The command line while it is read."""

    given: Question = field(default_factory=Question)
    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


async def dig(process: Process) -> int:
    """0 for any answer, 9 when no server gave one."""
    try:
        questions = _questions(process.argv[1:])
    except WrongUse as error:
        process.stderr.write(f"{error}\nUsage:  dig [@global-server] [domain] [q-type] [q-class] {{q-opt}}\n")
        return USAGE
    codes = [await _ask(process, question) for question in questions]
    return max(codes)


def _questions(words: list[str]) -> list[Question]:
    line, rest = Line(), list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("@"):
            line.given = replace(line.given, server=word[1:])
        elif word.startswith("+"):
            line.given = _option(line.given, word[1:])
        elif word.startswith("-") and len(word) > 1:
            _flag(line, word, rest)
        elif word.upper() in TYPES and (line.names or word.isupper()):
            line.kinds.append(word.upper())
        elif word.upper() != "IN":
            line.names.append(word)
    kinds = line.kinds or [line.given.kind]
    pairs = zip(line.names, kinds + kinds[-1:] * len(line.names), strict=False)
    return [replace(line.given, name=name, kind=kind) for name, kind in pairs] or [
        replace(line.given, kind=line.kinds[0] if line.kinds else "NS")
    ]


def _flag(line: Line, word: str, rest: list[str]) -> None:
    letter, value = word[1], word[2:]
    if letter in "46":
        return
    if letter not in "tqxpcb":
        raise WrongUse(f"Invalid option: {word}")
    value = value or (rest.pop(0) if rest else "")
    if letter == "t":
        line.kinds.append(value.upper())
    elif letter == "q":
        line.names.append(value)
    elif letter == "x":
        name = reverse_name(value)
        if name is None:
            raise WrongUse(f"Invalid IP address {value}")
        line.names.append(name)
        line.kinds.append("PTR")
    elif letter == "p" and value != "53":
        raise WrongUse(f"dig: port {value} is not simulated, 53 is")


def _option(given: Question, text: str) -> Question:
    name, _, value = text.partition("=")
    positive = not name.startswith("no")
    bare = name if positive else name[2:]
    if bare == "all":
        return replace(given, shows=frozenset(SHOWS if positive else ()))
    if bare in SHOWS:
        return replace(given, shows=given.shows | {bare} if positive else given.shows - {bare})
    changed = _switches(given, positive).get(bare)
    if changed is None and value.isdigit():
        changed = _numbers(given, int(value)).get(bare)
    if changed is None and bare not in ACCEPTED:
        raise WrongUse(f"Invalid option: +{text}")
    return changed or given


def _switches(given: Question, on: bool) -> dict[str, Question]:
    return {
        "short": replace(given, short=on), "search": replace(given, search=on), "edns": replace(given, edns=on),
        "tcp": replace(given, tcp=on), "vc": replace(given, tcp=on),
    }  # fmt: skip


def _numbers(given: Question, number: int) -> dict[str, Question]:
    seconds = replace(given, seconds=max(1.0, float(number)))
    return {
        "time": seconds, "timeout": seconds, "tries": replace(given, tries=max(1, number)),
        "retry": replace(given, tries=number + 1),
    }  # fmt: skip


async def _ask(process: Process, question: Question) -> int:
    out = _Out(process)
    if "cmd" in question.shows and not question.short:
        out.line()
        out.line(f"; <<>> DiG {VERSIONS[process.os]} <<>> {' '.join(process.argv[1:])}")
        out.line(";; global options: +cmd")
    server = question.server
    if server and literal(server) is None:
        try:
            server = (await resolve(process, server))[0]
        except NameFailure:
            process.stderr.write(f"dig: couldn't get address for '{server}': not found\n")
            return NO_ADDRESS
    began = process.clock.now()
    try:
        seen = await asking(process).resolve(
            question.name, question.kind, server=server, tcp=question.tcp, search=question.search,
            timeout=question.seconds, tries=question.tries, edns=EDNS_SIZE if question.edns else 0,
        )  # fmt: skip
    except NameFailure as failure:
        if failure.kind == "malformed":
            process.stderr.write(f"dig: '{question.name}' is not a legal name (empty label)\n")
            return NO_ADDRESS
        _unreached(process, out, question, failure, server)
        return NO_SERVER
    if question.short:
        for record in seen.answer.answers:
            out.line(record.data)
    else:
        _show(out, question, seen, round((process.clock.now() - began) * 1000))
    return 0


class _Out:
    """Lines as the system's build of dig ends them."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._end = "\r\n" if process.windows else "\n"

    def line(self, text: str = "") -> None:
        """One line."""
        self._process.stdout.write(text + self._end)


def _unreached(process: Process, out: _Out, question: Question, failure: NameFailure, server: str) -> None:
    servers = (server,) if server else adapter_dns(process).servers
    if process.windows:
        if "cmd" not in question.shows and not question.short:
            out.line()
        out.line(";; connection timed out; no servers could be reached")
        return
    reason = "connection refused" if failure.kind == "refused" else "timed out"
    for _ in range(question.tries):
        for asked in servers or ("127.0.0.1",):
            out.line(f";; communications error to {asked}#53: {reason}")
    if "cmd" in question.shows and not question.short:
        out.line()
    out.line(";; no servers could be reached")


def _show(out: _Out, question: Question, seen: Resolution, milliseconds: int) -> None:
    answer = seen.answer
    if "comments" in question.shows:
        _head(out, question, answer)
    if "question" in question.shows:
        if "comments" in question.shows:
            out.line(";; QUESTION SECTION:")
        out.line(_columns(f";{seen.name}", ["", "IN", answer.query.type]))
        if "comments" in question.shows:
            out.line()
    for section, records in (("answer", answer.answers), ("authority", answer.authority)):
        if section in question.shows and records:
            if "comments" in question.shows:
                out.line(f";; {section.upper()} SECTION:")
            for record in records:
                out.line(record_line(record))
            if "comments" in question.shows:
                out.line()
    if "stats" in question.shows:
        out.line(f";; Query time: {milliseconds} msec")
        out.line(f";; SERVER: {seen.server}#53({seen.server})" + (f" ({'TCP' if question.tcp else 'UDP'})"))
        out.line(time.strftime(";; WHEN: %a %b %d %H:%M:%S UTC %Y", time.gmtime()))
        out.line(f";; MSG SIZE  rcvd: {len(encode_answer(answer))}")
        out.line()


def _head(out: _Out, question: Question, answer: DnsAnswer) -> None:
    flags = "qr" + (" aa" if answer.authoritative else "") + (" tc" if answer.truncated else "") + " rd"
    flags += "" if answer.authoritative else " ra"
    counts = f"QUERY: 1, ANSWER: {len(answer.answers)}, AUTHORITY: {len(answer.authority)}"
    out.line(";; Got answer:")
    out.line(f";; ->>HEADER<<- opcode: QUERY, status: {answer.rcode}, id: {answer.query.id}")
    out.line(f";; flags: {flags}; {counts}, ADDITIONAL: {int(question.edns)}")
    if answer.authoritative:
        out.line(";; WARNING: recursion requested but not available")
    out.line()
    if question.edns:
        out.line(";; OPT PSEUDOSECTION:")
        out.line(f"; EDNS: version: 0, flags:; udp: {EDNS_SIZE}")


def record_line(record: DnsRecord) -> str:
    """A record in BIND's columns."""
    return _columns(record.name, [str(record.ttl), "IN", record.type, record.data])


def _columns(name: str, values: list[str]) -> str:
    """Tabs to columns 24, 32, 40, 48 as BIND sets them: what is too long is followed by the next stop or a blank."""
    text, column = name, len(name)
    for value, stop in zip(values, (24, 32, 40, 48), strict=False):
        to = max(stop, column + 1)
        tabs = to // 8 - column // 8
        text += "\t" * tabs + " " * (to - (to // 8 * 8 if tabs else column)) + value
        column = to + len(value)
    return text
