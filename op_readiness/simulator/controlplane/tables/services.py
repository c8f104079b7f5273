"""Rows of Services, Endpoints and EndpointSlices."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.tables.cells import age, pairs

Object = dict[str, Any]
SHOWN = 3


def _ports(spec: Object) -> str:
    texts = []
    for port in spec.get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or "<none>"


def _external(obj: Object) -> str:
    spec = obj["spec"]
    given = ",".join(spec.get("externalIPs") or ())
    if spec["type"] == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec["type"] == "LoadBalancer":
        ingress = (obj.get("status", {}).get("loadBalancer") or {}).get("ingress") or ()
        found = ",".join(sorted({i.get("ip") or i.get("hostname", "") for i in ingress}))
        return ",".join(filter(None, (found, given))) or "<pending>"
    return given or "<none>"


def service(obj: Object) -> list[Any]:
    """Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector."""
    spec = obj["spec"]
    address = (spec.get("clusterIPs") or [spec.get("clusterIP") or "<none>"])[0]
    row = [obj["metadata"]["name"], spec["type"], address, _external(obj), _ports(spec), age(obj)]
    return [*row, pairs(spec.get("selector"))]


def _cut(texts: list[str], *, more: str) -> str:
    shown = ",".join(texts[:SHOWN])
    return f"{shown}{more.format(len(texts) - SHOWN)}" if len(texts) > SHOWN else shown


def endpoints(obj: Object) -> list[Any]:
    """Name, Endpoints, Age."""
    found = []
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or [None]:
            suffix = f":{port['port']}" if port else ""
            found += [f"{address['ip']}{suffix}" for address in subset.get("addresses") or ()]
    return [obj["metadata"]["name"], _cut(found, more=" + {} more...") or "<none>", age(obj)]


def endpoint_slice(obj: Object) -> list[Any]:
    """Name, AddressType, Ports, Endpoints, Age."""
    if obj.get("ports") is None:
        ports = "*"
    else:
        named = [str(p["port"]) if p.get("port") else "*" for p in obj["ports"]]
        ports = _cut(named, more=" + {} more...") or "<unset>"
    addresses = [a for e in obj.get("endpoints") or () for a in e.get("addresses") or ()]
    shown = _cut(addresses, more=" + {} more...") or "<unset>"
    return [obj["metadata"]["name"], obj.get("addressType", ""), ports, shown, age(obj)]
