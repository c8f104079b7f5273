"""The network tables of one Node, with the indexes that make a look-up cheap.

Everything that a packet meets on a Node stands here and nowhere else. Faults reach a table by its state
(`NodeTables.by_state`); people see all of them in `dump`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import asdict, is_dataclass
from typing import Any, Protocol, TypeVar

from op_readiness.simulator.network.keys import AclValue, DnsValue, EpValue, LbKey, LbValue, RouteKey, RouteValue
from op_readiness.simulator.network.table import Table

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Machine(Protocol):
    """What the network asks of a Node (or of a machine outside): see `simulator.world.Node`."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def os(self) -> str:
        """`windows` or `linux`."""

    @property
    def build(self) -> str:
        """OS build, as `10.0.20348`."""

    @property
    def ip(self) -> str:
        """Its InternalIP."""

    @property
    def pod_cidr(self) -> str:
        """Where its Pods get addresses from."""

    @property
    def ip6(self) -> str:
        """Its InternalIP of IPv6, empty without dual stack."""

    @property
    def pod_cidr6(self) -> str:
        """Where its Pods get IPv6 addresses from, empty without dual stack."""


class _Indexed(Table[K, V]):
    """A table that also finds its keys by what a packet carries."""

    def __init__(self, state: str, node: str) -> None:
        super().__init__(state, node)
        self._index: dict[Hashable, list[K]] = {}

    def set(self, key: K, value: V | None) -> None:
        """Change what is programmed, and the index with it."""
        old = self.programmed.get(key)
        if old is not None:
            for place in self._places(key, old):
                self._index[place].remove(key)
                if not self._index[place]:
                    del self._index[place]
        super().set(key, value)
        if value is not None:
            for place in self._places(key, value):
                self._index.setdefault(place, []).append(key)

    def found(self, place: Hashable) -> list[K]:
        """Keys programmed at that place, oldest first."""
        return self._index.get(place, [])

    def _places(self, key: K, value: V) -> Iterable[Hashable]:
        raise NotImplementedError


class LbTable(_Indexed[LbKey, LbValue]):
    """Load balancers, found by protocol, address (empty for NodePort) and port."""

    def _places(self, key: LbKey, value: LbValue) -> Iterable[Hashable]:
        return [(key.protocol, key.vip, key.port)]


class EpTable(_Indexed[str, EpValue]):
    """Endpoints of Pods, found by address."""

    def _places(self, key: str, value: EpValue) -> Iterable[Hashable]:
        return value.addresses


class NodeTables:
    """All network tables of one machine."""

    def __init__(self, machine: Machine) -> None:
        name = machine.name
        self.machine = machine
        self.lb = LbTable("LB", name)
        self.rep: Table[str, str] = Table("REP", name)
        self.ep = EpTable("EP", name)
        self.acl: Table[str, AclValue] = Table("ACL", name)
        self.dns: Table[Any, Any] = Table("DNS", name)
        self.route: Table[RouteKey, RouteValue] = Table("ROUTE", name)
        self.ipam: Table[str, str] = Table("IPAM", name)

    def all(self) -> list[Table[Any, Any]]:
        """Every table."""
        return [self.lb, self.rep, self.ep, self.acl, self.dns, self.route, self.ipam]

    def by_state(self, state: str) -> Table[Any, Any]:
        """The table of that state (LB, REP, EP, ACL, DNS, ROUTE, IPAM); raises KeyError."""
        return {table.state: table for table in self.all()}[state]

    def clear(self) -> None:
        """Forget everything that is programmed; hooks stay."""
        for table in self.all():
            for key in table:
                table.set(key, None)

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """What is programmed, as JSON."""
        return {
            table.state: [{"key": _plain(key), "value": _plain(value)} for key, value in table.programmed.items()]
            for table in self.all()
        }


def addresses_of(machine: Machine) -> tuple[str, ...]:
    """The addresses of a machine, one a family."""
    return tuple(ip for ip in (machine.ip, machine.ip6) if ip)


def address_in(machine: Machine, family: str) -> str:
    """Its address of a family, else the one it has."""
    return next((ip for ip in addresses_of(machine) if (":" in ip) == (family == "IPv6")), machine.ip)


def pod_cidr_in(machine: Machine, family: str) -> str:
    """The range of its Pods' addresses of a family; empty without one."""
    return machine.pod_cidr6 if family == "IPv6" else machine.pod_cidr


def is_overlay(machine: Machine) -> bool:
    """Whether its Pods are in an overlay network: Windows has IPv6 on bridged ones alone."""
    return not pod_cidr_in(machine, "IPv6")


def subnet_of(machine: Machine) -> str:
    """The subnet that a machine says it is in, else the /24 (or /64) of its address."""
    said = getattr(machine, "subnet", "")
    if said:
        return str(said)
    if ":" in machine.ip:
        return ":".join(machine.ip.split(":")[:4]) + "::/64"
    return machine.ip.rpartition(".")[0] + ".0/24"


def dns_config(value: Any) -> DnsValue:
    """A DNS value as met by a look-up; nothing there means a resolver without servers."""
    return value if isinstance(value, DnsValue) else DnsValue(())


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
