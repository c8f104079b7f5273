"""Values that the API server fills into kinds other than Pods and workloads."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
EXTERNAL = ("NodePort", "LoadBalancer")


def service(obj: Object) -> None:
    """Fill a Service; addresses and NodePorts are allocated later."""
    spec = obj.setdefault("spec", {})
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if not port.get("targetPort"):
            port["targetPort"] = port.get("port", 0)
    if spec.setdefault("sessionAffinity", "None") == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", 10800)
    elif spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    if kind in EXTERNAL or (spec.get("externalIPs") and kind == "ClusterIP"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")


def service_update(new: Object, old: Object) -> None:
    """Carry allocated values over an update, and drop those that a new type has no use for."""
    spec, before = new["spec"], old["spec"]
    addressed = spec["type"] != "ExternalName"
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if before["type"] != "ExternalName" and not addressed and spec.get(field) == before.get(field):
            spec.pop(field, None)
        elif addressed and field.startswith("clusterIP") and not spec.get(field) and before.get(field):
            spec[field] = before[field]
    if before["type"] in EXTERNAL and spec["type"] in EXTERNAL:
        _keep_node_ports(spec, before)
    elif before["type"] in EXTERNAL:
        _drop_external(spec, before)
    if before["type"] == "LoadBalancer" and spec["type"] != "LoadBalancer":
        spec.pop("allocateLoadBalancerNodePorts", None)


def _keep_node_ports(spec: Object, before: Object) -> None:
    known = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or ()}
    used = {p.get("nodePort") for p in spec.get("ports") or ()} & set(known.values())
    for port in spec.get("ports") or ():
        old = known.get(port.get("name", ""))
        if not port.get("nodePort") and old and old not in used:
            port["nodePort"] = old


def _drop_external(spec: Object, before: Object) -> None:
    old, new = ({p.get("nodePort") for p in one.get("ports") or () if p.get("nodePort")} for one in (before, spec))
    if old == new:
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if not spec.get("externalIPs") and spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
        spec.pop("externalTrafficPolicy", None)


def namespace(obj: Object) -> None:
    """Fill a Namespace."""
    obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")


def secret(obj: Object) -> None:
    """Fill a Secret: stringData is written into data."""
    import base64

    written = obj.pop("stringData", None)
    if written:
        data = obj.setdefault("data", {})
        data.update({key: base64.b64encode(text.encode()).decode() for key, text in written.items()})
    obj.setdefault("type", "Opaque")


def claim(obj: Object) -> None:
    """Fill a PersistentVolumeClaim."""
    obj.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def volume(obj: Object) -> None:
    """Fill a PersistentVolume."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")


def network_policy(obj: Object) -> None:
    """Fill a NetworkPolicy."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = (
            ["Ingress", "Egress"] if spec.get("egress") is not None and spec["egress"] else ["Ingress"]
        )
    for rule in [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]:
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")


def endpoint_slice(obj: Object) -> None:
    """Fill an EndpointSlice."""
    for port in obj.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    for endpoint in obj.get("endpoints") or ():
        endpoint.setdefault("conditions", {})
    for field in ("endpoints", "ports"):
        obj[field] = obj.get(field) or None


def endpoints(obj: Object) -> None:
    """Fill Endpoints."""
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            port.setdefault("protocol", "TCP")


def event(obj: Object) -> None:
    """Fill an Event: these fields are always there."""
    obj.setdefault("source", {})
    for field in ("firstTimestamp", "lastTimestamp", "eventTime"):
        obj.setdefault(field, None)
    obj.setdefault("reportingComponent", "")
    obj.setdefault("reportingInstance", "")


def storage_class(obj: Object) -> None:
    """Fill a StorageClass."""
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def priority_class(obj: Object) -> None:
    """Fill a PriorityClass."""
    obj.setdefault("value", 0)
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def binding(obj: Object) -> None:
    """Fill a RoleBinding or ClusterRoleBinding."""
    group = "rbac.authorization.k8s.io"
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", group)
    obj.setdefault("roleRef", {}).setdefault("apiGroup", group)


def role(obj: Object) -> None:
    """Fill a Role or ClusterRole."""
    obj["rules"] = obj.get("rules") or None


def limit_range(obj: Object) -> None:
    """Fill a LimitRange: what containers get is the most, requests are the limits, else the least."""
    for item in obj.get("spec", {}).get("limits") or ():
        if item.get("type") != "Container":
            continue
        default = {**(item.get("max") or {}), **(item.get("default") or {})}
        asked = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
        item.update({"default": default} if default else {})
        item.update({"defaultRequest": asked} if asked else {})
