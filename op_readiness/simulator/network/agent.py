"""One Node's share of the network: its tables, their keepers (the CNI's and kube-proxy's) and what these remember."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.network.ipam import NEXT, Ipam, beside, source_vip
from op_readiness.simulator.network.keys import DnsKey, DnsValue, EpValue
from op_readiness.simulator.network.kubeproxy import LAG, KubeProxy, Surroundings
from op_readiness.simulator.network.kubeproxy_linux import LinuxKubeProxy
from op_readiness.simulator.network.kubeproxy_windows import WindowsKubeProxy
from op_readiness.simulator.network.remote import RemoteEndpoints
from op_readiness.simulator.network.stack import Stack
from op_readiness.simulator.network.table import Table, WriteFailed
from op_readiness.simulator.network.tables import Machine, NodeTables, addresses_of, is_overlay, pod_cidr_in

CNI = "cni"  # who holds the remote endpoints of Pods, beside Services


@dataclass
class Attachment:
    """A Pod's endpoint as the CNI wants it."""

    uid: str
    node: str
    endpoint: EpValue
    stack: Stack
    dns_key: DnsKey
    dns: DnsValue

    @property
    def ip(self) -> str:
        """Its first address."""
        return self.endpoint.addresses[0]

    @property
    def ips(self) -> tuple[str, ...]:
        """Its addresses, one a family."""
        return self.endpoint.addresses


class NodeAgent:
    """Tables and keepers of one Node."""

    def __init__(self, machine: Machine, kind: str, around: Surroundings, given_back: deque[str]) -> None:
        self.machine, self._clock = machine, around.clock
        self._coming: set[asyncio.Task[None]] = set()
        self.tables = NodeTables(machine)
        windows = machine.os == "windows"
        self.remote = RemoteEndpoints(self.tables.rep, trusting=windows)
        self.host = Stack(kind, machine, self.tables, addresses_of(machine))
        self.ipam = Ipam(self.tables.ipam, machine.pod_cidr, given_back) if machine.pod_cidr else None
        self.wanted: dict[str, Attachment] = {}
        self.wanted_dns: dict[DnsKey, DnsValue] = {}
        self.started = 0
        self.proxy: KubeProxy
        if windows:
            self.proxy = WindowsKubeProxy(self.tables, self.remote, around)
            self.proxy.source_vip = source_vip(machine.pod_cidr) if is_overlay(machine) else ""
        else:
            self.proxy = LinuxKubeProxy(self.tables, self.remote, around)

    def set_dns(self, key: DnsKey, value: DnsValue) -> None:
        """Give a resolver its settings; raises WriteFailed."""
        self.wanted_dns[key] = value
        self.tables.dns.create(key, value)

    def add(self, attachment: Attachment) -> None:
        """Attach a Pod's endpoint; raises WriteFailed."""
        self.tables.ep.create(attachment.uid, attachment.endpoint)
        self.wanted[attachment.uid] = attachment
        for ip in attachment.ips:
            self.remote.became_local(ip)
        self.set_dns(attachment.dns_key, attachment.dns)

    def remove(self, uid: str) -> None:
        """Take a Pod's endpoint away and free its address; raises WriteFailed when the endpoint stays."""
        attachment = self.wanted.get(uid)
        if attachment is None:
            return
        self.tables.ep.delete(uid)
        del self.wanted[uid]
        self.forget_dns(attachment.dns_key)
        for ip in attachment.ips:
            twin = next((other for other, kept in self.wanted.items() if ip in kept.ips), "")
            if twin:  # two Pods had it: it is the other's still
                self.tables.ipam.programmed[ip] = twin
            else:
                self.free(ip)

    def forget_dns(self, key: DnsKey) -> None:
        """A resolver is gone."""
        if self.wanted_dns.pop(key, None) is not None:
            with suppress(WriteFailed):
                self.tables.dns.delete(key)

    def free(self, ip: str) -> None:
        """Give an address back; one that cannot be given back is leaked."""
        if self.ipam is not None:
            with suppress(WriteFailed):
                self.ipam.release(ip)

    def address_beside(self, ip: str, uid: str) -> tuple[str, ...]:
        """The IPv6 address that goes with a Pod's IPv4 one; none without a range, or where it cannot be had."""
        cidr = pod_cidr_in(self.machine, "IPv6")
        if not cidr:
            return ()
        address = beside(ip, cidr)
        try:
            self.tables.ipam.create(address, uid)
        except WriteFailed:
            return ()
        return (address,)

    def restarts(self) -> dict[str, Callable[[], None]]:
        """How each of its components is restarted. HNS keeps what was written into it; faults say what it loses."""
        return {
            "kube-proxy": self.proxy.start,
            "cni": lambda: self._soon(self.remote.rewrite),
            "hns": lambda: None,
        }

    def close(self) -> None:
        """Stop every keeper."""
        self.proxy.stop()
        for task in self._coming:
            task.cancel()

    def _soon(self, act: Callable[[], None]) -> None:
        async def later() -> None:
            await self._clock.sleep(LAG)
            act()

        task = asyncio.get_running_loop().create_task(later())
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    def reattach(self) -> None:
        """Write endpoints and resolvers as wanted, whatever the tables say."""
        endpoints = {uid: attachment.endpoint for uid, attachment in self.wanted.items()}
        for table, wanted in ((self.tables.ep, endpoints), (self.tables.dns, self.wanted_dns)):
            _rewrite(table, wanted)

    def heal(self) -> None:
        """Empty every table and write it anew, but for the LB's, which is kube-proxy's."""
        following = self.tables.ipam.programmed.get(NEXT)
        self.tables.clear()
        if self.ipam is not None:
            self.ipam.reset(following or "")
        for uid, attachment in self.wanted.items():
            for ip in attachment.ips:
                self.tables.ipam.set(ip, uid)
        self.reattach()
        self.remote.rewrite()


def _rewrite(table: Table[Any, Any], wanted: Mapping[Any, Any]) -> None:
    for key in table:
        if key not in wanted:
            with suppress(WriteFailed):
                table.delete(key)
    for key, value in wanted.items():
        with suppress(WriteFailed):
            table.create(key, value)
