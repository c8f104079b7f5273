"""reg.exe on a Node: query, add and delete of keys below HKLM. Values stand in the NODE table, a fact a key."""

from __future__ import annotations

from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.host import HostFact
from op_readiness.simulator.programs.console.hostfacts import find, node_of, put, remove
from op_readiness.simulator.programs.process import Process

SUBJECT = "registry-key"
ROOTS = {"hklm": "HKEY_LOCAL_MACHINE", "hkey_local_machine": "HKEY_LOCAL_MACHINE"}
CURRENT_VERSION = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
DONE = "The operation completed successfully.\r\n"
NOT_FOUND = "ERROR: The system was unable to find the specified registry key or value.\r\n"
DENIED = "ERROR: Access is denied.\r\n"


async def reg(process: Process) -> int:
    """`query KEY [/v NAME]`, `add KEY [/v NAME] [/t TYPE] [/d DATA] /f`, `delete KEY [/v NAME] /f`."""
    words = process.argv[1:]
    act, key = (words[0].lower() if words else ""), full_name(words[1] if len(words) > 1 else "")
    if act not in ACTS or not key or not process.host_process:
        process.stderr.write(f"reg {' '.join(words)}: is not simulated\r\n")
        return 1
    options = {words[n].lower(): words[n + 1] for n in range(2, len(words) - 1) if words[n].startswith("/")}
    try:
        return ACTS[act](process, key, options)
    except WriteFailed:
        process.stderr.write(DENIED)
        return 1


def full_name(key: str) -> str:
    """The key below HKEY_LOCAL_MACHINE; empty for any other root."""
    root, _, rest = key.partition("\\")
    return f"{ROOTS[root.lower()]}\\{rest}" if root.lower() in ROOTS and rest else ""


def values_of(process: Process, key: str) -> dict[str, tuple[str, str]] | None:
    """Type and data by name, None where there is no such key."""
    if key.lower() == CURRENT_VERSION.lower():
        node = node_of(process)
        revision = int(node.host.fact("os", "revision").value or 0)
        return {
            "ProductName": ("REG_SZ", node.host.fact("os", "product").value),
            "CurrentBuild": ("REG_SZ", node.spec.build.rpartition(".")[2]), "UBR": ("REG_DWORD", f"0x{revision:x}"),
        }  # fmt: skip
    found = find(node_of(process), SUBJECT, key)
    if found is None:
        return None
    rows = (item.split("\t", 2) for item in found.items)
    return {name: (kind, data) for name, kind, data in rows}


def _query(process: Process, key: str, options: dict[str, str]) -> int:
    found = values_of(process, key)
    wanted = options.get("/v", "").lower()
    rows = [(name, *value) for name, value in (found or {}).items() if wanted in ("", name.lower())]
    if found is None or (wanted and not rows):
        process.stderr.write(NOT_FOUND)
        return 1
    lines = "".join(f"    {name}    {kind}    {data}\r\n" for name, kind, data in rows)
    process.stdout.write(f"\r\n{key}\r\n{lines}\r\n")
    return 0


def _add(process: Process, key: str, options: dict[str, str]) -> int:
    known = values_of(process, key) or {}
    if "/v" in options:
        known[options["/v"]] = (options.get("/t", "REG_SZ"), options.get("/d", ""))
    _put(process, key, known)
    process.stdout.write(DONE)
    return 0


def _delete(process: Process, key: str, options: dict[str, str]) -> int:
    known = values_of(process, key)
    if known is None or ("/v" in options and options["/v"] not in known):
        process.stderr.write(NOT_FOUND)
        return 1
    if "/v" in options:
        del known[options["/v"]]
        _put(process, key, known)
    else:
        remove(node_of(process), SUBJECT, key)
    process.stdout.write(DONE)
    return 0


def _put(process: Process, key: str, values: dict[str, tuple[str, str]]) -> None:
    items = tuple("\t".join((name, *value)) for name, value in values.items())
    put(node_of(process), SUBJECT, key, HostFact("key", items))


ACTS = {"query": _query, "add": _add, "delete": _delete}
