"""A network stack: the addresses and open ports of a Pod, a Node or a machine outside, without any way between them."""

from __future__ import annotations

import itertools

from op_readiness.simulator.network.interface import AddressInUse, Server
from op_readiness.simulator.network.tables import Machine, NodeTables

EPHEMERAL = {"linux": (32768, 60999), "windows": (49152, 65535)}
ANY = ("", "0.0.0.0", "::")


class Stack:
    """One stack. `kind` is pod, host, external or internet; `tables` those of its Node (None outside the cluster)."""

    def __init__(
        self, kind: str, machine: Machine, tables: NodeTables | None, ips: tuple[str, ...], uid: str = "", pod: str = ""
    ) -> None:
        self.kind, self.machine, self.tables = kind, machine, tables
        self.ips, self.uid, self.pod = ips, uid, pod
        self.listeners: dict[tuple[str, int], list[tuple[str, Server]]] = {}
        low, high = EPHEMERAL[machine.os]
        self._low, self._span, self._turn = low, high - low + 1, itertools.count()

    @property
    def attached(self) -> bool:
        """Whether packets pass between this stack and its Node."""
        if self.kind != "pod" or self.tables is None:
            return True
        value = self.tables.ep.lookup(self.uid)
        return value is not None and value.state == "attached"

    @property
    def masked(self) -> bool:
        """Whether Pods of other Nodes see its Node's address instead of its own."""
        value = self.tables.ep.lookup(self.uid) if self.kind == "pod" and self.tables is not None else None
        return value is not None and value.masked

    @property
    def addresses(self) -> list[str]:
        """The addresses of its adapters."""
        if self.kind != "pod" or self.tables is None:
            return list(self.ips)
        value = self.tables.ep.lookup(self.uid)
        return [] if value is None or value.state == "missing" else list(value.addresses)

    def listen(self, protocol: str, port: int, server: Server, address: str = "") -> None:
        """Open a port; raises AddressInUse. Who does not listen there just now is not in the way."""
        taken = self.listeners.setdefault((protocol, port), [])
        for other, there in taken:
            if there.up() and (other == address or other in ANY or address in ANY):
                raise AddressInUse(f"{protocol} {address}:{port}")
        taken.append((address, server))

    def close(self, protocol: str, port: int, address: str = "") -> None:
        """Close a port."""
        kept = [entry for entry in self.listeners.get((protocol, port), []) if entry[0] != address]
        if kept:
            self.listeners[protocol, port] = kept
        else:
            self.listeners.pop((protocol, port), None)

    def server(self, protocol: str, port: int, ip: str) -> Server | None:
        """Who listens at that address and port."""
        for address, server in self.listeners.get((protocol, port), ()):
            if (address in ANY or address == ip) and server.up():
                return server
        return None

    def ephemeral_port(self) -> int:
        """A source port."""
        return self._low + next(self._turn) % self._span
