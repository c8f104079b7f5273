"""The downward API: values of a Pod's fields and resources, as environment variables and volume files carry them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from op_readiness.simulator.api import Object
from op_readiness.simulator.nodes.containers import ConfigError
from op_readiness.simulator.nodes.quantities import value_of

if TYPE_CHECKING:
    from op_readiness.simulator.nodes.node import Node


def field_value(path: str, pod: Object, node: Node, ips: Sequence[str]) -> str:
    """The value of a fieldRef; raises ConfigError for a path that a kubelet does not know."""
    meta, spec = pod["metadata"], pod["spec"]
    plain = {
        "metadata.name": meta["name"], "metadata.namespace": meta["namespace"], "metadata.uid": meta["uid"],
        "spec.nodeName": node.name, "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": ips[0] if ips else "", "status.podIPs": ",".join(ips),
        "status.hostIP": node.reported_ips[0], "status.hostIPs": ",".join(node.reported_ips),
        "metadata.labels": _lines(meta.get("labels")), "metadata.annotations": _lines(meta.get("annotations")),
    }  # fmt: skip
    if path in plain:
        return str(plain[path])
    found = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if found:
        return str((meta.get(found[1]) or {}).get(found[2], ""))
    raise ConfigError(f"unsupported fieldPath: {path}")


def _lines(values: dict[str, str] | None) -> str:
    return "\n".join(f"{key}={json.dumps(value)}" for key, value in sorted((values or {}).items()))


def resource_value(reference: Object, container: Object, node: Node) -> str:
    """The value of a resourceFieldRef; without a limit it is the Node's allocatable."""
    kind, _, resource = reference["resource"].partition(".")
    resources = container.get("resources") or {}
    quantity = (resources.get(kind) or {}).get(resource)
    if quantity is None and kind == "limits":
        quantity = {"cpu": node.spec.cpu, "memory": node.allocatable_memory}.get(resource)
    divisor = value_of(reference.get("divisor") or 1) or value_of(1)
    return str(ceil(value_of(quantity or 0) / divisor))


def container_named(pod: Object, name: str) -> Object:
    """The container (init ones too) of that name; raises ConfigError."""
    for one in [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]:
        if one["name"] == name:
            return dict(one)
    raise ConfigError(f"container {name} not found")
