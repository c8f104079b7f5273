"""kube-proxy of a Linux Node: every Service as the API has it, a refusal for one without endpoints."""

from __future__ import annotations

from op_readiness.simulator.network.keys import LbKey, LbValue
from op_readiness.simulator.network.kubeproxy import KubeProxy, backends_of, usable
from op_readiness.simulator.network.services import Face, Name, PortView, ServiceView


class LinuxKubeProxy(KubeProxy):
    """iptables semantics: rules of a Service are replaced as a whole."""

    def _programme(self, name: Name, view: ServiceView | None) -> None:
        wanted = {} if view is None else {key: self._value(view, port, face) for key, port, face in self._faces(view)}
        for key in self._of_service.pop(name, set()) - set(wanted):
            self.believed.pop(key, None)
            self.tables.lb.delete(key)
        for key, value in wanted.items():
            self._write(key, value)
            self._of_service.setdefault(name, set()).add(key)

    def _write(self, key: LbKey, value: LbValue) -> None:
        if self.believed.get(key) == value:
            return
        if key in self.believed:
            self.tables.lb.update(key, value)
        else:
            self.tables.lb.create(key, value)
        self.believed[key] = value

    def _value(self, view: ServiceView, port: PortView, face: Face) -> LbValue:
        endpoints = usable(port.endpoints, face.family, fall_back=True)
        chosen = endpoints
        if self._is_local_only(view, face):
            chosen = [endpoint for endpoint in endpoints if endpoint.node == self.node]
        return LbValue(
            backends_of(chosen), None, view.affinity, reject=not endpoints,
            policy=view.external_policy, internal_policy=view.internal_policy, service_type=view.type,
        )
