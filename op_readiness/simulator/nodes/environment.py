"""The environment of a container: the image's, the Services', and what its spec says, with $(NAME) expanded."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.failures import UNREACHABLE
from op_readiness.simulator.nodes.fields import container_named, field_value, resource_value
from op_readiness.simulator.nodes.images import Image

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node
    from op_readiness.simulator.world import World


async def environment(
    world: World, node: Node, pod: Object, spec: Object, image: Image, ips: Sequence[str], user: str
) -> dict[str, str]:
    """All variables of one container that runs as `user`; raises ConfigError for a reference that leads nowhere."""
    env = _of_image(node.os, image, user) | _of_services(world, pod)
    for source in spec.get("envFrom") or []:
        env |= await _whole(world, pod["metadata"]["namespace"], source)
    for variable in spec.get("env") or []:
        if "valueFrom" in variable:
            value = await _referenced(world, node, pod, spec, variable["valueFrom"], ips)
            if value is not None:
                env[variable["name"]] = value
        else:
            env[variable["name"]] = expanded(variable.get("value") or "", env)
    return env


def _of_image(os: str, image: Image, user: str) -> dict[str, str]:
    env = {"PATH": image.variant.path} if image.variant.path else {}
    if os == "windows":
        user = user.rpartition("\\")[2] or "ContainerUser"
        env |= {
            "SystemRoot": r"C:\Windows", "SystemDrive": "C:", "COMSPEC": r"C:\Windows\system32\cmd.exe",
            "OS": "Windows_NT", "PATHEXT": ".COM;.EXE;.BAT;.CMD", "PROCESSOR_ARCHITECTURE": "AMD64",
            "TEMP": rf"C:\Users\{user}\AppData\Local\Temp", "TMP": rf"C:\Users\{user}\AppData\Local\Temp",
            "USERNAME": user, "USERPROFILE": rf"C:\Users\{user}", "windir": r"C:\Windows",
        }  # fmt: skip
    return env


def _of_services(world: World, pod: Object) -> dict[str, str]:
    """What enableServiceLinks promises: this Namespace's Services, and always default/kubernetes."""
    namespace, linked = pod["metadata"]["namespace"], pod["spec"].get("enableServiceLinks", True)
    env: dict[str, str] = {}
    for (where, name), service in world.services.objects.items():
        is_api = (where, name) == ("default", "kubernetes")
        ip = service["spec"].get("clusterIP")
        if (is_api or (linked and where == namespace)) and ip not in (None, "", "None"):
            env |= _links(name, ip, service["spec"].get("ports") or [])
    return env


def _links(name: str, ip: str, ports: list[Object]) -> dict[str, str]:
    word = name.upper().replace("-", "_")
    env = {f"{word}_SERVICE_HOST": ip}
    for index, port in enumerate(ports):
        number, protocol = str(port["port"]), port.get("protocol", "TCP")
        link = f"{protocol.lower()}://{ip}:{number}"
        stem = f"{word}_PORT_{number}_{protocol}"
        if index == 0:
            env |= {f"{word}_SERVICE_PORT": number, f"{word}_PORT": link}
        if port.get("name"):
            env[f"{word}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = number
        env |= {stem: link, f"{stem}_PROTO": protocol.lower(), f"{stem}_PORT": number, f"{stem}_ADDR": ip}
    return env


async def _whole(world: World, namespace: str, source: Object) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    kind = "configMapRef" if "configMapRef" in source else "secretRef"
    data = await keyed(world, namespace, kind, source[kind])
    return {prefix + key: value.decode() for key, value in (data or {}).items()}


async def _referenced(
    world: World, node: Node, pod: Object, spec: Object, source: Object, ips: Sequence[str]
) -> str | None:
    if "fieldRef" in source:
        return field_value(source["fieldRef"]["fieldPath"], pod, node, ips)
    if "resourceFieldRef" in source:
        reference = source["resourceFieldRef"]
        named = reference.get("containerName")
        return resource_value(reference, container_named(pod, named) if named else spec, node)
    kind = next((kind for kind in ("configMapKeyRef", "secretKeyRef") if kind in source), None)
    if kind is None:
        raise ConfigError(f"this kind of valueFrom is not simulated: {', '.join(source)}")
    reference = source[kind]
    data = await keyed(world, pod["metadata"]["namespace"], kind, reference)
    if data is not None and reference["key"] in data:
        return data[reference["key"]].decode()
    if reference.get("optional"):
        return None
    what = "ConfigMap" if kind == "configMapKeyRef" else "Secret"
    where = f"{what} {pod['metadata']['namespace']}/{reference['name']}"
    raise ConfigError(f"couldn't find key {reference['key']} in {where}")


async def keyed(world: World, namespace: str, kind: str, reference: Object) -> dict[str, bytes] | None:
    """The data of a ConfigMap or Secret (`kind` starts with its word); None if an optional one is missing."""
    plural, singular = ("configmaps", "configmap") if kind.startswith("configMap") else ("secrets", "secret")
    name = reference.get("name") or reference.get("secretName") or ""
    try:
        found = await world.read(f"/api/v1/{plural}", namespace, name)
    except (ApiError, *UNREACHABLE) as error:
        raise ConfigError(f"failed to sync {singular} cache: {error}") from error
    if found is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{singular} "{name}" not found')
    return data_of(found)


def data_of(obj: Object) -> dict[str, bytes]:
    """Keys and bytes of a ConfigMap or a Secret."""
    if obj.get("kind", "") == "Secret" or "type" in obj:
        return {key: base64.b64decode(value) for key, value in (obj.get("data") or {}).items()}
    text = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    return text | {key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()}


def expanded(text: str, env: dict[str, str]) -> str:
    """`$(NAME)` replaced by a known variable; `$$` is a plain `$`, an unknown name stays."""

    def replaced(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return env.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^()]+)\)", replaced, text)
