"""Who a container runs as, and what a kubelet and a runtime say of users that it must not or cannot run as."""

from __future__ import annotations

import re
from typing import Any

from op_readiness.simulator.api import Object
from op_readiness.simulator.domain.identity import WELL, Identity, IdKey, IdTable, parsed
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.images import Image

ROOT_OF_WINDOWS = "ContainerAdministrator"
REFUSED_USER = "(no token)"
"""Stands for a user of whom the runtime gets no token: it cannot be logged on."""


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


def level_of(pod: Object, spec: Object) -> str:
    """Who names the user of a Windows container: the container, the Pod, or the image alone."""
    for level, context in (("container", spec.get("securityContext")), ("pod", pod["spec"].get("securityContext"))):
        if ((context or {}).get("windowsOptions") or {}).get("runAsUserName"):
            return level
    return "image"


def identity_met(table: IdTable, pod: Object, spec: Object, use: str, account: str) -> Identity:
    """What a container meets at one use of an identity, as the kubelet and the runtime make it."""
    meta = pod["metadata"]
    kind = "gmsa" if windows_option(pod, spec, "gmsaCredentialSpec") else "none"
    kind = "machine" if host_process(pod, spec) else kind
    key = IdKey(
        meta["namespace"], meta["name"], spec.get("name", ""), use, kind, account, level=level_of(pod, spec)
    )  # fmt: skip
    return table.lookup(key) or WELL


def gmsa_of(pod: Object, spec: Object) -> tuple[str, str]:
    """The account and the text of a container's GMSA credential spec; empty ones without it."""
    text = str(windows_option(pod, spec, "gmsaCredentialSpec") or "")
    return str((parsed(text).get("DomainJoinConfig") or {}).get("MachineAccountName") or ""), text


def user_of(pod: Object, spec: Object, image: Image, os: str, identities: IdTable | None = None) -> str:
    """The user's name, as the spec or the image writes it. Each OS looks at its own fields alone.

    `identities` is the table of the Node that makes the container: what it really gets.
    """
    if os == "windows":
        user = str(windows_option(pod, spec, "runAsUserName") or image.variant.user)
        met = WELL if identities is None else identity_met(identities, pod, spec, "user", user)
        return REFUSED_USER if met.state == "refused" else met.account or user
    user = _option(pod, spec, "runAsUser")
    return image.variant.user if user is None else str(user)


def refuse_root(pod: Object, spec: Object, image: Image, os: str, identities: IdTable | None = None) -> None:
    """Raise ConfigError, with the kubelet's text, where runAsNonRoot forbids the container's user."""
    if not _option(pod, spec, "runAsNonRoot"):
        return
    named = str(windows_option(pod, spec, "runAsUserName") or "") if os == "windows" else ""
    met = WELL if identities is None else identity_met(identities, pod, spec, "nonroot", named)
    if met.state == "refused":
        raise ConfigError(met.message or "container has runAsNonRoot and image will run as root")
    if met.state != "well":
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
