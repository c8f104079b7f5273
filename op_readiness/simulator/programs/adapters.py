"""The DNS settings of a Windows adapter: what ipconfig, nslookup and agnhost read where Linux has resolv.conf."""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.programs.process import Process


@dataclass(frozen=True)
class AdapterDns:
    """Servers and suffix search list, in their order."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()


def adapter_dns(process: Process) -> AdapterDns:
    """The settings of the process's network: its namespace's `dns`, or resolv.conf where there is one (Linux)."""
    known = getattr(process.network, "dns", None)
    if known is not None:
        return AdapterDns(tuple(known.servers), tuple(known.search))
    try:
        text = process.files.read("/etc/resolv.conf").decode(errors="replace")
    except OSError:
        return AdapterDns()
    return resolv_conf(text)


def resolv_conf(text: str) -> AdapterDns:
    """The settings that a resolver takes from resolv.conf: every nameserver, the last search line."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    for line in text.splitlines():
        word, *values = line.split() or [""]
        if word == "nameserver" and values:
            servers.append(values[0])
        elif word in ("search", "domain"):
            searches = tuple(values)
    return AdapterDns(tuple(servers), searches)
