"""Stand-ins for the scripts of readiness tests: recognised by the digest of their text, refused in any other form.

Each gives the JSON that its script's header promises, from what the simulated Node and its tables hold.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.nodes.nodelogs import NO_EVENTS, messages_of
from op_readiness.simulator.nodes.quantities import value_of
from op_readiness.simulator.programs.powershell import STAND_INS
from op_readiness.simulator.programs.process import Process

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node

MIB = 1024**2
OUT_OF_MEMORY = "Insufficient memory to continue the execution of the program."
"""What .NET says of ERROR_COMMITMENT_LIMIT: a job object's commit limit refuses, it does not kill."""
SSH, RDP = 22, 3389


async def burn_cpu(process: Process) -> int:
    """Threads that compute as long as the container lives."""
    threads = _number(process, "OPR_THREADS")
    cores = float(value_of(_node(process).spec.cpu))
    process.usage.compute(float(threads), process.clock.now(), cores)
    _say(process, {"threads": threads})
    try:
        await asyncio.Event().wait()
    finally:
        process.usage.compute(0.0, process.clock.now(), cores)
    return 0


async def commit_memory(process: Process) -> int:
    """Memory step by step, until the job object or the machine refuses."""
    step, most = _number(process, "OPR_STEP_MIB"), _number(process, "OPR_MOST_MIB")
    nonce, pause = process.env.get("OPR_NONCE", ""), _number(process, "OPR_PAUSE_SECONDS")
    taken, refused = 0, ""
    try:
        while taken < most and not refused:
            if process.usage.commit(step * MIB):
                taken += step
            else:
                refused = OUT_OF_MEMORY
            _say(process, {"nonce": nonce, "taken": taken, "refused": refused})
            await process.clock.sleep(pause)
        await asyncio.Event().wait()
    finally:
        process.usage.release(taken * MIB)
    return 0


async def defender(process: Process) -> int:
    """Defender's exclusions; a Node without the service says so, and one whose provider answers with an error, that."""
    host = _node(process).host
    service, refused = host.fact("defender", "service").value, host.fact("management", "defender").value
    nothing = {"service": service, "realTime": False, "mode": "", "processes": [], "paths": [], "containerd": ""}
    if service in ("", "Stopped"):
        missing = "the service WinDefend is stopped" if service else "there is no service WinDefend"
        _say(process, {"missing": missing, "error": "", **nothing})
        return 0
    image = host.fact("service", "containerd").items
    containerd = image[0].split('"')[1] if image else ""
    if refused:
        _say(process, {"missing": "", "error": refused, **nothing, "containerd": containerd})
        return 0
    _say(process, {
        "missing": "",
        "error": "",
        "service": service,
        "realTime": host.fact("defender", "real-time").value == "true",
        "mode": host.fact("defender", "mode").value,
        "processes": list(host.fact("defender", "exclusion-process").items),
        "paths": list(host.fact("defender", "exclusion-path").items),
        "containerd": containerd,
    })  # fmt: skip
    return 0


async def admin_access(process: Process) -> int:
    """Services, listening ports and the registry's word on remote desktops."""
    node = _node(process)
    found = [(name, node.host.fact("service", name)) for name in ("sshd", "TermService")]
    services = [
        {"name": name, "status": fact.value, "startType": "".join(fact.items)} for name, fact in found if fact.value
    ]
    denied = node.host.remote_desktops_denied()
    _say(process, {"services": services, "listening": listening(node), "rdpDenied": denied})
    return 0


def listening(node: Node) -> list[int]:
    """The ports of 22 and 3389 on which a service of the Node listens."""
    return [port for port in node.host.ports() if port in (SSH, RDP)]


async def inventory(process: Process) -> int:
    """Build, addresses, hotfixes and what else a result depends on."""
    node = _node(process)
    _say(process, {
        "name": node.name,
        "build": node.spec.kernel,
        "addresses": sorted([*process.network.addresses, "127.0.0.1", "::1"]),
        "hotfixes": list(node.host.fact("os", "hotfix").items),
        "uptimeSeconds": int(process.clock.now() - node.booted),
        "freeBytes": int(node.host.fact("os", "free-bytes").value or 0),
        "pageFileMiB": int(node.host.fact("os", "page-file-mib").value or 0),
    })  # fmt: skip
    return 0


async def hns_count(process: Process) -> int:
    """Endpoints, load balancers and shims that the Node's tables hold."""
    node = _node(process)
    shims, refused = len(node.host.names("shim")), node.host.fact("management", "hns").value
    if refused:
        empty = {"missing": "", "error": refused, "endpoints": [], "loadBalancers": 0, "vips": [], "shims": shims}
        _say(process, empty)
        return 0
    own = [address for value in node.tables["EP"].programmed.values() for address in value.addresses]
    endpoints = [{"ip": ip, "remote": False} for ip in own]
    endpoints += [{"ip": ip, "remote": True} for ip in node.tables["REP"].programmed]
    _say(process, {
        "missing": "",
        "error": "",
        "endpoints": endpoints,
        "loadBalancers": len(node.tables["LB"].programmed),
        "vips": sorted({key.vip for key in node.tables["LB"].programmed if key.vip}),
        "shims": shims,
    })  # fmt: skip
    return 0


async def event_count(process: Process) -> int:
    """Events of a provider, whatever the kubelet says of them."""
    messages = messages_of(process.env.get("OPR_PROVIDER", ""))
    matching = sum(bool(re.search(process.env.get("OPR_PATTERN", ""), one, re.I)) for one in messages)
    error = "" if messages else NO_EVENTS.strip()
    _say(process, {"total": len(messages), "matching": matching, "error": error})
    return 0


def _node(process: Process) -> Node:
    found: Node = process.world.nodes[process.network.node]
    return found


def _number(process: Process, name: str) -> int:
    text = process.env.get(name, "")
    return int(text) if text.isdigit() else 0


def _say(process: Process, said: dict[str, Any]) -> None:
    process.stdout.write(json.dumps(said, separators=(",", ":")) + "\r\n")


BY_DIGEST = {
    "cc785758a8f069bc114bbc694ba247ba7c00325157c0cea542c8f1a038970cb1": event_count,
    "82609f66405fc2af8ae0912f408dea7c6ac17918c0830c2b89144305b2c5356c": admin_access,
    "210cfa719d305f59e851b8f27006a51ad8774ca9bd8902b00cc146ff23ecc8c2": burn_cpu,
    "7dd7d0da5c6ca825ea624f257087bbca477eead3ad7b6c8840a38ad14d0477f5": commit_memory,
    "9d200e336a6b276e8d492305b62057c33b959c16f1729f2297d7ee326295acdf": defender,
    "854dc2d924e1dba99bf78ffbe9449961a806efda12bc7cca4aed9f6d226c68f5": hns_count,
    "a99c9a830feaca5b13dd636099a1d741a957757fe61e196fb440e49fbb476446": inventory,
}
"""Digest of a script's text (powershell.digest_of) -> its stand-in."""


def register_all() -> None:
    """Give the scripts their stand-ins."""
    STAND_INS.update(BY_DIGEST)
