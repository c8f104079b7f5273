"""What is wrong with a Service."""

from __future__ import annotations

import ipaddress
from typing import Any

from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.kinds.containers import PORT_RANGE, PROTOCOLS, port_name
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
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
EXTERNAL = ("NodePort", "LoadBalancer")
UNSET = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
"""What only Services with an address of their own have."""


DOUBLED_PORT = 'Duplicate value: {{"Name":"","Protocol":"{}","AppProtocol":null,"Port":{},"TargetPort":0,"NodePort":0}}'


def service(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a new or changed Service."""
    spec = new.get("spec") or {}
    kind, headless = spec.get("type", ""), spec.get("clusterIP") == "None"
    errors = _ports(spec, headless=headless)
    if kind in EXTERNAL and headless:
        errors.append(invalid_value("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName" and not spec.get("externalName"):
        errors.append(required("spec.externalName"))
    if kind == "ExternalName" and old is None:
        why = "may not be set for ExternalName services"
        errors += [forbidden_field(f"spec.{name}", why) for name in UNSET if spec.get(name)]
    if kind not in TYPES:
        errors.append(not_supported("spec.type", kind, TYPES))
    errors += names.labels(spec.get("selector"), "spec.selector")
    errors += _affinity(spec) + _addresses(spec, old) + _policies(spec)
    return errors


def _ports(spec: Object, *, headless: bool) -> list[FieldError]:
    ports = spec.get("ports") or []
    if not ports and not headless and spec.get("type") != "ExternalName":
        return [required("spec.ports")]
    errors: list[FieldError] = []
    seen: set[str] = set()
    keys: set[tuple[Any, ...]] = set()
    for index, port in enumerate(ports):
        where, name = f"spec.ports[{index}]", port.get("name", "")
        if not name and len(ports) > 1:
            errors.append(required(f"{where}.name"))
        elif name:
            errors += [invalid_value(f"{where}.name", name, why) for why in names.dns_label(name)]
            errors += [duplicate(f"{where}.name", name)] if name in seen else []
            seen.add(name)
        errors += _port(port, where, spec)
        key = (port.get("protocol"), port.get("port"))
        if key in keys:
            errors.append(FieldError(where, "FieldValueDuplicate", DOUBLED_PORT.format(*key)))
        keys.add(key)
    return errors


def _port(port: Object, where: str, spec: Object) -> list[FieldError]:
    errors, number, target = [], port.get("port", 0), port.get("targetPort", 0)
    if not 0 < number < 65536:
        errors.append(invalid_value(f"{where}.port", number, PORT_RANGE))
    if port.get("protocol") not in PROTOCOLS:
        errors.append(not_supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS))
    if isinstance(target, str):
        errors += [invalid_value(f"{where}.targetPort", target, why) for why in port_name(target)]
    elif not 0 < target < 65536:
        errors.append(invalid_value(f"{where}.targetPort", target, PORT_RANGE))
    if port.get("nodePort") and spec.get("type") == "ClusterIP":
        errors.append(forbidden_field(f"{where}.nodePort", "may not be used when `type` is 'ClusterIP'"))
    return errors


def _affinity(spec: Object) -> list[FieldError]:
    affinity = spec.get("sessionAffinity")
    if affinity not in ("ClientIP", "None"):
        return [not_supported("spec.sessionAffinity", affinity or "", ("ClientIP", "None"))]
    if affinity == "ClientIP":
        seconds = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"]
        if not 0 < seconds <= 86400:
            where = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
            return [invalid_value(where, seconds, "must be greater than 0 and less than 86400")]
    return []


def _addresses(spec: Object, old: Object | None) -> list[FieldError]:
    errors: list[FieldError] = []
    given = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    for index, address in enumerate(given):
        if address != "None" and not _ip(address):
            errors.append(invalid_value(f"spec.clusterIPs[{index}]", address, BAD_IP))
    before = (old or {}).get("spec") or {}
    was, now = before.get("clusterIP"), spec.get("clusterIP")
    if was and now and was != now and before.get("type") != "ExternalName" and spec.get("type") != "ExternalName":
        errors.append(invalid_value("spec.clusterIPs[0]", [now], "may not change once set"))
    for index, address in enumerate(spec.get("externalIPs") or ()):
        if not _ip(address):
            errors.append(invalid_value(f"spec.externalIPs[{index}]", address, BAD_IP))
    if spec.get("loadBalancerSourceRanges") and spec.get("type") != "LoadBalancer":
        why = "may only be used when `type` is 'LoadBalancer'"
        errors.append(forbidden_field("spec.LoadBalancerSourceRanges", why))
    return errors


def _ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _policies(spec: Object) -> list[FieldError]:
    external, internal, errors = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy"), []
    if external and spec.get("type") not in EXTERNAL and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        errors.append(invalid_value("spec.externalTrafficPolicy", external, why))
    elif external and external not in ("Cluster", "Local"):
        errors.append(not_supported("spec.externalTrafficPolicy", external, ("Cluster", "Local")))
    if internal and internal not in ("Cluster", "Local"):
        errors.append(not_supported("spec.internalTrafficPolicy", internal, ("Cluster", "Local")))
    return errors
