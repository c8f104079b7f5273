"""What is wrong with the containers of a Pod: names, images, ports, environment, resources, probes."""

from __future__ import annotations

import re
from typing import Any

from op_readiness.simulator.controlplane.kinds import names, windows
from op_readiness.simulator.controlplane.kinds.resources import requirements
from op_readiness.simulator.controlplane.kinds.volumes import mounts
from op_readiness.simulator.controlplane.wire.failures import (
    FieldError,
    absent,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Object = dict[str, Any]
PROTOCOLS = ("SCTP", "TCP", "UDP")
PORT_RANGE = "must be between 1 and 65535, inclusive"
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"
EPHEMERAL_FIELDS = (
    "name", "image", "command", "args", "workingDir", "envFrom", "env", "volumeMounts", "volumeDevices",
    "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "securityContext", "stdin", "stdinOnce",
    "tty", "targetContainerName", "resources",
)  # fmt: skip
INIT_PROBES = "may not be set for init containers without restartPolicy=Always"
ENV_NAME = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def regular(spec: Object, known: set[str], path: str) -> list[FieldError]:
    """What is wrong with spec.containers."""
    listed = spec.get("containers") or []
    if not listed:
        return [required(path)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, container in enumerate(listed):
        where = f"{path}[{index}]"
        errors += _common(container, known, where)
        if container.get("name") in seen:
            errors.append(duplicate(f"{where}.name", container["name"]))
        seen.add(container.get("name", ""))
        for name in PROBES:
            errors += _probe(container.get(name), f"{where}.{name}")
    return errors + _host_ports(listed, path)


def init(spec: Object, known: set[str], path: str) -> list[FieldError]:
    """What is wrong with spec.initContainers."""
    errors: list[FieldError] = []
    seen = {container.get("name") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        where = f"{path}[{index}]"
        errors += _common(container, known, where)
        if container.get("name") in seen:
            errors.append(duplicate(f"{where}.name", container["name"]))
        seen.add(container.get("name"))
        sidecar = container.get("restartPolicy") == "Always"
        for name in ("lifecycle", *PROBES):
            if container.get(name) is None:
                continue
            if not sidecar:
                errors.append(forbidden_field(f"{where}.{name}", INIT_PROBES))
            elif name in PROBES:
                errors += _probe(container[name], f"{where}.{name}")
    return errors


def ephemeral(spec: Object, known: set[str], path: str) -> list[FieldError]:
    """What is wrong with spec.ephemeralContainers."""
    errors: list[FieldError] = []
    others = {c.get("name") for kind in ("containers", "initContainers") for c in spec.get(kind) or ()}
    seen = set(others)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        where = f"{path}[{index}]"
        errors += _common(container, known, where)
        if container.get("name") in seen:
            errors.append(duplicate(f"{where}.name", container["name"]))
        seen.add(container.get("name"))
        target = container.get("targetContainerName")
        if target and target not in others:
            errors.append(absent(f"{where}.targetContainerName", target))
        for name in sorted(container):
            if name not in EPHEMERAL_FIELDS or (name == "resources" and container[name]):
                errors.append(forbidden_field(f"{where}.{name}", NOT_EPHEMERAL))
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            if mount.get("subPath"):
                errors.append(forbidden_field(f"{where}.volumeMounts[{number}].subPath", NOT_EPHEMERAL))
    return errors


def _common(container: Object, known: set[str], where: str) -> list[FieldError]:
    name = container.get("name", "")
    errors = [invalid_value(f"{where}.name", name, why) for why in names.dns_label(name)] if name else []
    errors += [] if name else [required(f"{where}.name")]
    errors += [] if container.get("image") else [required(f"{where}.image")]
    errors += _ports(container.get("ports") or [], f"{where}.ports")
    errors += _environment(container.get("env") or [], f"{where}.env")
    errors += mounts(container, known, f"{where}.volumeMounts")
    policy = container.get("imagePullPolicy", "")
    if policy not in ("Always", "IfNotPresent", "Never"):
        errors.append(not_supported(f"{where}.imagePullPolicy", policy, ("Always", "IfNotPresent", "Never")))
    policy = container.get("terminationMessagePolicy", "File")
    if policy not in ("File", "FallbackToLogsOnError"):
        policies = ("File", "FallbackToLogsOnError")
        errors.append(not_supported(f"{where}.terminationMessagePolicy", policy, policies, in_order=True))
    errors += requirements(container.get("resources") or {}, f"{where}.resources")
    for hook in ("postStart", "preStop"):
        errors += _handlers((container.get("lifecycle") or {}).get(hook), f"{where}.lifecycle.{hook}")
    return errors + windows.options(container.get("securityContext"), f"{where}.securityContext")


def port_name(text: str) -> list[str]:
    """What is wrong with the name of a port."""
    problems = ["must be no more than 15 characters"] if len(text) > 15 else []
    if not re.fullmatch(r"[-a-z0-9]+", text):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", text):
        problems.append("must contain at least one letter (a-z)")
    if "--" in text:
        problems.append("must not contain consecutive hyphens")
    if text and (text[0] == "-" or text[-1] == "-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def _ports(ports: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where, name = f"{path}[{index}]", port.get("name", "")
        if name:
            problems = port_name(name)
            errors += [invalid_value(f"{where}.name", name, why) for why in problems]
            errors += [duplicate(f"{where}.name", name)] if name in seen and not problems else []
            seen.add(name)
        number = port.get("containerPort", 0)
        if not number:
            errors.append(required(f"{where}.containerPort"))
        elif not 0 < number < 65536:
            errors.append(invalid_value(f"{where}.containerPort", number, PORT_RANGE))
        if port.get("hostPort") and not 0 < port["hostPort"] < 65536:
            errors.append(invalid_value(f"{where}.hostPort", port["hostPort"], PORT_RANGE))
        if port.get("protocol") not in PROTOCOLS:
            errors.append(not_supported(f"{where}.protocol", port.get("protocol", ""), PROTOCOLS))
    return errors


def _host_ports(containers: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    taken: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                key = f"{port.get('protocol')}/{port.get('hostIP', '')}/{port['hostPort']}"
                if key in taken:
                    errors.append(duplicate(f"{path}[{index}].ports[{number}].hostPort", key))
                taken.add(key)
    return errors


def _environment(entries: list[Object], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, entry in enumerate(entries):
        name = entry.get("name", "")
        if not name:
            errors.append(required(f"{path}[{index}].name"))
        elif "=" in name or not name.isascii() or not name.isprintable():
            errors.append(invalid_value(f"{path}[{index}].name", name, ENV_NAME))
        source = entry.get("valueFrom")
        if source is not None and entry.get("value"):
            why = "may not be specified when `value` is not empty"
            errors.append(invalid_value(f"{path}[{index}].valueFrom", "", why))
        errors += _source(source, f"{path}[{index}].valueFrom") if source is not None else []
    return errors


SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
ONE_SOURCE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.hostIP",
    "status.hostIPs",
    "status.phase",
    "status.podIP",
    "status.podIPs",
)


def _source(source: Object, where: str) -> list[FieldError]:
    given = [name for name in SOURCES if source.get(name) is not None]
    if not given:
        return [invalid_value(where, "", ONE_SOURCE)]
    if len(given) > 1:
        return [invalid_value(where, "", "may not have more than one field specified at a time")]
    field = (source.get("fieldRef") or {}).get("fieldPath", "") if given == ["fieldRef"] else "metadata.name"
    if not field:
        return [required(f"{where}.fieldRef.fieldPath")]
    if field in FIELD_PATHS or re.fullmatch(r"metadata\.(labels|annotations)\['.+'\]", field):
        return []
    return [
        invalid_value(
            f"{where}.fieldRef.fieldPath", field, f"error converting fieldPath: field label not supported: {field}"
        )
    ]


def _probe(probe: Object | None, where: str) -> list[FieldError]:
    if probe is None:
        return []
    errors = _handlers(probe, where)
    fields = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
    for field in fields:
        if probe.get(field, 0) < 0:
            why = "must be greater than or equal to 0"
            errors.append(invalid_value(f"{where}.{field}", probe[field], why))
    if not where.endswith("readinessProbe") and probe.get("successThreshold", 1) != 1:
        errors.append(invalid_value(f"{where}.successThreshold", probe["successThreshold"], "must be 1"))
    return errors


def _handlers(action: Object | None, where: str) -> list[FieldError]:
    """A probe or a hook has one handler."""
    if action is None:
        return []
    handlers = [name for name in HANDLERS if action.get(name) is not None]
    errors = [] if handlers else [required(where, "must specify a handler type")]
    for number, name in enumerate(handlers):
        if number:
            errors.append(forbidden_field(f"{where}.{name}", "may not specify more than 1 handler type"))
        else:
            errors += _handler(name, action[name], f"{where}.{name}")
    return errors


def _handler(name: str, action: Object, where: str) -> list[FieldError]:
    if name == "exec":
        return [] if action.get("command") else [required(f"{where}.command")]
    if name == "grpc":
        return []
    port = action.get("port", 0)
    if isinstance(port, str):
        return [invalid_value(f"{where}.port", port, why) for why in port_name(port)]
    return [] if 0 < port < 65536 else [invalid_value(f"{where}.port", port, PORT_RANGE)]
