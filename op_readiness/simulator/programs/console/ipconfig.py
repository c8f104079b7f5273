"""ipconfig and ipconfig /all: the adapters that the container's network really has, in Windows' layout."""

from __future__ import annotations

import hashlib
import ipaddress

from op_readiness.simulator.programs.adapters import adapter_dns
from op_readiness.simulator.programs.process import Process

WIDTH = 37


async def ipconfig(process: Process) -> int:
    """0; 1 for a switch that is not simulated."""
    words = [word.lower() for word in process.argv[1:]]
    if words in (["/flushdns"], ["/registerdns"]):
        process.stdout.write("\r\nWindows IP Configuration\r\n\r\nSuccessfully flushed the DNS Resolver Cache.\r\n")
        return 0
    if words not in ([], ["/all"]):
        process.stdout.write(f"\r\nError: unrecognized or incomplete command line.\r\n\r\n{' '.join(words)}\r\n")
        return 1
    full = bool(words)
    lines = ["", "Windows IP Configuration", ""]
    if full:
        lines += _host(process)
    lines.append("")
    if process.network.addresses:
        lines += _adapter(process, full)
    process.stdout.write("\r\n".join([*lines, ""]))
    return 0


def _field(name: str, value: str) -> str:
    """`   Name . . . . : value`: dots on every other column up to the colon."""
    dots = "".join("." if column % 2 else " " for column in range(len(name) + 3, WIDTH))
    return f"   {name}{dots}: {value}".rstrip() if value else f"   {name}{dots}: "


def _host(process: Process) -> list[str]:
    dns = adapter_dns(process)
    lines = [_field("Host Name ", process.hostname), _field("Primary Dns Suffix  ", ""),
             _field("Node Type ", "Hybrid"), _field("IP Routing Enabled", "No"),
             _field("WINS Proxy Enabled", "No")]  # fmt: skip
    if dns.searches:
        lines.append(_field("DNS Suffix Search List", dns.searches[0]))
        lines += [" " * (WIDTH + 2) + suffix for suffix in dns.searches[1:]]
    return lines


def _adapter(process: Process, full: bool) -> list[str]:
    dns = adapter_dns(process)
    digest = hashlib.sha256(f"{process.network.node}{process.network.addresses[0]}".encode()).hexdigest()
    lines = [f"Ethernet adapter vEthernet ({digest[:32]}_eth0):" if not process.host_process else
             "Ethernet adapter vEthernet (Ethernet):", ""]  # fmt: skip
    lines.append(_field("Connection-specific DNS Suffix  ", dns.searches[0] if dns.searches else ""))
    if full:
        mac = "-".join(digest[at : at + 2].upper() for at in range(0, 8, 2))
        lines += [_field("Description ", "Hyper-V Virtual Ethernet Container Adapter"),
                  _field("Physical Address", f"00-15-{mac}"), _field("DHCP Enabled", "No"),
                  _field("Autoconfiguration Enabled ", "Yes")]  # fmt: skip
    mark = "(Preferred)" if full else ""
    for ip in process.network.addresses:
        if ":" in ip:
            lines.append(_field("IPv6 Address", ip + mark))
        else:
            lines += [_field("IPv4 Address", ip + mark), _field("Subnet Mask ", "255.255.255.0")]
    lines.append(_field("Default Gateway ", _gateway(process)))
    if full:
        servers = dns.servers or ("",)
        lines.append(_field("DNS Servers ", servers[0]))
        lines += [" " * (WIDTH + 2) + server for server in servers[1:]]
        lines.append(_field("NetBIOS over Tcpip", "Disabled"))
    return lines


def _gateway(process: Process) -> str:
    first = next((ip for ip in process.network.addresses if ":" not in ip), "")
    return str(ipaddress.ip_network(f"{first}/24", strict=False)[1]) if first else ""
