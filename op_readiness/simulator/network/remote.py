"""Remote endpoints of one Node: who needs which, so that the last user takes the entry away.

As on a real Windows Node several users (the CNI, each Service behind which the Pod stands) hold one entry. Windows
takes an entry that it finds as its own and does not look where it points; Linux writes it anew.
"""

from __future__ import annotations

from op_readiness.simulator.network.table import Table, WriteFailed


class RemoteEndpoints:
    """Keeper of the REP table of one Node. `trusting`: an entry already there is used as it is (Windows)."""

    def __init__(self, table: Table[str, str], trusting: bool) -> None:
        self._table, self._trusting = table, trusting
        self._holders: dict[str, dict[str, str]] = {}

    def acquire(self, ip: str, node: str, holder: str) -> None:
        """`holder` needs `ip`, which lives on `node`."""
        held = self._holders.setdefault(ip, {})
        known = next(reversed(held.values()), None)
        for other in held:
            held[other] = node
        held[holder] = node
        if known == node:
            return
        if known is not None:
            self._write("update", ip, node)
        elif not (self._trusting and ip in self._table.programmed):
            self._write("create", ip, node)

    def release(self, ip: str, holder: str) -> None:
        """`holder` needs `ip` no more; the last one deletes the entry, others lower its count (an update)."""
        held = self._holders.get(ip)
        if held is None or holder not in held:
            return
        node = held.pop(holder)
        if held:
            self._write("update", ip, next(reversed(held.values()), node))
        else:
            del self._holders[ip]
            self._write("delete", ip, node)

    def became_local(self, ip: str) -> None:
        """The address now belongs to a Pod of this Node: what is still held goes, what is unknown stays."""
        if self._holders.pop(ip, None):
            self._write("delete", ip, "")

    def holders(self, ip: str) -> list[str]:
        """Who holds the entry."""
        return list(self._holders.get(ip, {}))

    def share(self, ip: str, holder: str) -> bool:
        """`holder` needs `ip` too, wherever it lives; False when it is no remote Pod's."""
        held = self._holders.get(ip)
        if not held:
            return False
        held.setdefault(holder, next(reversed(held.values())))
        return True

    def forget(self, keep: str = "") -> None:
        """Lose the memory of all holders but one, without touching the table."""
        for ip in list(self._holders):
            self._holders[ip] = {holder: node for holder, node in self._holders[ip].items() if holder == keep}
            if not self._holders[ip]:
                del self._holders[ip]

    def rewrite(self) -> None:
        """Write every held entry, whatever the table says, and take away what nobody holds."""
        for ip in [ip for ip in self._table if ip not in self._holders]:
            self._write("delete", ip, "")
        for ip, held in self._holders.items():
            self._write("create", ip, next(reversed(held.values())))

    def _write(self, operation: str, ip: str, node: str) -> None:
        try:
            if operation == "create":
                self._table.create(ip, node)
            elif operation == "update":
                self._table.update(ip, node)
            else:
                self._table.delete(ip)
        except WriteFailed:
            return  # as the real keepers: logged, and believed to be as it was
