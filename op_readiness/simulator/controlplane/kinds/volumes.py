"""What is wrong with the volumes of a Pod, and with a container's mounts of them."""

from __future__ import annotations

from typing import Any

from op_readiness.simulator.controlplane.kinds import names
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
HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 2**32
MODE = "must be a number between 0 and 0777 (octal), both inclusive"


def volumes(found: list[Object], path: str) -> tuple[set[str], list[FieldError]]:
    """(names of sound volumes, what is wrong with the others)."""
    sound: set[str] = set()
    errors: list[FieldError] = []
    for index, volume in enumerate(found):
        where, name = f"{path}[{index}]", volume.get("name", "")
        own = _source(volume, where)
        own += [invalid_value(f"{where}.name", name, why) for why in names.dns_label(name)] if name else []
        own += [] if name else [required(f"{where}.name")]
        own += [duplicate(f"{where}.name", name)] if name in sound else []
        if not own:
            sound.add(name)
        errors += own
    return sound, errors


def _source(volume: Object, where: str) -> list[FieldError]:
    kinds = [key for key in volume if key != "name"]
    errors = [forbidden_field(f"{where}.{kind}", "may not specify more than 1 volume type") for kind in kinds[1:]]
    for kind in kinds[:1]:
        errors += _of_kind(kind, volume[kind] or {}, f"{where}.{kind}")
    return errors


def _of_kind(kind: str, source: Object, where: str) -> list[FieldError]:
    match kind:
        case "hostPath":
            return _host_path(source, where)
        case "configMap":
            return _named(source, "name", where) + _items(source, where)
        case "secret":
            return _named(source, "secretName", where) + _items(source, where)
        case "persistentVolumeClaim":
            return _named(source, "claimName", where)
        case "projected":
            return _projected(source, where)
    return []


def _named(source: Object, field: str, where: str) -> list[FieldError]:
    return [] if source.get(field) else [required(f"{where}.{field}")]


def _items(source: Object, where: str) -> list[FieldError]:
    errors = []
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        errors.append(invalid_value(f"{where}.defaultMode", mode, MODE))
    for index, item in enumerate(source.get("items") or ()):
        place = f"{where}.items[{index}]"
        errors += [] if item.get("key") else [required(f"{place}.key")]
        errors += [] if item.get("path") else [required(f"{place}.path")]
        errors += _descending(item.get("path", ""), f"{place}.path")
    return errors


def _host_path(source: Object, where: str) -> list[FieldError]:
    if not source.get("path"):
        return [required(f"{where}.path")]
    errors = _no_backsteps(source["path"], f"{where}.path")
    if source.get("type", "") not in HOST_PATH_TYPES:
        errors.append(not_supported(f"{where}.type", source["type"], HOST_PATH_TYPES))
    return errors


def _projected(source: Object, where: str) -> list[FieldError]:
    errors = []
    for index, one in enumerate(source.get("sources") or ()):
        place = f"{where}.sources[{index}]"
        for kind in ("secret", "configMap"):
            if one.get(kind) is not None:
                errors += _named(one[kind], "name", f"{place}.{kind}") + _items(one[kind], f"{place}.{kind}")
        token = one.get("serviceAccountToken")
        if token is not None:
            errors += _token(token, f"{place}.serviceAccountToken")
    return errors


def _token(token: Object, where: str) -> list[FieldError]:
    seconds, errors = token.get("expirationSeconds", 3600), []
    if seconds < SHORTEST_TOKEN:
        why = "may not specify a duration less than 10 minutes"
        errors.append(invalid_value(f"{where}.expirationSeconds", seconds, why))
    elif seconds > LONGEST_TOKEN:
        why = "may not specify a duration larger than 2^32 seconds"
        errors.append(invalid_value(f"{where}.expirationSeconds", seconds, why))
    return errors + ([] if token.get("path") else [required(f"{where}.path")])


def _no_backsteps(text: str, where: str) -> list[FieldError]:
    return [invalid_value(where, text, "must not contain '..'")] if ".." in text.split("/") else []


def _descending(text: str, where: str) -> list[FieldError]:
    absolute = [invalid_value(where, text, "must be a relative path")] if text.startswith("/") else []
    return absolute + _no_backsteps(text, where)


def mounts(container: Object, known: set[str], path: str) -> list[FieldError]:
    """What is wrong with a container's volumeMounts; some errors name no index, as the server's."""
    errors: list[FieldError] = []
    taken: set[str] = set()
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        where, target = f"{path}[{index}]", mount.get("mountPath", "")
        errors += [] if mount.get("name") else [required(f"{where}.name")]
        errors += [] if mount.get("name", "") in known else [absent(f"{where}.name", mount.get("name", ""))]
        errors += [] if target else [required(f"{where}.mountPath")]
        errors += [invalid_value(f"{where}.mountPath", target, "must be unique")] if target in taken else []
        taken.add(target)
        errors += _sub_paths(mount, path, where)
        errors += _propagation(container, mount.get("mountPropagation"), f"{path}.mountPropagation")
    return errors


def _sub_paths(mount: Object, path: str, where: str) -> list[FieldError]:
    errors = _descending(mount["subPath"], f"{path}.subPath") if mount.get("subPath") else []
    expression = mount.get("subPathExpr")
    if expression and mount.get("subPath"):
        why = "subPathExpr and subPath are mutually exclusive"
        errors.append(invalid_value(f"{where}.subPathExpr", expression, why))
    return errors + (_descending(expression, f"{path}.subPathExpr") if expression else [])


def _propagation(container: Object, mode: str | None, where: str) -> list[FieldError]:
    if mode is None:
        return []
    if mode not in PROPAGATIONS:
        return [not_supported(where, mode, PROPAGATIONS)]
    privileged = (container.get("securityContext") or {}).get("privileged")
    if mode == "Bidirectional" and not privileged:
        return [forbidden_field(where, "Bidirectional mount propagation is available only to privileged containers")]
    return []
