"""What is wrong with a Pod's spec, in the order in which a real API server looks; and what an update may change."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any

from op_readiness.simulator.controlplane.kinds import affinity, containers, names, privileges, windows
from op_readiness.simulator.controlplane.kinds.volumes import volumes
from op_readiness.simulator.controlplane.wire.failures import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Object = dict[str, Any]
BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
DEADLINE = f"must be between 1 and {(1 << 31) - 1}, inclusive"
RESTARTS = ("Always", "OnFailure", "Never")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
UPDATES = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(new: Object, old: Object | None) -> list[FieldError]:
    """What is wrong with a new or changed Pod."""
    if old is not None and new.get("spec") == old.get("spec"):
        return []
    errors = spec_errors(new["spec"], "spec")
    if old is None:
        if new["spec"].get("ephemeralContainers"):
            errors.append(forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
        return errors
    return errors + _changed(new["spec"], old["spec"])


def _ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def spec_errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with a Pod's spec, or a template's, at `path`."""
    known, errors = volumes(spec.get("volumes") or [], f"{path}.volumes")
    errors += containers.regular(spec, known, f"{path}.containers")
    errors += containers.init(spec, known, f"{path}.initContainers")
    errors += containers.ephemeral(spec, known, f"{path}.ephemeralContainers")
    errors += _host_network(spec, path)
    if spec.get("restartPolicy") not in RESTARTS:
        errors.append(not_supported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), RESTARTS, in_order=True))
    if spec.get("dnsPolicy") not in DNS_POLICIES:
        errors.append(not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", ""), DNS_POLICIES, in_order=True))
    errors += names.labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    errors += windows.options(spec.get("securityContext"), f"{path}.securityContext")
    errors += _dns(spec, f"{path}.dnsConfig")
    errors += _spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    errors += windows.host_process(spec, path)
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            wrong = names.dots(spec[field]) or names.dns_label(spec[field])
            errors += [invalid_value(f"{path}.{field}", spec[field], why) for why in wrong]
    if spec.get("nodeName"):
        errors += [
            invalid_value(f"{path}.nodeName", spec["nodeName"], why) for why in names.subdomain(spec["nodeName"])
        ]
    deadline = spec.get("activeDeadlineSeconds", 1)
    if not 0 < deadline < 1 << 31:
        errors.append(invalid_value(f"{path}.activeDeadlineSeconds", deadline, DEADLINE))
    errors += affinity.errors(spec.get("affinity") or {}, f"{path}.affinity")
    errors += privileges.errors(spec, path)
    errors += _tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        if not _ip(alias.get("ip", "")):
            errors.append(invalid_value(f"{path}.hostAliases[{index}].ip", alias.get("ip", ""), BAD_IP))
        for number, name in enumerate(alias.get("hostnames") or ()):
            where = f"{path}.hostAliases[{index}].hostnames[{number}]"
            errors += [invalid_value(where, name, why) for why in names.subdomain(name)]
    return errors + windows.system(spec, path)


def _host_network(spec: Object, path: str) -> list[FieldError]:
    errors = []
    if not spec.get("hostNetwork"):
        return []
    for index, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort", 0) != port.get("containerPort", 0):
                where = f"{path}.containers[{index}].ports[{number}].hostPort"
                why = "must match `containerPort` when `hostNetwork` is true"
                errors.append(invalid_value(where, port.get("hostPort", 0), why))
    return errors


def _dns(spec: Object, where: str) -> list[FieldError]:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            return [required(where, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not config.get("nameservers"):
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{where}.nameservers", why)]
    if config is None:
        return []
    servers, searches, errors = config.get("nameservers") or [], config.get("searches") or [], []
    if len(servers) > 3:
        errors.append(invalid_value(f"{where}.nameservers", servers, "must not have more than 3 nameservers"))
    for index, server in enumerate(servers):
        if not _ip(server):
            errors.append(invalid_value(f"{where}.nameservers[{index}]", server, BAD_IP))
    if len(searches) > 32:
        errors.append(invalid_value(f"{where}.searches", searches, "must not have more than 32 search paths"))
    for index, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.append(required(f"{where}.options[{index}]", "must not be empty"))
    return errors


def _spread(constraints: list[Object], path: str) -> list[FieldError]:
    errors = []
    for index, constraint in enumerate(constraints):
        where, skew = f"{path}[{index}]", constraint.get("maxSkew", 0)
        if skew <= 0:
            errors.append(invalid_value(f"{where}.maxSkew", skew, "must be greater than zero"))
        if not constraint.get("topologyKey"):
            errors.append(required(f"{where}.topologyKey", "can not be empty"))
        if constraint.get("whenUnsatisfiable") not in ("DoNotSchedule", "ScheduleAnyway"):
            known = ("DoNotSchedule", "ScheduleAnyway")
            errors.append(not_supported(f"{where}.whenUnsatisfiable", constraint.get("whenUnsatisfiable", ""), known))
    return errors


def _tolerations(tolerations: list[Object], path: str) -> list[FieldError]:
    errors = []
    for index, one in enumerate(tolerations):
        where, operator = f"{path}[{index}]", one.get("operator") or "Equal"
        if operator == "Exists" and one.get("value"):
            why = "value must be empty when `operator` is 'Exists'"
            errors.append(invalid_value(f"{where}.operator", one["value"], why))
        elif operator not in ("Equal", "Exists", "Lt", "Gt"):
            errors.append(not_supported(f"{where}.operator", operator, ("Equal", "Exists"), in_order=True))
        if not one.get("key") and operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.append(invalid_value(f"{where}.operator", operator, why))
        if one.get("tolerationSeconds") is not None and one.get("effect") != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.append(invalid_value(f"{where}.effect", one.get("effect", ""), why))
        if one.get("effect") and one["effect"] not in EFFECTS:
            errors.append(not_supported(f"{where}.effect", one["effect"], EFFECTS, in_order=True))
    return errors


def _changed(new: Object, old: Object) -> list[FieldError]:
    """What an update changes that it may not; the diff that a real server appends is left out."""
    kept = copy.deepcopy(new)
    for kind in ("containers", "initContainers"):
        if len(kept.get(kind) or ()) != len(old.get(kind) or ()):
            return [forbidden_field(f"spec.{kind}", "pod updates may not add or remove containers")]
        for mine, before in zip(kept.get(kind) or (), old.get(kind) or (), strict=True):
            mine["image"] = before["image"]
    for field in ("activeDeadlineSeconds", "schedulingGates", "ephemeralContainers"):
        kept.pop(field, None)
        if field in old:
            kept[field] = old[field]
    before = old.get("tolerations") or []
    if all(toleration in (kept.get("tolerations") or []) for toleration in before):
        kept["tolerations"] = before
    if old.get("terminationGracePeriodSeconds", 0) < 0 and kept.get("terminationGracePeriodSeconds") == 1:
        kept["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    if {k: v for k, v in kept.items() if v != []} == {k: v for k, v in old.items() if v != []}:
        return []
    return [forbidden_field("spec", f"{UPDATES}\n")]
