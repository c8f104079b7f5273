"""netsh advfirewall firewall on a Node: add, show and delete of rules by name. Rules stand in the NODE table."""

from __future__ import annotations

import re

from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.host import HostFact
from op_readiness.simulator.programs.console.hostfacts import find, node_of, put, remove
from op_readiness.simulator.programs.process import Process

SUBJECT = "firewall-rule"
NO_RULE = "\r\nNo rules match the specified criteria.\r\n\r\n"


async def netsh(process: Process) -> int:
    """`advfirewall firewall add|show|delete rule name=NAME [FIELD=VALUE ...]`; anything else is refused."""
    words = process.argv[1:]
    fields = dict(re.findall(r"(\w+)=(\S+|\"[^\"]*\")", " ".join(words[4:])))
    name = next((word.partition("=")[2] for word in words[4:] if word.lower().startswith("name=")), "").strip('"')
    if [word.lower() for word in words[:2]] != ["advfirewall", "firewall"] or not name or not process.host_process:
        process.stderr.write(f"netsh {' '.join(words)}: is not simulated\r\n")
        return 1
    act, node = words[2].lower(), node_of(process)
    known = find(node, SUBJECT, name)
    try:
        if act == "add":
            put(node, SUBJECT, name, HostFact("rule", tuple(f"{key}={value}" for key, value in fields.items())))
        elif known is None:
            process.stdout.write(NO_RULE)
            return 1
        elif act == "delete":
            remove(node, SUBJECT, name)
        elif act == "show":
            process.stdout.write(f"\r\nRule Name:                            {name}\r\n")
    except WriteFailed as error:
        process.stdout.write(f"{error}\r\n")
        return 1
    process.stdout.write("Ok.\r\n\r\n")
    return 0
