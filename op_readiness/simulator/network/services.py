"""What every Node should do with Services, computed from Services and EndpointSlices; shared by all keepers.

One view of each Service is kept until the Service or one of its slices changes, so that a change costs one
computation however many Nodes programme it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Name = tuple[str, str]
Listener = Callable[[Name, "ServiceView | None", "ServiceView | None"], None]


@dataclass(frozen=True)
class Endpoint:
    """One address of one Service port, as an EndpointSlice lists it."""

    ip: str
    port: int
    node: str
    ready: bool
    serving: bool
    terminating: bool
    family: str
    hostname: str = ""
    uid: str = ""


@dataclass(frozen=True)
class Face:
    """An address and port at which one Service port is offered."""

    face: str
    family: str
    vip: str
    port: int


@dataclass(frozen=True)
class PortView:
    """One port of a Service with its faces and endpoints."""

    name: str
    number: int
    protocol: str
    faces: tuple[Face, ...]
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class ServiceView:
    """One Service as a proxy sees it."""

    namespace: str
    name: str
    type: str
    external_policy: str
    internal_policy: str
    affinity: int
    has_ingress: bool
    ports: tuple[PortView, ...]

    def addresses(self) -> set[str]:
        """Addresses of all its endpoints."""
        return {endpoint.ip for port in self.ports for endpoint in port.endpoints}


class ServiceMap:
    """Views of all Services, kept by the informers' handlers; tells listeners (name, old view, new view)."""

    def __init__(self, services: Any, slices: Any) -> None:
        self.listeners: list[Listener] = []
        self.views: dict[Name, ServiceView] = {}
        self._services: dict[Name, Object] = dict(services.objects)
        self._slices: dict[Name, dict[str, Object]] = {}
        for obj in slices.objects.values():
            self._slices.setdefault(service_of(obj), {})[obj["metadata"]["name"]] = obj
        for name in self._services:
            self._refresh(name)
        services.handlers.append(self._service_changed)
        slices.handlers.append(self._slice_changed)

    def slices_of(self, name: Name) -> Iterator[Object]:
        """The EndpointSlices of a Service."""
        yield from self._slices.get(name, {}).values()

    def service(self, name: Name) -> Object | None:
        """The Service object."""
        return self._services.get(name)

    def services(self) -> dict[Name, Object]:
        """All Service objects by (namespace, name)."""
        return self._services

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        obj = new or old or {}
        name = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        if new is None:
            self._services.pop(name, None)
        else:
            self._services[name] = new
        self._refresh(name)

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        touched = set()
        if old is not None:
            touched.add(service_of(old))
            self._slices.get(service_of(old), {}).pop(old["metadata"]["name"], None)
        if new is not None:
            touched.add(service_of(new))
            self._slices.setdefault(service_of(new), {})[new["metadata"]["name"]] = new
        for name in touched:
            self._refresh(name)

    def _refresh(self, name: Name) -> None:
        old = self.views.pop(name, None)
        service = self._services.get(name)
        new = None if service is None else view_of(service, list(self.slices_of(name)))
        if new is not None:
            self.views[name] = new
        if old != new:
            for listener in self.listeners:
                listener(name, old, new)


def view_of(service: Object, slices: list[Object]) -> ServiceView:
    """The view of a Service; headless and ExternalName Services have no faces."""
    spec = service.get("spec", {})
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    ports = tuple(
        PortView(
            port.get("name", ""), port["port"], port.get("protocol", "TCP"),
            tuple(_faces(spec, ingress, port)), tuple(endpoints_of(slices, port)),
        )
        for port in spec.get("ports") or []
    )
    return ServiceView(
        service["metadata"].get("namespace", ""), service["metadata"]["name"], spec.get("type", "ClusterIP"),
        spec.get("externalTrafficPolicy") or "Cluster", spec.get("internalTrafficPolicy") or "Cluster",
        _affinity(spec), bool(ingress), ports,
    )


def endpoints_of(slices: list[Object], port: Object) -> Iterator[Endpoint]:
    """The endpoints that slices list for a Service port, each address once, in the order of slices and addresses."""
    seen: set[tuple[str, int]] = set()
    for piece in sorted(slices, key=lambda obj: str(obj["metadata"]["name"])):
        for number in _numbers(piece, port):
            for entry in piece.get("endpoints") or []:
                for endpoint in _addresses(entry, number, piece.get("addressType", "IPv4")):
                    if (endpoint.ip, endpoint.port) not in seen:
                        seen.add((endpoint.ip, endpoint.port))
                        yield endpoint


def family_of(ip: str) -> str:
    """`IPv6` or `IPv4`."""
    return "IPv6" if ":" in ip else "IPv4"


def _numbers(piece: Object, port: Object) -> Iterator[int]:
    for offered in piece.get("ports") or []:
        same = offered.get("protocol", "TCP") == port.get("protocol", "TCP")
        if same and (offered.get("name") or "") == port.get("name", "") and offered.get("port"):
            yield offered["port"]


def _addresses(entry: Object, port: int, family: str) -> Iterator[Endpoint]:
    conditions = entry.get("conditions") or {}
    ready = conditions.get("ready") is not False
    serving = ready if conditions.get("serving") is None else bool(conditions["serving"])
    target = entry.get("targetRef") or {}
    for ip in entry.get("addresses") or []:
        yield Endpoint(
            ip, port, entry.get("nodeName") or "", ready, serving, bool(conditions.get("terminating")), family,
            entry.get("hostname") or "", target.get("uid", ""),
        )


def _faces(spec: Object, ingress: list[Object], port: Object) -> Iterator[Face]:
    cluster_ips = [ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP")] if ip and ip != "None"]
    if spec.get("type") == "ExternalName":
        return
    families = []
    for ip in cluster_ips:
        families.append(family_of(ip))
        yield Face("ClusterIP", family_of(ip), ip, port["port"])
    if port.get("nodePort"):
        for family in families:
            yield Face("NodePort", family, "", port["nodePort"])
    for ip in spec.get("externalIPs") or []:
        yield Face("ExternalIP", family_of(ip), ip, port["port"])
    for entry in ingress:
        if entry.get("ip") and entry.get("ipMode", "VIP") == "VIP":
            yield Face("LoadBalancer", family_of(entry["ip"]), entry["ip"], port["port"])


def _affinity(spec: Object) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or 10800)


def service_of(piece: Object) -> Name:
    """Namespace and name of the Service that an EndpointSlice is of; the name is empty where it is none's."""
    labels = piece["metadata"].get("labels") or {}
    return piece["metadata"].get("namespace", ""), labels.get("kubernetes.io/service-name", "")
