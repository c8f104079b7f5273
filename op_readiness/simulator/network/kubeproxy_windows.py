"""kube-proxy of a Windows Node (winkernel), with the habits that its reports show.

It writes a load balancer only when what it wants has changed. A load balancer has one internal port, so endpoints of
one Service port with other numbers cannot be reached. A Service without endpoints has no load balancer, hence silence
and no refusal. One whose deletion failed is taken for valid again when a Service with the same address, port and
number of endpoints comes. When a face of a Service port cannot be made, its other faces wait for the next try.
"""

from __future__ import annotations

from dataclasses import dataclass

from op_readiness.simulator.network.keys import LbKey, LbValue
from op_readiness.simulator.network.kubeproxy import KubeProxy, Surroundings, backends_of, usable
from op_readiness.simulator.network.remote import RemoteEndpoints
from op_readiness.simulator.network.services import Face, Name, PortView, ServiceView
from op_readiness.simulator.network.table import WriteFailed
from op_readiness.simulator.network.tables import NodeTables

AFFINITY_FROM_BUILD = 20348  # Server 2022; older HNS has no session affinity
PORT_EXISTS = "hcnCreateLoadBalancer failed in Win32: The specified port already exists."


@dataclass(frozen=True)
class _Stale:
    key: LbKey
    backends: int
    internal_port: int | None


class WindowsKubeProxy(KubeProxy):
    """winkernel semantics."""

    source_vip = ""

    def __init__(self, tables: NodeTables, remote: RemoteEndpoints, around: Surroundings) -> None:
        super().__init__(tables, remote, around)
        self._references: dict[Name, set[str]] = {}
        self._stale: dict[tuple[str, str, int], _Stale] = {}

    def _forget(self) -> None:
        super()._forget()
        self._references, self._stale = {}, {}
        self.remote.forget(keep="cni")

    def _begin(self) -> None:
        for key in self.tables.lb:
            self._remove(key)

    def _programme(self, name: Name, view: ServiceView | None) -> None:
        wanted = {} if view is None else self._wanted(view)
        for key in self._of_service.pop(name, set()) - set(wanted):
            self._remove(key)
        before = self._references.pop(name, set())
        after = self._refer(name, wanted)
        self._of_service[name] = {key for key in wanted if key in self.believed}
        failed = [error for error in (self._faces_of_port(name, part) for part in _ports(wanted)) if error]
        for ip in before - after:
            self.remote.release(ip, "/".join(name))
        if failed:
            raise failed[0]

    def _faces_of_port(self, name: Name, wanted: list[tuple[LbKey, LbValue]]) -> WriteFailed | None:
        """Write the faces of one Service port until one fails."""
        try:
            for key, value in wanted:
                self._write(key, value)
                self._of_service[name].add(key)
        except WriteFailed as error:
            return error
        return None

    def _refer(self, name: Name, wanted: dict[LbKey, LbValue]) -> set[str]:
        used = {backend.ip for value in wanted.values() for backend in value.backends}
        self._references[name] = {ip for ip in used if self.remote.share(ip, "/".join(name))}
        return self._references[name]

    def _wanted(self, view: ServiceView) -> dict[LbKey, LbValue]:
        values = {key: self._value(view, port, face) for key, port, face in self._faces(view)}
        return {key: value for key, value in values.items() if value.backends}

    def _value(self, view: ServiceView, port: PortView, face: Face) -> LbValue:
        endpoints = usable(port.endpoints, face.family, fall_back=view.has_ingress)
        internal = endpoints[0].port if endpoints else None
        if self._is_local_only(view, face):
            endpoints = [endpoint for endpoint in endpoints if endpoint.node == self.node]
        return LbValue(
            backends_of(endpoints), internal, view.affinity if self._has_affinity() else 0,
            source_vip=self.source_vip,
            policy=view.external_policy, internal_policy=view.internal_policy, service_type=view.type,
        )

    def _has_affinity(self) -> bool:
        build = self.tables.machine.build.split(".")
        return len(build) < 3 or not build[2].isdigit() or int(build[2]) >= AFFINITY_FROM_BUILD

    def _write(self, key: LbKey, value: LbValue) -> None:
        if self.believed.get(key) == value:
            return
        frontend = (key.protocol, key.vip, key.port)
        stale = self._stale.get(frontend)
        if key in self.believed:
            if stale is not None:
                self._clear_stale(stale, frontend, keep=key)
            self.tables.lb.update(key, value)
        elif stale is None or (stale.backends, stale.internal_port) != (len(value.backends), value.internal_port):
            if stale is not None:
                self._clear_stale(stale, frontend)
            self._create(key, value)
        self.believed[key] = value

    def _create(self, key: LbKey, value: LbValue) -> None:
        taken = [other for other in self.tables.lb.found((key.protocol, key.vip, key.port)) if other != key]
        if any(other.family == key.family for other in taken):
            raise WriteFailed(PORT_EXISTS)
        self.tables.lb.create(key, value)

    def _clear_stale(self, stale: _Stale, frontend: tuple[str, str, int], keep: LbKey | None = None) -> None:
        if stale.key != keep:
            self.tables.lb.delete(stale.key)
        del self._stale[frontend]

    def _remove(self, key: LbKey) -> None:
        value = self.believed.pop(key, None) or self.tables.lb.programmed.get(key)
        try:
            self.tables.lb.delete(key)
        except WriteFailed:
            if value is not None:
                self._stale[key.protocol, key.vip, key.port] = _Stale(key, len(value.backends), value.internal_port)


def _ports(wanted: dict[LbKey, LbValue]) -> list[list[tuple[LbKey, LbValue]]]:
    ports: dict[tuple[str, str], list[tuple[LbKey, LbValue]]] = {}
    for key, value in wanted.items():
        ports.setdefault((key.port_name, key.protocol), []).append((key, value))
    return list(ports.values())
