"""DNS messages in wire format: one question, records of the types that a cluster's DNS serves.

Real bytes, so that sizes decide truncation and MTU as they do on a wire. What is left out: classes other than IN,
compressed writing of names inside SRV data, DNSSEC.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, replace

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "OPT": 41, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
RCODE_NAMES = {number: name for name, number in RCODES.items()}
PLAIN_UDP = 512  # bytes that a UDP answer may have without EDNS


@dataclass(frozen=True)
class DnsRecord:
    """One record. `data` is text: an address, a name with its last dot, `0 100 80 target.` (SRV), the words of SOA."""

    name: str
    type: str
    ttl: int
    data: str


@dataclass(frozen=True)
class DnsQuery:
    """One question; `edns` is the UDP size that the asker takes, 0 for a plain one. Names have their last dot."""

    name: str
    type: str = "A"
    id: int = 0
    edns: int = 0
    recursion: bool = True


@dataclass(frozen=True)
class DnsAnswer:
    """The answer to a question. `truncated` is the TC bit."""

    query: DnsQuery
    rcode: str = "NOERROR"
    answers: tuple[DnsRecord, ...] = ()
    authority: tuple[DnsRecord, ...] = ()
    truncated: bool = False
    authoritative: bool = False

    def addresses(self) -> list[str]:
        """The addresses among the answers."""
        return [record.data for record in self.answers if record.type in ("A", "AAAA")]


class BadMessage(ValueError):
    """Bytes that are no DNS message."""


def encode_query(query: DnsQuery) -> bytes:
    """The question as bytes."""
    flags = 0x0100 if query.recursion else 0
    out = bytearray(struct.pack("!6H", query.id, flags, 1, 0, 0, 1 if query.edns else 0))
    out += _name(query.name) + struct.pack("!2H", _number(query.type), 1)
    if query.edns:
        out += _opt(query.edns)
    return bytes(out)


def decode_query(data: bytes) -> DnsQuery:
    """The question that `data` is; raises BadMessage."""
    try:
        ident, flags, questions, answers, authority, extra = struct.unpack_from("!6H", data)
        if flags & 0x8000 or questions != 1:
            raise BadMessage("not one question")
        name, at = _read_name(data, 12)
        kind = struct.unpack_from("!2H", data, at)[0]
        size = struct.unpack_from("!BHH", data, at + 4)[2] if extra and not answers + authority else 0
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadMessage(str(error)) from error
    return DnsQuery(name, NAMES.get(kind, f"TYPE{kind}"), ident, size, bool(flags & 0x0100))


def encode_answer(answer: DnsAnswer, limit: int | None = None) -> bytes:
    """The answer as bytes; over `limit` (UDP) it is cut to its head with the TC bit set."""
    data = _encode(answer)
    if limit is not None and len(data) > limit:
        return _encode(replace(answer, answers=(), authority=(), truncated=True))
    return data


def decode_answer(data: bytes) -> DnsAnswer:
    """The answer that `data` is; raises BadMessage."""
    try:
        ident, flags, _, answers, authority, _ = struct.unpack_from("!6H", data)
        if not flags & 0x8000:
            raise BadMessage("not an answer")
        name, at = _read_name(data, 12)
        kind = struct.unpack_from("!2H", data, at)[0]
        found, at = _read_records(data, at + 4, answers)
        above, at = _read_records(data, at, authority)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise BadMessage(str(error)) from error
    return DnsAnswer(
        DnsQuery(name, NAMES.get(kind, f"TYPE{kind}"), ident), RCODE_NAMES.get(flags & 15, "SERVFAIL"),
        tuple(found), tuple(above), bool(flags & 0x0200), bool(flags & 0x0400),
    )


def udp_limit(query: DnsQuery) -> int:
    """How many bytes a UDP answer to this question may have."""
    return max(PLAIN_UDP, query.edns)


def absolute(name: str) -> str:
    """The name with its last dot, in lower case."""
    return name.lower().rstrip(".") + "."


def _encode(answer: DnsAnswer) -> bytes:
    flags = 0x8080 | RCODES[answer.rcode] | (0x0100 if answer.query.recursion else 0)
    flags |= (0x0400 if answer.authoritative else 0) | (0x0200 if answer.truncated else 0)
    edns = 1 if answer.query.edns else 0
    out = bytearray(struct.pack("!6H", answer.query.id, flags, 1, len(answer.answers), len(answer.authority), edns))
    seen: dict[str, int] = {}
    out += _name(answer.query.name, seen, len(out)) + struct.pack("!2H", _number(answer.query.type), 1)
    for record in (*answer.answers, *answer.authority):
        out += _name(record.name, seen, len(out))
        data = _rdata(record, seen, len(out) + 10)
        out += struct.pack("!HHIH", _number(record.type), 1, record.ttl, len(data)) + data
    if edns:
        out += _opt(answer.query.edns)
    return bytes(out)


def _opt(size: int) -> bytes:
    return struct.pack("!BHHIH", 0, TYPES["OPT"], size, 0, 0)


def _number(kind: str) -> int:
    return TYPES[kind] if kind in TYPES else int(kind.removeprefix("TYPE"))


def _name(name: str, seen: dict[str, int] | None = None, at: int = 0) -> bytes:
    out = bytearray()
    rest = name.rstrip(".")
    while rest:
        if seen is not None and rest in seen:
            return bytes(out) + struct.pack("!H", 0xC000 | seen[rest])
        if seen is not None and at + len(out) < 0x3FFF:
            seen[rest] = at + len(out)
        label, _, rest = rest.partition(".")
        raw = label.encode()
        if not raw or len(raw) > 63:
            raise BadMessage(f"bad label in {name}")
        out += bytes([len(raw)]) + raw
    return bytes(out) + b"\0"


def _rdata(record: DnsRecord, seen: dict[str, int], at: int) -> bytes:
    words = record.data.split(" ")
    if record.type in ("A", "AAAA"):
        return ipaddress.ip_address(record.data).packed
    if record.type in ("CNAME", "NS", "PTR"):
        return _name(record.data, seen, at)
    if record.type == "SRV":
        return struct.pack("!3H", *(int(word) for word in words[:3])) + _name(words[3])
    if record.type == "SOA":
        names = _name(words[0]) + _name(words[1])
        return names + struct.pack("!5I", *(int(word) for word in words[2:7]))
    raw = record.data.encode()
    return bytes([len(raw)]) + raw


def _read_name(data: bytes, at: int) -> tuple[str, int]:
    labels, after, jumps = [], 0, 0
    while data[at]:
        if data[at] >= 0xC0:
            after = after or at + 2
            at = struct.unpack_from("!H", data, at)[0] & 0x3FFF
            jumps += 1
            if jumps > 64:
                raise BadMessage("names point in a circle")
            continue
        labels.append(data[at + 1 : at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels) + ".", after or at + 1


def _read_records(data: bytes, at: int, count: int) -> tuple[list[DnsRecord], int]:
    records = []
    for _ in range(count):
        name, at = _read_name(data, at)
        kind, _, ttl, size = struct.unpack_from("!HHIH", data, at)
        at += 10
        records.append(DnsRecord(name, NAMES.get(kind, f"TYPE{kind}"), ttl, _read_data(data, at, size, kind)))
        at += size
    return records, at


def _read_data(data: bytes, at: int, size: int, kind: int) -> str:
    if kind in (TYPES["A"], TYPES["AAAA"]):
        return str(ipaddress.ip_address(data[at : at + size]))
    if kind in (TYPES["CNAME"], TYPES["NS"], TYPES["PTR"]):
        return _read_name(data, at)[0]
    if kind == TYPES["SRV"]:
        numbers = struct.unpack_from("!3H", data, at)
        return " ".join(map(str, numbers)) + " " + _read_name(data, at + 6)[0]
    if kind == TYPES["SOA"]:
        first, at = _read_name(data, at)
        second, at = _read_name(data, at)
        return f"{first} {second} " + " ".join(map(str, struct.unpack_from("!5I", data, at)))
    return data[at + 1 : at + size].decode("utf-8", "replace")
