"""TCP ports that programs hold on a Windows Node: entries of its NODE table, begun and ended with the listener.

The Node's stack goes by them. Where the entry of a taken port is not found, the port is shared as Windows lets programs
share one that was not opened exclusively: the second is told nothing, and the first has the traffic. Where the entry
does not go with its program, the port stays open as one whose handle another process has inherited: connections come
about, and nobody ever says a word.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from op_readiness.simulator.network.interface import Peer, Server
from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.host import FactKey, FactTable, HostFact
from op_readiness.simulator.programs.process import Process

SUBJECT = "port"


def shared(process: Process, protocol: str, port: int) -> bool:
    """Whether a port that is taken may be opened once more."""
    table, key = _table(process), _key(protocol, port)
    return table is not None and key in table.programmed and table.lookup(key) is None


def opened(process: Process, protocol: str, port: int) -> None:
    """A program of a HostProcess container has opened a port; nothing for any other."""
    if (table := _table(process)) is not None:
        with contextlib.suppress(WriteFailed):
            table.create(_key(protocol, port), HostFact("listening"))


def closed(process: Process, protocol: str, port: int) -> None:
    """It has let go of it."""
    table, key = _table(process), _key(protocol, port)
    if table is None:
        return
    with contextlib.suppress(WriteFailed):
        table.delete(key)
    if key in table.programmed and protocol == "TCP":
        process.network.listen(protocol, port, Server(raw=_nobody, up=partial(_held, table, key)))


def _table(process: Process) -> FactTable | None:
    node = getattr(process.world, "nodes", {}).get(process.network.node) if process.host_process else None
    return None if node is None else node.host.table


def _key(protocol: str, port: int) -> FactKey:
    return FactKey(SUBJECT, f"{protocol} {port}")


def _held(table: FactTable, key: FactKey) -> bool:
    return key in table.programmed


async def _nobody(data: bytes, peer: Peer) -> bytes:
    """The connection stays; the client's own patience ends it."""
    await asyncio.Event().wait()
    return b""
