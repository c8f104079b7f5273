"""Stand-ins for the scripts that HostProcess Pods of readiness tests run: recognised by the digest of their text.

Each gives the JSON that its script's header promises, from what the simulated Node and its tables hold.
"""

from __future__ import annotations

import ipaddress
import json
import uuid
from typing import TYPE_CHECKING, Any

from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.host import HostFact
from op_readiness.simulator.programs.adapters import adapter_dns
from op_readiness.simulator.programs.console.hostfacts import find, node_of, put, remove
from op_readiness.simulator.programs.console.reg import SUBJECT as KEYS
from op_readiness.simulator.programs.powershell import STAND_INS
from op_readiness.simulator.programs.process import Process
from op_readiness.simulator.programs.windowsbuild import build_of
from op_readiness.simulator.programs.windowsusers import SIDS

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node

POLICY = "hns-policy"
PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
OBJECTS, NETWORK, SYSTEM = ("addresses", "routes", "dns", "hns"), "cbr0", "S-1-5-18"
SITE_LOCAL = tuple(f"fec0:0:0:ffff::{n}" for n in (1, 2, 3))
SERVICES = ("containerd", "hns", "kubelet", "vmcompute")
IDS = uuid.UUID("5f0c5c57-9d0b-4f8e-8f43-0b3f8a5d2a11")


async def hns_policy(process: Process) -> int:
    """List, create or remove a load balancer of HNS: those of kube-proxy stand in LB, those of others in NODE."""
    node, vip, port = node_of(process), process.env.get("OPR_VIP", ""), process.env.get("OPR_PORT", "0")
    act, label = process.env.get("OPR_ACT", ""), f"{vip}:{port}"
    created = error = ""
    try:
        if refused := node.host.fact("management", "hns").value:
            raise LookupError(refused)
        if act == "create":
            created = _create(process, node, label)
        if act == "remove":
            for name in _ours(node, label):
                remove(node, POLICY, name)
                process.world.emit("hns policy deleted", node=node.name)
    except (WriteFailed, LookupError) as failure:
        error = str(failure.args[0])
    lists = [] if error else [*_made(node), *_of_kube_proxy(node)]
    say(process, {"missing": "", "error": error, "created": created, "ours": [] if error else _ours(node, label),
                  "lists": lists})  # fmt: skip
    return 1 if act == "remove" and (error or _ours(node, label)) else 0


def _create(process: Process, node: Node, label: str) -> str:
    endpoint = process.env.get("OPR_ENDPOINT", "")
    addresses = [address for value in node.tables["EP"].programmed.values() for address in value.addresses]
    if endpoint not in addresses:
        raise LookupError(f"no endpoint has the address {endpoint}")
    name = str(uuid.uuid5(IDS, f"{label} {node.boots}"))
    put(node, POLICY, name, HostFact(label, (endpoint,)))
    process.world.emit("hns policy created", node=node.name)
    return name


def _made(node: Node) -> list[dict[str, Any]]:
    found = ((name, find(node, POLICY, name)) for name in node.host.names(POLICY))
    return [{"id": name, "fronts": [f"{fact.value}/6"]} for name, fact in found if fact is not None]


def _of_kube_proxy(node: Node) -> list[dict[str, Any]]:
    fronts = {key: f"{key.vip}:{key.port}/{PROTOCOLS.get(key.protocol, '')}" for key in node.tables["LB"]}
    return [{"id": str(uuid.uuid5(IDS, repr(key))), "fronts": [front]} for key, front in fronts.items()]


def _ours(node: Node, label: str) -> list[str]:
    found = ((name, find(node, POLICY, name)) for name in node.host.names(POLICY))
    return [name for name, fact in found if fact is not None and fact.value == label]


async def privileged(process: Process) -> int:
    """Calls of an administrator: answered by the Node for a HostProcess container, by the container alone otherwise."""
    if not process.host_process:
        say(process, _of_a_container(process))
        return 0
    node, key = node_of(process), rf"HKEY_LOCAL_MACHINE\SOFTWARE\{process.env.get('OPR_KEY', '')}"
    act, found = process.env.get("OPR_ACT", ""), {}
    try:
        if act == "write":
            put(node, KEYS, key, HostFact("key", (f"nonce\tREG_SZ\t{process.env.get('OPR_NONCE', '')}",)))
        elif act == "remove" and find(node, KEYS, key) is not None:
            remove(node, KEYS, key)
        fact = find(node, KEYS, key)
        found["key"] = _one(fact.items[0].split("\t")[2] if fact else "")
    except WriteFailed as failure:
        found["key"] = _one("", str(failure))
    services = [f"{name}=Running" for name in SERVICES if node.host.fact("service", name).value in ("", "Running")]
    say(process, {
        "user": _one(SIDS.get(process.user.lower(), "S-1-5-21")), "services": _one(" ".join(services)),
        "build": _one(node.build.rpartition(".")[2]), "revision": _one(node.host.fact("os", "revision").value),
        "product": _one(node.host.fact("os", "product").value), "events": _one("1"),
        "firewall": _management(node, "firewall"), "compute": _management(node, "compute"), **found,
    })  # fmt: skip
    return 0


async def boot_times(process: Process) -> int:
    """When the Node came up and when it was installed, by its own clock."""
    node = node_of(process)
    booted = int(process.clock.epoch + node.booted)
    say(process, {"booted": booted, "installed": int(node.host.fact("os", "installed").value or 0)})
    return 0


async def network_objects(process: Process) -> int:
    """Addresses, routes and DNS servers of the host's adapters; HNS is told to administrators alone.

    An IPv6 side without DNS servers of its own has three site-local ones, as Windows gives it.
    """
    if not process.host_process:
        say(process, {name: {"value": [], "error": "", "missing": f"there is no {name}"} for name in OBJECTS})
        return 0
    addresses = process.network.addresses
    nets = [ipaddress.ip_network(f"{ip}/{64 if ':' in ip else 24}", strict=False) for ip in addresses]
    routes = {f"{'::' if net.version == 6 else '0.0.0.0'}/0" for net in nets} | {str(net) for net in nets}
    servers = {*adapter_dns(process).servers, *(SITE_LOCAL if any(":" in ip for ip in addresses) else ())}
    system = SIDS.get(process.user.lower()) == SYSTEM
    values = {"addresses": [*addresses, "127.0.0.1", "::1"], "routes": routes, "dns": servers,
              "hns": [NETWORK] if system else []}  # fmt: skip
    errors = {} if system else {"hns": "Access is denied."}
    say(process, {
        name: {"value": sorted(values[name]), "error": errors.get(name, ""), "missing": ""} for name in OBJECTS
    })  # fmt: skip
    return 0


def _of_a_container(process: Process) -> dict[str, Any]:
    """No services and no management of the Node; the registry is the container's own."""
    act, nonce = process.env.get("OPR_ACT", ""), process.env.get("OPR_NONCE", "")
    user = process.user.lower() or "containeradministrator"
    build, revision = build_of(process).split(".")[2:]
    name = user if "\\" in user else f"user manager\\{user}"
    absent = {name: {"value": "", "error": "", "missing": f"there is no {name}"} for name in ("events", "firewall")}
    return {
        "user": _one(SIDS.get(name, "S-1-5-93-2-1")), "services": _one(""),
        "build": _one(build), "revision": _one(revision), "product": _one("Windows Server Datacenter"), **absent,
        "compute": _one("", "Access is denied."),
        "key": _one(nonce if act == "write" else _shown(process)),
    }  # fmt: skip


def _shown(process: Process) -> str:
    """What a container sees of the Node's own registry: nothing, unless the Node keeps one for all."""
    node, key = node_of(process), rf"HKEY_LOCAL_MACHINE\SOFTWARE\{process.env.get('OPR_KEY', '')}"
    fact = find(node, KEYS, key) if node.host.fact("runtime", "registry").value == "shared" else None
    return fact.items[0].split("\t")[2] if fact else ""


def _management(node: Node, name: str) -> dict[str, str]:
    fact = node.host.fact("management", name)
    return _one(fact.value) if fact.value.isdigit() else _one("", fact.value)


def _one(value: str, error: str = "") -> dict[str, str]:
    return {"value": value, "error": error, "missing": ""}


def say(process: Process, said: dict[str, Any]) -> None:
    """One line of JSON, as ConvertTo-Json -Compress writes it."""
    process.stdout.write(json.dumps(said, separators=(",", ":")) + "\r\n")


BY_DIGEST = {
    "d58dc610acfd5efeb8758ec86fc39136491d4717134019ae8d253b77bf04b1b3": network_objects,
    "94a4ffff5507ac21169085efe61a0990fa8ace8c323198f83db5acccd74b657b": hns_policy,
    "89a0099c04d7a45a075c61205c21142b81f906b5186e1c107d0952082a1abfa2": boot_times,
    "0b686bc9a83d7908c7832fbad61bb2f09a4d30cdef6036c0ada76fccf9a814cf": privileged,
}
"""Digest of a script's text (powershell.digest_of) -> its stand-in."""


def register_all() -> None:
    """Give the scripts their stand-ins."""
    STAND_INS.update(BY_DIGEST)
