"""Who a container runs as, and what a kubelet and a runtime say of users that it must not or cannot run as."""

from __future__ import annotations

import re
from typing import Any

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.images import Image

ROOT_OF_WINDOWS = "ContainerAdministrator"


def windows_option(pod: Object, spec: Object, name: str) -> Any:
    """A field of windowsOptions as it holds for a container: its own, else the Pod's; None if neither says it."""
    for context in (spec.get("securityContext"), pod["spec"].get("securityContext")):
        options = (context or {}).get("windowsOptions") or {}
        if options.get(name) is not None:
            return options[name]
    return None


def host_process(pod: Object, spec: Object) -> bool:
    """Whether a container is a HostProcess one."""
    return bool(windows_option(pod, spec, "hostProcess"))


def user_of(pod: Object, spec: Object, image: Image, os: str) -> str:
    """The user's name, as the spec or the image writes it. Each OS looks at its own fields alone."""
    if os == "windows":
        return str(windows_option(pod, spec, "runAsUserName") or image.variant.user)
    user = _option(pod, spec, "runAsUser")
    return image.variant.user if user is None else str(user)


def refuse_root(pod: Object, spec: Object, image: Image, os: str) -> None:
    """Raise ConfigError, with the kubelet's text, where runAsNonRoot forbids the container's user."""
    if not _option(pod, spec, "runAsNonRoot"):
        return
    meta = pod["metadata"]
    where = f'(pod: "{meta["name"]}_{meta["namespace"]}({meta["uid"]})", container: {spec["name"]})'
    wrong = _wrong_on_windows(pod, spec, image) if os == "windows" else _wrong_on_linux(pod, spec, image)
    if wrong:
        raise ConfigError(f"{wrong} {where}")


def _wrong_on_windows(pod: Object, spec: Object, image: Image) -> str:
    named = windows_option(pod, spec, "runAsUserName")
    user, field = (named, "runAsUserName") if named is not None else (image.variant.user, "runAsUser")
    if user.lower() != ROOT_OF_WINDOWS.lower():
        return ""
    return f"container's {field} ({user}) which will be regarded as root identity and will break non-root policy"


def _wrong_on_linux(pod: Object, spec: Object, image: Image) -> str:
    user = _option(pod, spec, "runAsUser")
    if user is not None:
        return "container's runAsUser breaks non-root policy" if user == 0 else ""
    of_image = image.variant.user.partition(":")[0]
    if of_image and not re.fullmatch(r"\d+", of_image):
        return f"container has runAsNonRoot and image has non-numeric user ({of_image}), cannot verify user is non-root"
    return "" if int(of_image or 0) else "container has runAsNonRoot and image will run as root"


def _option(pod: Object, spec: Object, name: str) -> Any:
    for context in (spec.get("securityContext"), pod["spec"].get("securityContext")):
        if (context or {}).get(name) is not None:
            return (context or {})[name]
    return None
