"""Whether the ACL of a Pod's endpoint lets a new connection or a datagram pass."""

from __future__ import annotations

import ipaddress

from op_readiness.simulator.network.keys import AclBlock, AclPort, AclRule, AclValue
from op_readiness.simulator.network.stack import Stack

Port = tuple[str, int]


def passes(stack: Stack, side: str, other: Stack, ip: str, port: Port, served: bool) -> bool:
    """Whether `stack` lets traffic pass from (ingress) or to (egress) `other` at `ip`; `served`: through a Service."""
    if stack.kind != "pod" or stack.tables is None:
        return True
    value = stack.tables.acl.lookup(stack.uid)
    if value is None:
        return True
    rules = value.ingress if side == "ingress" else value.egress
    if rules is None or (served and not value.services):
        return True
    if value.host and other.kind == "host" and other.machine.name == stack.machine.name:
        return True
    return any(_peer_fits(rule, ip) and _port_fits(rule, value, port) for rule in rules)


def _peer_fits(rule: AclRule, ip: str) -> bool:
    return rule.anyone or ip in rule.peers or any(_in_block(block, ip) for block in rule.blocks)


def _in_block(block: AclBlock, ip: str) -> bool:
    address = ipaddress.ip_address(ip)
    return address in ipaddress.ip_network(block.cidr, strict=False) and not any(
        address in ipaddress.ip_network(other, strict=False) for other in block.excepts
    )


def _port_fits(rule: AclRule, value: AclValue, port: Port) -> bool:
    return rule.ports is None or any(_matches(one, value, port) for one in rule.ports)


def _matches(one: AclPort, value: AclValue, port: Port) -> bool:
    last = one.last if value.ranges else one.first
    return one.protocol == port[0] and one.first <= port[1] <= last and (value.named or not one.named)
