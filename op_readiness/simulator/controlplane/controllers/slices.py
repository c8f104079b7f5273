"""What EndpointSlices a Service is to have. Pure functions, so that a self-test needs no API server.

Pods are grouped by the port numbers that the Service's ports come to on them: a named targetPort may be another number
on another Pod, and a slice has one list of ports.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers import pods as pod_facts
from op_readiness.simulator.controlplane.informers.selectors import labels_of

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
HEADLESS = "service.kubernetes.io/headless"
ZONE = "topology.kubernetes.io/zone"
TRIGGERED = "endpoints.kubernetes.io/last-change-trigger-time"
MOST = 100

ZoneOf = Callable[[str], str]


def desired_slices(service: Object, pods: Iterable[Object], zone_of: ZoneOf = lambda _: "") -> list[Object]:
    """The slices wanted for the Service: addressType, ports and all endpoints of that group (not split by 100)."""
    families, members = service["spec"].get("ipFamilies") or ["IPv4"], list(pods)
    groups = [group for family in families for group in _family(service, members, family, zone_of)]
    return sorted(groups, key=lambda group: (group["addressType"], json.dumps(group["ports"], sort_keys=True)))


def slice_labels(service: Object) -> dict[str, str]:
    """The labels of every slice of the Service."""
    ours = (HEADLESS, SERVICE_NAME, MANAGED_BY)
    labels = {key: value for key, value in labels_of(service).items() if key not in ours}
    if service["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    return labels | {SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: MANAGER}


def resolved_ports(service: Object, pod: Object) -> list[Object]:
    """The Service's ports as numbers of that Pod; a named port that it does not have is left out."""
    ports = []
    for port in service["spec"].get("ports") or []:
        number = _number(port, pod)
        if number:
            entry = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": number}
            ports.append(entry | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {}))
    return ports


def endpoint_of(service: Object, pod: Object, address: str, zone_of: ZoneOf = lambda _: "") -> Object:
    """The endpoint that the Pod is."""
    serving, terminating = pod_facts.is_ready(pod), pod_facts.is_terminating(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    meta, spec = pod["metadata"], pod["spec"]
    endpoint: Object = {
        "addresses": [address],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }
    if spec.get("nodeName"):
        endpoint["nodeName"] = spec["nodeName"]
        zone = zone_of(spec["nodeName"])
        endpoint |= {"zone": zone} if zone else {}
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = spec["hostname"]
    return endpoint


def packed(wanted: list[Object], existing: list[list[Object]]) -> list[list[Object]]:
    """The wanted endpoints spread over slices: each stays where it is, the rest fills up, none has over a hundred.

    `existing` holds the endpoints of the slices that are there; the answer begins with the same slices (an empty list
    for one that is not needed any more) and goes on with new ones.
    """
    left = {endpoint["targetRef"]["uid"]: endpoint for endpoint in wanted}
    bins: list[list[Object]] = []
    for endpoints in existing:
        uids = [(endpoint.get("targetRef") or {}).get("uid") for endpoint in endpoints]
        bins.append([left.pop(uid) for uid in uids if uid in left][:MOST])
    for endpoint in left.values():
        room = max((each for each in bins if len(each) < MOST), key=len, default=None)
        if room is None:
            bins.append(room := [])
        room.append(endpoint)
    return bins


def _family(service: Object, pods: list[Object], family: str, zone_of: ZoneOf) -> list[Object]:
    groups: dict[str, Object] = {}
    for pod in pods:
        address = _address(pod, family)
        if address is None or pod_facts.is_finished(pod):
            continue
        ports = resolved_ports(service, pod)
        group = groups.setdefault(json.dumps(ports), {"addressType": family, "ports": ports, "endpoints": []})
        group["endpoints"].append(endpoint_of(service, pod, address, zone_of))
    return list(groups.values()) or [{"addressType": family, "ports": [], "endpoints": []}]


def _address(pod: Object, family: str) -> str | None:
    status = pod.get("status") or {}
    known = [each["ip"] for each in status.get("podIPs") or []] or [status.get("podIP")]
    version = 6 if family == "IPv6" else 4
    return next((ip for ip in known if ip and ipaddress.ip_address(ip).version == version), None)


def _number(port: Object, pod: Object) -> int:
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    sidecars = [each for each in pod["spec"].get("initContainers") or [] if each.get("restartPolicy") == "Always"]
    for container in [*pod["spec"]["containers"], *sidecars]:
        for each in container.get("ports") or []:
            if each.get("name") == target and each.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(each["containerPort"])
    return 0
