"""What is wrong with Namespaces, ConfigMaps, Secrets, claims, policies, slices, bindings and events."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.kinds.pods import BAD_IP
from op_readiness.simulator.controlplane.wire.failures import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Object = dict[str, Any]
IMMUTABLE = "field is immutable"
SECURITY = "pod-security.kubernetes.io/"
MODES = ("enforce", "audit", "warn")
LEVELS = "must be one of privileged, baseline, restricted"
BAD_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
PEERS = ("podSelector", "namespaceSelector", "ipBlock")


def namespace(new: Object, _: Object | None) -> list[FieldError]:
    """Pod Security labels must be levels and versions."""
    labels, errors = new["metadata"].get("labels") or {}, []
    for mode in MODES:
        level, version = labels.get(f"{SECURITY}{mode}"), labels.get(f"{SECURITY}{mode}-version")
        if level is not None and level not in ("privileged", "baseline", "restricted"):
            errors.append(invalid_value(f"metadata.labels[{SECURITY}{mode}]", level, LEVELS))
        if version is not None and not re.fullmatch(r"latest|v1\.(0|[1-9][0-9]*)", version):
            why = 'must be "latest" or "v1.x"'
            errors.append(invalid_value(f"metadata.labels[{SECURITY}{mode}-version]", version, why))
    return errors


def _frozen(new: Object, old: Object | None) -> list[FieldError]:
    if old is None or not old.get("immutable"):
        return []
    errors = (
        [] if new.get("immutable") else [forbidden_field("immutable", "field is immutable when `immutable` is set")]
    )
    for field in ("data", "binaryData"):
        if new.get(field) != old.get(field):
            errors.append(forbidden_field(field, "field is immutable when `immutable` is set"))
    return errors


def config_map(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a ConfigMap."""
    errors = names.config_keys(new.get("data"), "data") + names.config_keys(new.get("binaryData"), "binaryData")
    return errors + _frozen(new, old)


SECRET_KEYS = {
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def secret(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a Secret."""
    errors = names.config_keys(new.get("data"), "data")
    missing = [key for key in SECRET_KEYS.get(new.get("type", ""), ()) if key not in (new.get("data") or {})]
    errors += [required(f"data[{key}]") for key in missing]
    if old is not None and new.get("type") != old.get("type"):
        errors.append(invalid_value("type", new.get("type"), IMMUTABLE))
    return errors + _frozen(new, old)


def claim(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a PersistentVolumeClaim."""
    spec, errors = new["spec"], []
    if old is not None:
        return []
    if not spec.get("accessModes"):
        errors.append(required("spec.accessModes", "at least 1 access mode is required"))
    if not ((spec.get("resources") or {}).get("requests") or {}).get("storage"):
        errors.append(required("spec.resources[storage]"))
    return errors


def network_policy(new: Object, _: Object | None) -> list[FieldError]:
    """What is wrong with a NetworkPolicy."""
    spec, errors = new["spec"], []
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(direction) or ()):
            for number, peer in enumerate(rule.get(side) or ()):
                errors += _peer(peer, f"spec.{direction}[{index}].{side}[{number}]")
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        if kind not in ("Ingress", "Egress"):
            known = ("Ingress", "Egress")
            errors.append(not_supported(f"spec.policyTypes[{index}]", kind, known, in_order=True))
    return errors


def _peer(peer: Object, where: str) -> list[FieldError]:
    if not any(peer.get(kind) is not None for kind in PEERS):
        return [required(where, "must specify a peer")]
    block = peer.get("ipBlock")
    if block is None:
        return []
    if peer.get("podSelector") is not None or peer.get("namespaceSelector") is not None:
        return [forbidden_field(where, "may not specify both ipBlock and another peer")]
    try:
        ipaddress.ip_network(block.get("cidr", ""), strict=False)
    except ValueError:
        return [invalid_value(f"{where}.ipBlock.cidr", block.get("cidr", ""), BAD_CIDR)]
    return []


def endpoint_slice(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with an EndpointSlice."""
    kind = new.get("addressType", "")
    if not kind:
        return [required("addressType")]
    if kind not in ("FQDN", "IPv4", "IPv6"):
        return [not_supported("addressType", kind, ("FQDN", "IPv4", "IPv6"))]
    if old is not None and old.get("addressType") != kind:
        return [invalid_value("addressType", kind, IMMUTABLE)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(new.get("ports") or ()):
        if port.get("name", "") in seen:
            errors.append(duplicate(f"ports[{index}].name", port.get("name", "")))
        seen.add(port.get("name", ""))
    missing = []
    for index, endpoint in enumerate(new.get("endpoints") or ()):
        addresses, where = endpoint.get("addresses") or [], f"endpoints[{index}].addresses"
        missing += [] if addresses else [required(where)]
        for number, address in enumerate(addresses):
            errors += _address(address, kind, where, number) if kind != "FQDN" else []
    return errors + missing


def _address(text: str, kind: str, where: str, number: int) -> list[FieldError]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return [invalid_value(f"{where}[{number}]", text, BAD_IP)]
    if f"IPv{address.version}" != kind:
        article = "an" if kind.startswith("IP") else "a"
        return [invalid_value(where, text, f"must be {article} {kind} address")]
    return [invalid_value(f"{where}[{number}]", text, LOOPBACK)] if address.is_loopback else []


def role_binding(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a RoleBinding or ClusterRoleBinding."""
    reference, errors = new.get("roleRef") or {}, []
    known = ("ClusterRole",) if new["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if reference.get("kind") not in known:
        errors.append(not_supported("roleRef.kind", reference.get("kind", ""), known, in_order=True))
    if not reference.get("name"):
        errors.append(required("roleRef.name"))
    for index, subject in enumerate(new.get("subjects") or ()):
        if not subject.get("name"):
            errors.append(required(f"subjects[{index}].name"))
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            errors.append(required(f"subjects[{index}].namespace"))
    if old is not None and old.get("roleRef") != reference:
        errors.append(invalid_value("roleRef", reference, "cannot change roleRef"))
    return errors


def event(new: Object, _: Object | None) -> list[FieldError]:
    """An Event about an object stands in the object's Namespace."""
    involved, own = new.get("involvedObject") or {}, new["metadata"].get("namespace", "")
    place = involved.get("namespace", "")
    if place != own and (place or own != "default"):
        return [invalid_value("involvedObject.namespace", place, "does not match event.namespace")]
    return []


SYSTEM_CLASSES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
HIGHEST_PRIORITY = 1000000000


def priority_class(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a PriorityClass."""
    name, value, errors = new["metadata"].get("name", ""), new.get("value", 0), []
    if old is not None:
        changed = [field for field in ("value", "preemptionPolicy") if new.get(field) != old.get(field)]
        return [forbidden_field(field, "may not be changed in an update.") for field in changed]
    if name.startswith("system-") and SYSTEM_CLASSES.get(name) != value:
        why = f"{name} is not a known system priority class"
        text = f"priority class names with 'system-' prefix are reserved for system use only. error: {why}"
        errors.append(forbidden_field("metadata.name", text))
    elif value > HIGHEST_PRIORITY and not name.startswith("system-"):
        text = f"maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}"
        errors.append(forbidden_field("value", text))
    return errors
