"""Processes of HostProcess containers in their Node's NODE table: begun with the program, ended with the container.

The runtime ends them with the container's job object (KEP-1981); where their entry does not go, they live on.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.nodes.host import FactKey, HostFact
from op_readiness.simulator.programs.process import Process

SUBJECT = "process"
_NUMBERS = itertools.count(5000, 4)


@contextlib.contextmanager
def on_the_host(process: Process, path: str) -> Iterator[None]:
    """A program of a HostProcess container runs meanwhile; nothing for any other."""
    node = getattr(process.world, "nodes", {}).get(process.network.node) if process.host_process else None
    if node is None:
        yield
        return
    key = FactKey(SUBJECT, f"{process.files.parts(path)[-1]}#{next(_NUMBERS)}")
    with contextlib.suppress(WriteFailed):
        node.host.table.create(key, HostFact("running"))
    try:
        yield
    finally:
        with contextlib.suppress(WriteFailed):
            node.host.table.delete(key)
