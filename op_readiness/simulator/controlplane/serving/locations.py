"""Where a subresource leads: the kubelet of a Node, a Pod's address, an endpoint of a Service; or the refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from op_readiness.simulator.controlplane.serving.podactions import stored_pod
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire.failures import Failure, bad_request, not_found

Object = dict[str, Any]
KUBELET_PORT = 10250
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class Location:
    """A host and port of the simulated network."""

    host: str
    port: int


def split(text: str) -> tuple[str, str, str]:
    """(scheme, name, port) of `name`, `name:port` or `scheme:name:port`."""
    parts = text.split(":")
    match len(parts):
        case 1:
            return "", text, ""
        case 2:
            return "", parts[0], parts[1]
        case 3 if parts[0] in ("", "http", "https"):
            return parts[0], parts[1], parts[2]
    raise bad_request(f'invalid request "{text}"')


def kubelet(cluster: Cluster, name: str) -> Location:
    """The kubelet of a Node."""
    node = cluster.store.get(("", "nodes"), "", name)
    if node is None:
        raise not_found("nodes", "", name)
    status = node.object.get("status") or {}
    addresses = status.get("addresses") or []
    found = next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")
    if not found:
        known = ",".join(f"{{{a['type']} {a['address']}}}" for a in addresses)
        raise Failure(500, "", f"no preferred addresses found; known addresses: [{known}]")
    port = (status.get("daemonEndpoints") or {}).get("kubeletEndpoint", {}).get("Port") or KUBELET_PORT
    return Location(found, port)


def node(cluster: Cluster, request: Request) -> Location:
    """Where `nodes/NAME/proxy` leads."""
    _, name, port = split(request.name)
    found = kubelet(cluster, name)
    if port and port != str(found.port):
        return Location(found.host, int(port))
    return found


def container_of(pod: Object, wanted: str) -> str:
    """The container that a log or exec is about, or a 400."""
    spec, name = pod["spec"], pod["metadata"]["name"]
    known = [c["name"] for part in CONTAINERS for c in spec.get(part) or ()]
    if wanted:
        if wanted not in known:
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    containers = spec.get("containers") or []
    if len(containers) == 1:
        return str(containers[0]["name"])
    text = f"a container name must be specified for pod {name}, choose one of: [{' '.join(known)}]"
    raise bad_request(text)


def pod_address(cluster: Cluster, request: Request) -> tuple[str, Location]:
    """(scheme, location) that `pods/NAME/proxy` leads to."""
    scheme, name, port = split(request.name)
    pod = stored_pod(cluster, request.namespace, name).object
    address = pod.get("status", {}).get("podIP") or ""
    if not address:
        raise bad_request("address not allowed")
    if not port:
        ports = [p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or ()]
        port = str(ports[0]) if ports else "80"
    return scheme, Location(address, _number(port))


def _number(port: str) -> int:
    if not port.isdigit():
        raise bad_request(f"invalid port {port!r}")
    return int(port)


def service_endpoint(cluster: Cluster, request: Request) -> tuple[str, Location]:
    """(scheme, location) of one ready endpoint that `services/NAME/proxy` leads to."""
    scheme, name, port = split(request.name)
    if port.isdigit():
        port = _port_name(cluster, request.namespace, name, int(port))
    choices = []
    slices = cluster.store["discovery.k8s.io", "endpointslices"]
    for stored in slices.listed(request.namespace):
        if (stored.object["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name:
            choices += _ready(stored.object, port)
    if not choices:
        raise Failure(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
    return scheme, cluster.random.choice(choices)


def _port_name(cluster: Cluster, namespace: str, name: str, number: int) -> str:
    service = cluster.store.get(("", "services"), namespace, name)
    if service is None:
        raise not_found("services", "", name)
    for port in service.object["spec"].get("ports") or ():
        if port["port"] == number:
            return str(port.get("name", ""))
    raise Failure(503, "ServiceUnavailable", f'no service port {number} found for service "{name}"')


def _ready(endpoint_slice: Object, port: str) -> list[Location]:
    numbers = [p["port"] for p in endpoint_slice.get("ports") or () if p.get("name", "") == port and p.get("port")]
    return [
        Location(endpoint["addresses"][0], number)
        for number in numbers
        for endpoint in endpoint_slice.get("endpoints") or ()
        if endpoint.get("conditions", {}).get("ready") is not False and endpoint.get("targetRef")
    ]
