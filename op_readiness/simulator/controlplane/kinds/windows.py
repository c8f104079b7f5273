"""Rules of Pods by operating system: fields refused for Windows and Linux, HostProcess, windowsOptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from op_readiness.simulator.controlplane.kinds import names
from op_readiness.simulator.controlplane.wire.failures import (
    FieldError,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

Object = dict[str, Any]
POD_FIELDS = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
CONTAINER_FIELDS = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
NOT_WINDOWS, NOT_LINUX = "cannot be set for a windows pod", "windows options cannot be set for a linux pod"
SYSTEMS = ("linux", "windows")
LARGEST_SPEC, LONGEST_DOMAIN, LONGEST_USER = 64 * 1024, 256, 104
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
NETBIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
DNS_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
DOMAIN = re.compile(rf"{DNS_LABEL}(?:\.{DNS_LABEL})*")
DOTS = re.compile(r"[. ]+")
CHARACTERS = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def containers(spec: Object, path: str) -> Iterator[tuple[Object, str]]:
    """(container, path) of every container in the order in which rules visit them."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            yield container, f"{path}.{kind}[{index}]"


def system(spec: Object, path: str) -> list[FieldError]:
    """What `os` forbids."""
    if spec.get("os") is None:
        return []
    name = spec["os"].get("name", "")
    if not name:
        return [required(f"{path}.os.name")]
    if name not in SYSTEMS:
        return [not_supported(f"{path}.os", name, SYSTEMS)]
    return _windows(spec, path) if name == "windows" else _linux(spec, path)


def _windows(spec: Object, path: str) -> list[FieldError]:
    context = spec.get("securityContext") or {}
    found = [f"{path}.securityContext.{f}" for f in POD_FIELDS if f in context and (f != "sysctls" or context[f])]
    found += [f"{path}.hostUsers"] if "hostUsers" in spec else []
    found += [f"{path}.{field}" for field in ("hostPID", "hostIPC") if spec.get(field)]
    found += [f"{path}.shareProcessNamespace"] if "shareProcessNamespace" in spec else []
    for container, where in containers(spec, path):
        own = container.get("securityContext") or {}
        found += [f"{where}.securityContext.{field}" for field in CONTAINER_FIELDS if field in own]
    return [forbidden_field(field, NOT_WINDOWS) for field in found]


def _linux(spec: Object, path: str) -> list[FieldError]:
    found = []
    if "windowsOptions" in (spec.get("securityContext") or {}):
        found.append(f"{path}.securityContext.windowsOptions")
    for container, where in containers(spec, path):
        if "windowsOptions" in (container.get("securityContext") or {}):
            found.append(f"{where}.securityContext.windowsOptions")
    return [forbidden_field(field, NOT_LINUX) for field in found]


def _options(context: Object | None) -> Object:
    return (context or {}).get("windowsOptions") or {}


def host_process(spec: Object, path: str) -> list[FieldError]:
    """What HostProcess asks of a Pod and its containers."""
    pod, errors, count, total = _options(spec.get("securityContext")).get("hostProcess"), [], 0, 0
    for container, where in containers(spec, path):
        total += 1
        own = _options(container.get("securityContext")).get("hostProcess")
        if own is not None and pod is not None and own != pod:
            field = f"{where}.securityContext.windowsOptions.hostProcess"
            text = f"pod hostProcess value must be identical if both are specified, was {str(pod).lower()}"
            errors.append(invalid_value(field, own, text))
        if own if own is not None else pod:
            count += 1
    if not count:
        return errors
    if count != total:
        text = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        errors.append(invalid_value(path, "", text))
    if not spec.get("hostNetwork"):
        text = "hostNetwork must be true if pod contains any hostProcess containers"
        errors.append(invalid_value(f"{path}.hostNetwork", False, text))
    return errors


def options(context: Object | None, path: str) -> list[FieldError]:
    """What is wrong with `windowsOptions` of a security context at `path`."""
    found, where, errors = _options(context), f"{path}.windowsOptions", []
    if found.get("gmsaCredentialSpecName") is not None:
        name = found["gmsaCredentialSpecName"]
        errors += [invalid_value(f"{where}.gmsaCredentialSpecName", name, why) for why in names.subdomain(name)]
    if found.get("gmsaCredentialSpec") is not None:
        text = found["gmsaCredentialSpec"]
        if not text:
            errors.append(
                invalid_value(f"{where}.gmsaCredentialSpec", text, "gmsaCredentialSpec cannot be an empty string")
            )
        elif len(text.encode()) > LARGEST_SPEC:
            errors.append(
                invalid_value(f"{where}.gmsaCredentialSpec", text, "gmsaCredentialSpec size must be under 64 KiB")
            )
    if found.get("runAsUserName") is not None:
        name = found["runAsUserName"]
        errors += [invalid_value(f"{where}.runAsUserName", name, f"runAsUserName{why}") for why in _user_name(name)]
    return errors


def _user_name(text: str) -> list[str]:
    if not text:
        return [" cannot be an empty string"]
    if CONTROL.search(text):
        return [" cannot contain control characters"]
    parts = text.split("\\")
    if len(parts) > 2:
        return [" cannot contain more than one backslash"]
    domain, user = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    problems = []
    if len(domain) >= LONGEST_DOMAIN:
        problems.append("'s Domain length must be under 256 characters")
    if len(parts) == 2 and not (NETBIOS.fullmatch(domain) or DOMAIN.fullmatch(domain)):
        problems.append("'s Domain doesn't match the NetBios nor the DNS format")
    return problems + _user(user)


def _user(user: str) -> list[str]:
    problems = []
    if not user:
        problems.append("'s User cannot be empty")
    elif len(user.encode()) > LONGEST_USER:
        problems.append("'s User length must not be longer than 104 characters")
    if DOTS.fullmatch(user):
        problems.append("'s User cannot contain only periods or spaces")
    if CHARACTERS.search(user):
        problems.append("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return problems
