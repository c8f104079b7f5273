"""What is wrong with security contexts beside what Windows forbids."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.wire.failures import FieldError, invalid_value, not_supported, required

Object = dict[str, Any]
INTERNAL = (
    "Capabilities",
    "Privileged",
    "SELinuxOptions",
    "WindowsOptions",
    "RunAsUser",
    "RunAsGroup",
    "RunAsNonRoot",
    "ReadOnlyRootFilesystem",
    "AllowPrivilegeEscalation",
    "ProcMount",
    "SeccompProfile",
    "AppArmorProfile",
)
BOTH = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
UNMASKED = "`hostUsers` must be false to use `Unmasked`"
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")


def errors(spec: Object, path: str) -> list[FieldError]:
    """What is wrong with the security contexts of a Pod's spec, which stands at `path`."""
    found = _profile(spec.get("securityContext") or {}, f"{path}.securityContext")
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(kind) or ()):
            found += _container(container.get("securityContext") or {}, spec, f"{path}.{kind}[{index}].securityContext")
    return found


def _container(context: Object, spec: Object, where: str) -> list[FieldError]:
    found = []
    if context.get("procMount") == "Unmasked" and spec.get("hostUsers") is not False:
        found.append(invalid_value(f"{where}.procMount", "Unmasked", UNMASKED))
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        found.append(invalid_value(where, _internal(context), BOTH))
    return found + _profile(context, where)


def _internal(context: Object) -> Object:
    """The context as the API server's internal type prints it."""
    by_name = {key.lower(): value for key, value in context.items()}
    return {name: by_name.get(name.lower()) for name in INTERNAL}


def _profile(context: Object, where: str) -> list[FieldError]:
    profile = context.get("seccompProfile")
    if profile is None:
        return []
    kind = profile.get("type", "")
    if not kind:
        return [required(f"{where}.seccompProfile.type", "type is required when seccompProfile is set")]
    if kind not in PROFILES:
        return [not_supported(f"{where}.seccompProfile.type", kind, PROFILES)]
    if kind == "Localhost" and not profile.get("localhostProfile"):
        why = "must be set when seccomp type is Localhost"
        return [required(f"{where}.seccompProfile.localhostProfile", why)]
    return []
