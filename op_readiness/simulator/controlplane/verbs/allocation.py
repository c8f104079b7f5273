"""ClusterIPs and NodePorts: which are free, which a Service asks for, and the refusals where they cannot be had."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from op_readiness.simulator.controlplane.store import families
from op_readiness.simulator.controlplane.store.families import family_of
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Event, Store
from op_readiness.simulator.controlplane.wire.failures import FieldError, invalid, invalid_value

Object = dict[str, Any]
Range = ipaddress.IPv4Network | ipaddress.IPv6Network
PORTS = range(30000, 32768)
DRY_RUN_PORT = PORTS[-1] + 2  # what a dry run answers with: no port of the range is taken
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
STATIC_SHARE = 256


@dataclass
class Allocated:
    """What one request took; `undo` gives it back (a dry run)."""

    undone: list[Callable[[], None]] = field(default_factory=list)

    def undo(self) -> None:
        """Give everything back."""
        for step in self.undone:
            step()


class Allocator:
    """Addresses and ports in use, kept by the writes of Services themselves."""

    def __init__(
        self, store: Store, source: random.Random, service_range: str = "10.96.0.0/16", second_range: str = ""
    ) -> None:
        self.ranges: dict[str, Range] = {"IPv4": ipaddress.IPv4Network(service_range)}
        if second_range:
            self.ranges["IPv6"] = ipaddress.IPv6Network(second_range)
        self._random = source
        self._addresses: dict[str, str] = {}
        self._ports: dict[int, str] = {}
        store["", "services"].watchers.append(self._written)

    def _written(self, event: Event) -> None:
        if event.old is not None:
            self._forget(event.old.object)
        if event.new is not None:
            self._keep(event.new.object)

    def _forget(self, service: Object) -> None:
        uid = service["metadata"]["uid"]
        for address in service["spec"].get("clusterIPs") or ():
            if self._addresses.get(address) == uid:
                del self._addresses[address]
        for port in service["spec"].get("ports") or ():
            if self._ports.get(port.get("nodePort")) == uid:
                del self._ports[port["nodePort"]]

    def _keep(self, service: Object) -> None:
        uid, spec = service["metadata"]["uid"], service["spec"]
        for address in spec.get("clusterIPs") or ():
            if address != "None":
                self._addresses[address] = uid
        for port in spec.get("ports") or ():
            if port.get("nodePort"):
                self._ports[port["nodePort"]] = uid

    def allocate(self, request: Request, obj: Object, old: Object | None) -> Allocated:
        """Give a new or changed Service its ClusterIP, families and NodePorts, in place."""
        allocated = Allocated()
        if request.plural != "services" or request.group or request.subresource == "status":
            return allocated
        errors = self._families(obj, old)
        if not errors:  # families that cannot be had end it: there is no range to draw an address from
            errors = self._address(request, obj, old) + self._node_ports(request, obj, old)
        if errors:
            raise invalid("Service", "", obj["metadata"]["name"], errors)
        return allocated

    @property
    def range(self) -> Range:
        """The range of the first family, in which the API's own Service is."""
        return self.ranges["IPv4"]

    def _families(self, obj: Object, old: Object | None) -> list[FieldError]:
        spec = obj["spec"]
        if spec["type"] != "ExternalName":
            return families.decide(spec, old["spec"] if old else None, tuple(self.ranges))
        for name in families.FIELDS:
            spec.pop(name, None)
        if old is not None and old["spec"]["type"] != "ExternalName":
            spec.pop("internalTrafficPolicy", None)
        return []

    def _address(self, request: Request, obj: Object, old: Object | None) -> list[FieldError]:
        spec = obj["spec"]
        if spec["type"] == "ExternalName":
            return []
        if old is not None and not spec.get("clusterIP"):
            spec["clusterIP"] = old["spec"].get("clusterIP", "")
            spec["clusterIPs"] = old["spec"].get("clusterIPs", [])
        asked = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
        wanted = spec.get("clusterIP") or asked[0]
        if wanted == "None":
            spec["clusterIP"], spec["clusterIPs"] = "None", ["None"]
            return []
        before = (old["spec"].get("clusterIPs") or [old["spec"].get("clusterIP")]) if old is not None else []
        given = {family_of(ip): ip for ip in (wanted, *asked[1:]) if ip}
        for ip in given.values():
            if ip not in before and (problem := self._refused(request, ip)):
                why = f"failed to allocate IP {ip}: {problem}"
                return [invalid_value("spec.clusterIPs", spec.get("clusterIPs") or [ip], why)]
        addresses = [given.get(family) or self._drawn(request, family) for family in spec["ipFamilies"]]
        spec["clusterIP"], spec["clusterIPs"] = addresses[0], addresses
        return []

    def _refused(self, request: Request, wanted: str) -> str:
        address, range_ = ipaddress.ip_address(wanted), self.ranges.get(family_of(wanted), self.range)
        if address not in range_ and len(self.ranges) > 1:
            return "the provided network does not match the current range"
        if address not in range_ or address == range_.network_address:
            return f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {range_}"
        taken = wanted in self._addresses and not request.dry_run
        return "provided IP is already allocated" if taken else ""

    def _drawn(self, request: Request, family: str) -> str:
        return str(self.ranges[family].network_address) if request.dry_run else self._free_address(family)

    def _free_address(self, family: str) -> str:
        """Addresses above the static share first, as the real allocator draws them."""
        range_ = self.ranges[family]
        first, size = int(range_.network_address), range_.num_addresses
        share = min(max(16, size // 16), STATIC_SHARE)
        while True:
            address = str(ipaddress.ip_address(first + self._random.randrange(share + 1, size - 1)))
            if address not in self._addresses:
                return address

    def _node_ports(self, request: Request, obj: Object, old: Object | None) -> list[FieldError]:
        spec, before = obj["spec"], old["spec"] if old else {}
        if spec["type"] not in WITH_NODE_PORTS or spec.get("allocateLoadBalancerNodePorts") is False:
            if before.get("type") in WITH_NODE_PORTS:
                _drop_node_ports(spec, before)
            return []
        own = {port.get("nodePort") for port in before.get("ports") or ()}
        known = {(p.get("port"), p.get("protocol")): p.get("nodePort") for p in before.get("ports") or ()}
        errors: list[FieldError] = []
        used: dict[int, set[str]] = {}
        for index, port in enumerate(spec.get("ports") or ()):
            wanted = port.get("nodePort") or known.get((port.get("port"), port.get("protocol")))
            if wanted:
                problem = self._port_refused(request, wanted, own, used.get(wanted, set()), port["protocol"])
                if problem:
                    errors.append(invalid_value(f"spec.ports[{index}].nodePort", wanted, problem))
                port["nodePort"] = wanted
                used.setdefault(wanted, set()).add(port["protocol"])
        self._fill_ports(request, spec, used)
        return errors

    def _port_refused(self, request: Request, wanted: int, own: set[Any], used: set[str], protocol: str) -> str:
        if used:
            return "provided port is already allocated" if protocol in used else ""
        if wanted in own:
            return ""
        if wanted not in PORTS:
            why = f"provided port is not in the valid range. The range of valid ports is {PORTS[0]}-{PORTS[-1]}"
            return "" if request.dry_run else why
        return "provided port is already allocated" if wanted in self._ports else ""

    def _fill_ports(self, request: Request, spec: Object, used: dict[int, set[str]]) -> None:
        drawn: dict[int, int] = {}
        for port in spec.get("ports") or ():
            if port.get("nodePort"):
                continue
            if request.dry_run:
                port["nodePort"] = DRY_RUN_PORT + len(drawn)
                drawn[DRY_RUN_PORT + len(drawn)] = 0
                continue
            shared = drawn.get(port["port"])
            if shared is None or port["protocol"] in used[shared]:
                shared = drawn[port["port"]] = self._free_port(used)
            port["nodePort"] = shared
            used.setdefault(shared, set()).add(port["protocol"])

    def _free_port(self, used: dict[int, set[str]]) -> int:
        while True:
            port = self._random.choice(PORTS)
            if port not in self._ports and port not in used:
                return port


def _drop_node_ports(spec: Object, before: Object) -> None:
    """A Service that stops being a NodePort gives back what it had not asked for."""
    old = {port.get("nodePort") for port in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        if port.get("nodePort") in old:
            port.pop("nodePort", None)
