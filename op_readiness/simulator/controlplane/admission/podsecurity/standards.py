"""The Pod Security standards baseline and restricted: what each check of a version says of a Pod's spec.

Checks run in the order of the real admission plugin: those of baseline first, then those of restricted, which replace
some of baseline. Container names are quoted and listed, init containers first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from op_readiness.simulator.controlplane.wire.failures import quoted

Object = dict[str, Any]
Version = tuple[int, int]
Check = Callable[[Object, Version], tuple[str, str] | None]
LATEST: Version = (1, 37)
WINDOWS_EXEMPT: Version = (1, 25)
CAPABILITIES = frozenset(
    (
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    )
)
VOLUMES = frozenset(
    (
        "configMap",
        "downwardAPI",
        "emptyDir",
        "projected",
        "secret",
        "csi",
        "persistentVolumeClaim",
        "ephemeral",
        "image",
    )
)
SYSCTLS: dict[str, Version] = {
    "kernel.shm_rmid_forced": (1, 0),
    "net.ipv4.ip_local_port_range": (1, 0),
    "net.ipv4.tcp_syncookies": (1, 0),
    "net.ipv4.ping_group_range": (1, 0),
    "net.ipv4.ip_unprivileged_port_start": (1, 0),
    "net.ipv4.ip_local_reserved_ports": (1, 27),
    "net.ipv4.tcp_keepalive_time": (1, 29),
    "net.ipv4.tcp_fin_timeout": (1, 29),
    "net.ipv4.tcp_keepalive_intvl": (1, 29),
    "net.ipv4.tcp_keepalive_probes": (1, 29),
    "net.ipv4.tcp_rmem": (1, 32),
    "net.ipv4.tcp_wmem": (1, 32),
    "net.ipv4.tcp_slow_start_after_idle": (1, 37),
    "net.ipv4.tcp_notsent_lowat": (1, 37),
}
SECCOMP = ("RuntimeDefault", "Localhost")
SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def _containers(spec: Object) -> Iterator[Object]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or ()


def _context(holder: Object) -> Object:
    return holder.get("securityContext") or {}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _named(names: list[str]) -> str:
    return f"container{'s' if len(names) != 1 else ''} {_quoted(names)}"


def _where(spec: Object, wrong: Callable[[Object], bool]) -> list[str]:
    return [container["name"] for container in _containers(spec) if wrong(container)]


def _setters(spec: Object, wrong: Callable[[Object], bool]) -> str:
    """`pod`, `container "a"`, or `pod and containers "a", "b"`, wherever a security context is wrong."""
    found = ["pod"] if wrong(_context(spec)) else []
    names = _where(spec, lambda container: wrong(_context(container)))
    return " and ".join([*found, *([_named(names)] if names else [])])


def _windows(spec: Object, version: Version) -> bool:
    return version >= WINDOWS_EXEMPT and (spec.get("os") or {}).get("name") == "windows"


def app_armor(spec: Object, _: Version) -> tuple[str, str] | None:
    """AppArmor profiles other than the usual ones."""

    def wrong(context: Object) -> bool:
        return (context.get("appArmorProfile") or {"type": SECCOMP[0]}).get("type", "") not in SECCOMP

    setters = _setters(spec, wrong)
    contexts = [_context(spec), *map(_context, _containers(spec))]
    values = sorted({(c.get("appArmorProfile") or {}).get("type", "") for c in contexts if wrong(c)})
    if not setters:
        return None
    reason = f"forbidden AppArmor profile{'s' if len(values) != 1 else ''}"
    return reason, f"{setters} must not set AppArmor profile type to {_quoted(values)}"


def added_capabilities(spec: Object, _: Version) -> tuple[str, str] | None:
    """Capabilities beyond the default ones."""

    def extra(container: Object) -> set[str]:
        return set((_context(container).get("capabilities") or {}).get("add") or ()) - CAPABILITIES

    names = _where(spec, lambda container: bool(extra(container)))
    if not names:
        return None
    added = sorted(set().union(*map(extra, _containers(spec))))
    text = f"{_named(names)} must not include {_quoted(added)} in securityContext.capabilities.add"
    return "non-default capabilities", text


def host_namespaces(spec: Object, _: Version) -> tuple[str, str] | None:
    """Namespaces of the host."""
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return ("host namespaces", ", ".join(found)) if found else None


def host_paths(spec: Object, _: Version) -> tuple[str, str] | None:
    """Volumes of the host."""
    names = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return ("hostPath volumes", f"volume{'s' if len(names) != 1 else ''} {_quoted(names)}") if names else None


def host_ports(spec: Object, _: Version) -> tuple[str, str] | None:
    """Ports of the host."""
    names = _where(spec, lambda c: any(port.get("hostPort") for port in c.get("ports") or ()))
    ports = {str(p["hostPort"]) for c in _containers(spec) for p in c.get("ports") or () if p.get("hostPort")}
    if not names:
        return None
    verb, noun = "uses" if len(names) == 1 else "use", f"hostPort{'s' if len(ports) != 1 else ''}"
    return "hostPort", f"{_named(names)} {verb} {noun} {', '.join(sorted(ports))}"


def probe_hosts(spec: Object, version: Version) -> tuple[str, str] | None:
    """Probes and hooks that name a host."""
    if version < (1, 34):
        return None

    def hosts(container: Object) -> set[str]:
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(f"{kind}Probe") for kind in ("liveness", "readiness", "startup")]
        handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
        actions = [(one or {}).get(kind) or {} for one in handlers for kind in ("httpGet", "tcpSocket")]
        return {action["host"] for action in actions if action.get("host")}

    names = sorted(_where(spec, lambda container: bool(hosts(container))))
    if not names:
        return None
    found = sorted(set().union(*map(hosts, _containers(spec))))
    noun = f"probe or lifecycle host{'s' if len(found) != 1 else ''}"
    return "probe or lifecycle host", f"{_named(names)} {'uses' if len(names) == 1 else 'use'} {noun} {_quoted(found)}"


def privileged(spec: Object, _: Version) -> tuple[str, str] | None:
    """Privileged containers."""
    names = _where(spec, lambda container: bool(_context(container).get("privileged")))
    return ("privileged", f"{_named(names)} must not set securityContext.privileged=true") if names else None


def proc_mount(spec: Object, _: Version) -> tuple[str, str] | None:
    """Unmasked /proc."""
    names = _where(spec, lambda c: _context(c).get("procMount", "Default") != "Default")
    values = {_context(c)["procMount"] for c in _containers(spec) if c["name"] in names and "procMount" in _context(c)}
    text = f"{_named(names)} must not set securityContext.procMount to {_quoted(sorted(values))}"
    return ("procMount", text) if names else None


def se_linux(spec: Object, _: Version) -> tuple[str, str] | None:
    """SELinux users, roles and unusual types."""
    contexts = [_context(spec), *map(_context, _containers(spec))]
    chosen = [context["seLinuxOptions"] for context in contexts if context.get("seLinuxOptions")]

    def wrong(context: Object) -> bool:
        options = context.get("seLinuxOptions") or {}
        return options.get("type", "") not in SELINUX or bool(options.get("user") or options.get("role"))

    setters = _setters(spec, wrong)
    if not setters:
        return None
    types = sorted({o["type"] for o in chosen if o.get("type", "") not in SELINUX})
    data = [f"type{'s' if len(types) != 1 else ''} {_quoted(types)}"] if types else []
    data += [f"{field} may not be set" for field in ("user", "role") if any(o.get(field) for o in chosen)]
    return "seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"


def _bad_seccomp(context: Object) -> bool:
    profile = context.get("seccompProfile")
    return profile is not None and profile.get("type", "") not in SECCOMP


def seccomp(spec: Object, _: Version) -> tuple[str, str] | None:
    """Seccomp switched off."""
    setters = _setters(spec, _bad_seccomp)
    contexts = [_context(spec), *map(_context, _containers(spec))]
    values = sorted({c["seccompProfile"].get("type", "") for c in contexts if _bad_seccomp(c)})
    text = f"{setters} must not set securityContext.seccompProfile.type to {_quoted(values)}"
    return ("seccompProfile", text) if setters else None


def sysctls(spec: Object, version: Version) -> tuple[str, str] | None:
    """Sysctls that are not known to be safe."""
    named = [sysctl["name"] for sysctl in _context(spec).get("sysctls") or ()]
    unsafe = [name for name in named if SYSCTLS.get(name, (9, 0)) > version]
    return ("forbidden sysctls", ", ".join(unsafe)) if unsafe else None


def host_process(spec: Object, _: Version) -> tuple[str, str] | None:
    """HostProcess."""
    setters = _setters(spec, lambda context: bool((context.get("windowsOptions") or {}).get("hostProcess")))
    text = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return ("hostProcess", text) if setters else None


def escalation(spec: Object, version: Version) -> tuple[str, str] | None:
    """Containers that may gain privileges."""
    names = _where(spec, lambda c: _context(c).get("allowPrivilegeEscalation") is not False)
    if not names or _windows(spec, version):
        return None
    text = f"{_named(names)} must set securityContext.allowPrivilegeEscalation=false"
    return "allowPrivilegeEscalation != false", text


def dropped_capabilities(spec: Object, version: Version) -> tuple[str, str] | None:
    """Containers that keep capabilities."""
    if _windows(spec, version):
        return None

    def extra(container: Object) -> set[str]:
        return set((_context(container).get("capabilities") or {}).get("add") or ()) - {"NET_BIND_SERVICE"}

    keeping = _where(spec, lambda c: "ALL" not in ((_context(c).get("capabilities") or {}).get("drop") or ()))
    adding = _where(spec, lambda c: bool(extra(c)))
    details = []
    if keeping:
        details.append(f'{_named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        added = _quoted(sorted(set().union(*map(extra, _containers(spec)))))
        details.append(f"{_named(adding)} must not include {added} in securityContext.capabilities.add")
    return ("unrestricted capabilities", "; ".join(details)) if details else None


def restricted_volumes(spec: Object, _: Version) -> tuple[str, str] | None:
    """Volume types that are not restricted's."""
    bad = [(v["name"], next(k for k in v if k != "name")) for v in spec.get("volumes") or () if not VOLUMES & v.keys()]
    if not bad:
        return None
    kinds = sorted({kind for _, kind in bad})
    verb = "uses" if len(bad) == 1 else "use"
    noun = f"restricted volume type{'s' if len(kinds) != 1 else ''}"
    names = f"volume{'s' if len(bad) != 1 else ''} {_quoted(name for name, _ in bad)}"
    return "restricted volume types", f"{names} {verb} {noun} {_quoted(kinds)}"


def non_root(spec: Object, _: Version) -> tuple[str, str] | None:
    """Containers that may run as root."""
    if spec.get("hostUsers") is False:
        return None
    setters = _setters(spec, lambda context: context.get("runAsNonRoot") is False)
    if setters:
        return "runAsNonRoot != true", f"{setters} must not set securityContext.runAsNonRoot=false"
    if _context(spec).get("runAsNonRoot"):
        return None
    names = _where(spec, lambda container: _context(container).get("runAsNonRoot") is None)
    text = f"pod or {_named(names)} must set securityContext.runAsNonRoot=true"
    return ("runAsNonRoot != true", text) if names else None


def root_user(spec: Object, version: Version) -> tuple[str, str] | None:
    """The user 0."""
    if version < (1, 23) or spec.get("hostUsers") is False:
        return None
    setters = _setters(spec, lambda context: context.get("runAsUser") == 0)
    return ("runAsUser=0", f"{setters} must not set runAsUser=0") if setters else None


def seccomp_set(spec: Object, version: Version) -> tuple[str, str] | None:
    """Seccomp not switched on."""
    if _windows(spec, version) or version < (1, 19):
        return None
    wrong = seccomp(spec, version)
    if wrong is not None or _context(spec).get("seccompProfile"):
        return wrong
    names = _where(spec, lambda container: _context(container).get("seccompProfile") is None)
    text = f'pod or {_named(names)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return ("seccompProfile", text) if names else None


BASELINE: tuple[Check, ...] = (
    app_armor,
    added_capabilities,
    host_namespaces,
    host_paths,
    host_ports,
    probe_hosts,
    privileged,
    proc_mount,
    se_linux,
    seccomp,
    sysctls,
    host_process,
)
REPLACED: tuple[Check, ...] = (added_capabilities, host_paths, seccomp)
RESTRICTED: tuple[Check, ...] = (
    *(check for check in BASELINE if check not in REPLACED),
    escalation,
    dropped_capabilities,
    restricted_volumes,
    non_root,
    root_user,
    seccomp_set,
)
LEVELS: dict[str, tuple[Check, ...]] = {"privileged": (), "baseline": BASELINE, "restricted": RESTRICTED}


def violations(spec: Object, level: str, version: Version) -> list[tuple[str, str]]:
    """(reason, detail) of every check of the level that a Pod's spec fails."""
    found = [check(spec, version) for check in LEVELS[level]]
    return [one for one in found if one is not None]
