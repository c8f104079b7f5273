"""IP addresses of Pods: the next free one of the Node's range, so that an address rests before it is used again.

The table (state IPAM) holds what is handed out, by address, and entries that a fault can change: `range` (the CIDR in
use), `next` (where the search begins) and `recycle`, for pools that Nodes share (`gives`: what this Node gives back
from now on is for all; `yes`: that comes first here too, oldest before newest). An address whose release is lost is a
leak, as on a real Node.
"""

from __future__ import annotations

import ipaddress
from collections import deque

from op_readiness.simulator.network.table import Table

RANGE, NEXT, RECYCLE = "range", "next", "recycle"
SHARING = ("gives", "yes")


class OutOfAddresses(Exception):
    """No address is left in the Node's range; the text is the CNI plugin's."""


class Ipam:
    """Hands out the addresses of one Node. `.1` is the gateway's, `.2` the source VIP's."""

    def __init__(self, table: Table[str, str], cidr: str, given_back: deque[str]) -> None:
        self._table, self._given_back = table, given_back
        self._cidr = cidr
        self.reset()

    def reset(self, following: str = "") -> None:
        """The entries that are no addresses, as they are without faults; the search goes on at `following`, if it is in
        the Node's own range.
        """
        self._table.programmed |= {RANGE: self._cidr, RECYCLE: "no"}
        if following and ipaddress.ip_address(following) in ipaddress.ip_network(self._cidr):
            self._table.programmed[NEXT] = following

    def allocate(self, owner: str) -> str:
        """The next free address; raises OutOfAddresses, WriteFailed."""
        if self._given_back and self._table.lookup(RECYCLE) == "yes":
            address = self._given_back.popleft()
            self._table.create(address, owner)
            return address
        network = ipaddress.ip_network(self._table.lookup(RANGE) or self._cidr)
        first, last = int(network.network_address) + 3, int(network.network_address) + network.num_addresses - 2
        start = self._start(first, last)
        for offset in range(last - first + 1):
            number = first + (start - first + offset) % (last - first + 1)
            address = str(ipaddress.ip_address(number))
            if self._table.lookup(address) is None:
                self._table.create(address, owner)
                self._take(address)
                self._table.programmed[NEXT] = str(ipaddress.ip_address(number + 1))
                return address
        raise OutOfAddresses(
            f"failed to allocate for range 0: no IP addresses available in range set: "
            f"{ipaddress.ip_address(first - 2)}-{ipaddress.ip_address(last)}"
        )

    def release(self, address: str) -> None:
        """Give an address back; raises WriteFailed."""
        if address in self._table.programmed:
            self._table.delete(address)
            if ":" not in address and self._table.lookup(RECYCLE) in SHARING:  # an IPv6 one follows its IPv4 one
                self._given_back.append(address)

    def _take(self, address: str) -> None:
        if address in self._given_back:
            self._given_back.remove(address)

    def _start(self, first: int, last: int) -> int:
        said = self._table.lookup(NEXT)
        number = int(ipaddress.ip_address(said)) if said else first
        return number if first <= number <= last else first


def beside(ip: str, cidr6: str) -> str:
    """The IPv6 address of `cidr6` that goes with an IPv4 address: the same number at its end."""
    return str(ipaddress.ip_network(cidr6)[int(ipaddress.ip_address(ip)) & 0xFFFF])


def gateway(cidr: str) -> str:
    """The address that a Node's own packets to its Pods come from."""
    return str(ipaddress.ip_network(cidr)[1])


def source_vip(cidr: str) -> str:
    """The address that a Windows Node keeps for the answers of remote backends."""
    return str(ipaddress.ip_network(cidr)[2])
