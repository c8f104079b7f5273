"""NetworkPolicy: which rules every Pod's endpoint should have, and the keeper that writes them.

A new Pod gets its rules with its endpoint. Changes of policies, labels and peers are programmed after a little while,
only where they differ from what was written before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.clock import Clock
from op_readiness.simulator.network.keys import AclBlock, AclPort, AclRule, AclValue
from op_readiness.simulator.network.selectors import selects
from op_readiness.simulator.network.services import Object
from op_readiness.simulator.network.table import Table, WriteFailed

LAG = 1.0  # cluster seconds from a change to its programming
OPEN = AclValue()


@dataclass
class PolicedPod:
    """A Pod that policies can select or name: its object, addresses, and the ACL table of its Node."""

    pod: Object
    ips: tuple[str, ...]
    table: Table[str, AclValue]


class Policies:
    """The keeper of every Node's ACL table. `namespaces` and `policies` are informers."""

    def __init__(self, policies: Any, namespaces: Any, pods: Any, clock: Clock, emit: Callable[..., Any]) -> None:
        self._policies, self._namespaces, self._clock, self._emit = policies, namespaces, clock, emit
        self._pods: dict[str, PolicedPod] = {}
        self._believed: dict[str, AclValue] = {}
        self._task: asyncio.Task[None] | None = None
        policies.handlers.append(self._policy_changed)
        namespaces.handlers.append(self._changed)
        pods.handlers.append(self._pod_changed)

    def add(self, pod: Object, ips: tuple[str, ...], table: Table[str, AclValue]) -> None:
        """A Pod's endpoint is being made: give it its rules; raises WriteFailed."""
        uid = pod["metadata"]["uid"]
        policed = self._pods[uid] = PolicedPod(pod, ips, table)
        value = self._wanted(policed)
        table.create(uid, value)
        self._believed[uid] = value
        self._changed(None, None)

    def remove(self, uid: str) -> None:
        """A Pod's endpoint is gone, and its rules with it."""
        policed = self._pods.pop(uid, None)
        if policed is not None:
            self._believed.pop(uid, None)
            policed.table.set(uid, None)
            self._changed(None, None)

    def rewrite(self) -> None:
        """Write every Pod's rules as wanted, whatever is there."""
        self._believed.clear()
        self.sync()

    def sync(self) -> None:
        """Write what is wanted and was not written before; what failed is tried at the next change."""
        for uid, policed in self._pods.items():
            value, known = self._wanted(policed), self._believed.get(uid)
            if value == known:
                continue
            try:
                (policed.table.create if known is None else policed.table.update)(uid, value)
            except WriteFailed:
                continue
            self._believed[uid] = value

    def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()

    def _policy_changed(self, old: Object | None, new: Object | None) -> None:
        metadata = (new or old or {})["metadata"]
        word = "deleted" if new is None else "created" if old is None else "changed"
        self._emit(f"policy {word}", namespace=metadata.get("namespace", ""), name=metadata["name"])
        self._changed(old, new)

    def _pod_changed(self, old: Object | None, new: Object | None) -> None:
        policed = self._pods.get(new["metadata"]["uid"]) if new is not None else None
        if policed is not None and new is not None:
            same = policed.pod["metadata"].get("labels") == new["metadata"].get("labels")
            policed.pod = new
            if not same:
                self._changed(old, new)

    def _changed(self, _: Object | None, __: Object | None) -> None:
        idle = self._task is None or self._task.done()
        if idle and (self._policies.objects or any(value != OPEN for value in self._believed.values())):
            self._task = asyncio.get_running_loop().create_task(self._later())

    async def _later(self) -> None:
        await self._clock.sleep(LAG)
        self._task = None
        self.sync()

    def _wanted(self, policed: PolicedPod) -> AclValue:
        chosen = [policy for policy in self._policies.objects.values() if _selected(policy, policed.pod)]
        return AclValue(self._side(chosen, "Ingress", policed), self._side(chosen, "Egress", policed))

    def _side(self, policies: list[Object], side: str, policed: PolicedPod) -> tuple[AclRule, ...] | None:
        mine = [policy for policy in policies if side in _types(policy)]
        if not mine:
            return None
        return tuple(rule for policy in mine for rule in self._rules(policy, side, policed))

    def _rules(self, policy: Object, side: str, policed: PolicedPod) -> Iterator[AclRule]:
        field = "from" if side == "Ingress" else "to"
        for rule in policy["spec"].get(side.lower()) or []:
            peers = rule.get(field) or []
            pods = list(self._peers(policy, peers))
            blocks = tuple(_block(peer["ipBlock"]) for peer in peers if peer.get("ipBlock"))
            asked = rule.get("ports") or []
            if side == "Ingress" or not any(_named(port) for port in asked):
                ips = frozenset(ip for pod in pods for ip in pod.ips)
                yield AclRule(ips, blocks, not peers, _ports(asked, [policed]) if asked else None)
            else:  # a name means another number for every peer
                for pod in pods:
                    yield AclRule(frozenset(pod.ips), (), False, _ports(asked, [pod]))

    def _peers(self, policy: Object, peers: Iterable[Object]) -> Iterator[PolicedPod]:
        own = policy["metadata"].get("namespace", "")
        for peer in peers:
            if peer.get("ipBlock"):
                continue
            spaces = self._spaces(peer["namespaceSelector"]) if peer.get("namespaceSelector") is not None else {own}
            for policed in self._pods.values():
                metadata = policed.pod["metadata"]
                chosen = selects(peer.get("podSelector") or {}, metadata.get("labels") or {})
                if chosen and metadata.get("namespace", "") in spaces:
                    yield policed

    def _spaces(self, selector: Object) -> set[str]:
        return {
            space["metadata"]["name"]
            for space in self._namespaces.objects.values()
            if selects(selector, space["metadata"].get("labels") or {})
        }


def _selected(policy: Object, pod: Object) -> bool:
    same = policy["metadata"].get("namespace", "") == pod["metadata"].get("namespace", "")
    return same and selects(policy["spec"].get("podSelector") or {}, pod["metadata"].get("labels") or {})


def _types(policy: Object) -> list[str]:
    said = policy["spec"].get("policyTypes")
    return said or (["Ingress", "Egress"] if policy["spec"].get("egress") else ["Ingress"])


def _block(block: Object) -> AclBlock:
    return AclBlock(block["cidr"], tuple(block.get("except") or ()))


def _named(port: Mapping[str, Any]) -> bool:
    return isinstance(port.get("port"), str)


def _ports(asked: list[Object], pods: list[PolicedPod]) -> tuple[AclPort, ...]:
    found = []
    for port in asked:
        protocol = port.get("protocol", "TCP")
        if _named(port):
            numbers = {number for policed in pods for number in _numbers(policed.pod, port["port"], protocol)}
            found += [AclPort(protocol, number, number, True) for number in sorted(numbers)]
        elif port.get("port") is None:
            found.append(AclPort(protocol, 0, 65535))
        else:
            found.append(AclPort(protocol, port["port"], port.get("endPort") or port["port"]))
    return tuple(found)


def _numbers(pod: Object, name: str, protocol: str) -> Iterator[int]:
    for container in pod["spec"].get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                yield port["containerPort"]
