"""route print: the IPv4 routes of a Node, in Windows' layout. Changing routes is refused loudly."""

from __future__ import annotations

import ipaddress

from op_readiness.simulator.programs.process import Process

RULER = "=" * 75
LOOPBACK = ("127.0.0.0", "255.0.0.0", "On-link", "127.0.0.1", "331")


async def route(process: Process) -> int:
    """0 for `route print [-4]`; 1 for anything else."""
    words = [word.lower() for word in process.argv[1:]]
    if words not in (["print"], ["print", "-4"], ["-4", "print"]):
        process.stderr.write(f"route {' '.join(words)}: is not simulated\r\n")
        return 1
    rows = [LOOPBACK]
    for ip in (ip for ip in process.network.addresses if ":" not in ip):
        network = ipaddress.ip_network(f"{ip}/24", strict=False)
        rows += [
            ("0.0.0.0", "0.0.0.0", str(network[1]), ip, "25"),
            (str(network.network_address), str(network.netmask), "On-link", ip, "281"),
        ]
    lines = [RULER, "Interface List", "  6...00 15 5d 0a 0b 0c ......Hyper-V Virtual Ethernet Adapter", RULER, "",
             "IPv4 Route Table", RULER, "Active Routes:",
             "Network Destination        Netmask          Gateway       Interface  Metric"]  # fmt: skip
    lines += [f"{row[0]:>17}{row[1]:>17}{row[2]:>17}{row[3]:>17}{row[4]:>7}" for row in sorted(rows)]
    process.stdout.write("\r\n".join([*lines, RULER, "Persistent Routes:", "  None", ""]))
    return 0
