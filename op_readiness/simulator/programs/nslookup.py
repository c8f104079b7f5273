"""nslookup in its three forms: BIND's (agnhost on Linux), BusyBox's, and Windows' own, each with its words."""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.network.dnsmessage import DnsRecord
from op_readiness.simulator.network.interface import NameFailure
from op_readiness.simulator.programs.adapters import adapter_dns
from op_readiness.simulator.programs.addresses import literal, resolve
from op_readiness.simulator.programs.dnsasking import TYPES, Resolution, asking, reverse_name
from op_readiness.simulator.programs.process import Process

WINDOWS_PATIENCE = 2.0
_WINDOWS_CODES = {"NXDOMAIN": "Non-existent domain", "SERVFAIL": "Server failed", "REFUSED": "Query refused"}


@dataclass
class Call:
    """One call: what to ask, of whom, and for what patience."""

    process: Process
    name: str
    server: str
    kind: str = ""
    seconds: float | None = None

    @property
    def kinds(self) -> list[str]:
        """The record types to ask for."""
        if self.kind:
            return [self.kind]
        return ["PTR"] if reverse_name(self.name) else ["A", "AAAA"]

    @property
    def asked(self) -> str:
        """The name to ask for; that of an address is its reverse."""
        return reverse_name(self.name) or self.name


class NoServer(Exception):
    """The server that was named does not resolve."""


async def _call(process: Process) -> Call | None:
    words, kind, seconds = [], "", None
    for word in process.argv[1:]:
        name, _, value = word.lstrip("-").lower().partition("=")
        if word.startswith("-"):
            if name in ("type", "q", "querytype", "query", "ty") and value.upper() in TYPES:
                kind = value.upper()
            elif name in ("timeout", "ti") and value.isdigit():
                seconds = float(value)
        else:
            words.append(word)
    if not words:
        return None
    server = words[1] if len(words) > 1 else ""
    if server and literal(server) is None:
        try:
            server = (await resolve(process, server))[0]
        except NameFailure:
            raise NoServer(server) from None
    return Call(process, words[0], server, kind, seconds)


async def _answers(call: Call, name: str, search: bool) -> list[Resolution]:
    """The answer of each type; raises NameFailure when a server is silent."""
    found = []
    for kind in call.kinds:
        found.append(
            await asking(call.process).resolve(
                name, kind, server=call.server, search=search, timeout=call.seconds, tries=None
            )
        )
        if found[-1].answer.rcode != "NOERROR":
            break
    return found


async def nslookup(process: Process) -> int:
    """BIND's: 1 for a name that is not there."""
    return await _unix(process, port_mark="#", search=True)


async def busybox_nslookup(process: Process) -> int:
    """BusyBox's: no search list."""
    return await _unix(process, port_mark=":", search=False)


async def _unix(process: Process, port_mark: str, search: bool) -> int:
    try:
        call = await _call(process)
    except NoServer as error:
        process.stderr.write(f"nslookup: couldn't get address for '{error}': not found\n")
        return 1
    if call is None:
        process.stderr.write("nslookup: interactive mode is not simulated, name what to look up\n")
        return 1
    out = process.stdout
    try:
        seen = await _answers(call, call.asked, search)
    except NameFailure as failure:
        server = call.server or next(iter(adapter_dns(process).servers), "127.0.0.1")
        reason = "connection refused" if failure.kind == "refused" else "timed out"
        text = f";; communications error to {server}#53: {reason}\n" * 3 if search else ""
        out.write(text + (";; no servers could be reached\n\n" if search else ""))
        if not search:
            out.write(";; connection timed out; no servers could be reached\n\n")
        return 1
    last = seen[-1]
    out.write(f"Server:\t\t{last.server}\nAddress:\t{last.server}{port_mark}53\n\n")
    records = [record for resolution in seen for record in resolution.answer.answers]
    if last.answer.rcode != "NOERROR" and not records:
        out.write(f"** server can't find {last.name.rstrip('.')}: {last.answer.rcode}\n\n")
        return 1
    if not seen[0].answer.authoritative:
        out.write("Non-authoritative answer:\n")
    if not records:
        out.write(f"*** Can't find {call.name}: No answer\n\n")
        return 0 if search else 1
    for record in dict.fromkeys(records):
        out.write(_unix_record(record))
    out.write("\n")
    return 0


def _unix_record(record: DnsRecord) -> str:
    name = record.name.rstrip(".")
    if record.type in ("A", "AAAA"):
        return f"Name:\t{name}\nAddress: {record.data}\n"
    words = {"CNAME": "canonical name", "SRV": "service", "PTR": "name", "NS": "nameserver", "TXT": "text"}
    return f"{name}\t{words.get(record.type, record.type)} = {record.data}\n"


async def windows_nslookup(process: Process) -> int:
    """Windows' own: 0 whatever comes; what went wrong stands on stderr."""
    try:
        call = await _call(process)
    except NoServer as error:
        process.stderr.write(f"*** Can't find address for server {error}: Non-existent domain\r\n")
        return 1
    if call is None:
        process.stderr.write("nslookup: interactive mode is not simulated, name what to look up\r\n")
        return 1
    call.seconds = call.seconds or WINDOWS_PATIENCE
    servers = adapter_dns(process).servers
    address = call.server or next(iter(servers), "")
    if not address:
        process.stderr.write("*** Default servers are not available\r\n")
        process.stdout.write("Server:  UnKnown\r\nAddress:  127.0.0.1\r\n\r\n")
        return 0
    server = await _server_name(call, address)
    process.stdout.write(f"Server:  {server}\r\nAddress:  {address}\r\n\r\n")
    try:
        seen = await _windows_search(call, address)
    except NameFailure:
        seconds = round(call.seconds)
        process.stderr.write(f"DNS request timed out.\r\n    timeout was {seconds} seconds.\r\n")
        process.stderr.write(f"*** Request to {server} timed-out\r\n")
        return 0
    _windows_show(call, server, seen)
    return 0


async def _server_name(call: Call, address: str) -> str:
    reverse = reverse_name(address)
    try:
        seen = await asking(call.process).resolve(
            reverse or "", "PTR", server=address, timeout=call.seconds, tries=1
        )
    except NameFailure:
        return "UnKnown"
    return next((r.data.rstrip(".") for r in seen.answer.answers if r.type == "PTR"), "UnKnown")


async def _windows_search(call: Call, address: str) -> list[Resolution]:
    """Each suffix of the search list is tried first, also for names with dots; the first that exists counts."""
    names = [call.asked]
    if not call.asked.endswith("."):
        names = [f"{call.asked}.{suffix}." for suffix in adapter_dns(call.process).searches] + names
    seen: list[Resolution] = []
    call.server = address
    for name in names:
        seen = await _answers(call, name, False)
        if any(resolution.answer.answers for resolution in seen):
            break
    return seen


def _windows_show(call: Call, server: str, seen: list[Resolution]) -> None:
    process, last = call.process, seen[-1]
    records = [record for resolution in seen for record in resolution.answer.answers]
    if not records:
        code = _WINDOWS_CODES.get(last.answer.rcode)
        if code is None:
            kinds = "internal type for both IPv4 and IPv6 Addresses (A+AAAA)" if not call.kind else call.kind
            process.stderr.write(f"*** No {kinds} records available for {call.name}\r\n")
        else:
            process.stderr.write(f"*** {server} can't find {call.name}: {code}\r\n")
        return
    if not seen[0].answer.authoritative:
        process.stderr.write("Non-authoritative answer:\r\n")
    ips = list(dict.fromkeys(record.data for record in records if record.type in ("A", "AAAA")))
    if call.kind in ("", "A", "AAAA", "PTR") and (ips or not call.kind):
        _windows_addresses(call, records, ips)
    else:
        for record in records:
            process.stdout.write(_windows_record(record))
    process.stdout.write("\r\n")


def _windows_addresses(call: Call, records: list[DnsRecord], ips: list[str]) -> None:
    out = call.process.stdout
    if not ips:
        out.write(f"Name:    {records[0].data.rstrip('.')}\r\nAddress:  {call.name}\r\n")
        return
    owner = next(record.name for record in records if record.type in ("A", "AAAA"))
    out.write(f"Name:    {owner.rstrip('.')}\r\n")
    out.write(f"{'Addresses' if len(ips) > 1 else 'Address'}:  " + "\r\n\t  ".join(ips) + "\r\n")
    aliases = [record.name.rstrip(".") for record in records if record.type == "CNAME"]
    if aliases:
        out.write("Aliases:  " + "\r\n\t  ".join(aliases) + "\r\n")


def _windows_record(record: DnsRecord) -> str:
    name = record.name.rstrip(".")
    if record.type == "SRV":
        priority, weight, port, host = record.data.split()
        rows = (("priority      ", priority), ("weight        ", weight), ("port          ", port),
                ("svr hostname  ", host.rstrip(".")))  # fmt: skip
        return f"{name}\tSRV service location:\r\n" + "".join(f"\t  {key} = {value}\r\n" for key, value in rows)
    words = {"CNAME": "canonical name", "PTR": "name", "NS": "nameserver", "TXT": "text"}
    return f"{name}\t{words.get(record.type, record.type)} = {record.data.rstrip('.')}\r\n"
