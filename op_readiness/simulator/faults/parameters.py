"""Parameters of a fault that is put in: checked against the world by kind, and drawn by its seed where left open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from op_readiness.simulator.faults.library import check_parameters
from op_readiness.simulator.faults.schema import ANY_NODE, DRAWN, Document, Parameter
from op_readiness.simulator.faults.words import FaultError, nearest, seconds

CHOICES = {"protocol": ("TCP", "UDP", "SCTP"), "family": ("IPv4", "IPv6")}
SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def resolved(fault: Document, given: Mapping[str, Any], world: Any) -> dict[str, Any]:
    """Every parameter with its value; raises FaultError for what the fault or the world does not know."""
    check_parameters(fault, given)
    values: dict[str, Any] = {}
    for name, parameter in sorted(fault.parameters.items(), key=lambda item: item[0] not in given):
        taken = {value for value in values.values() if isinstance(value, str) and value in world.nodes}
        what, value = f"fault {fault.name}: parameter {name}", given.get(name, parameter.default)
        values[name] = _value(what, parameter, value, world, taken)
    return dict(sorted(values.items()))


def of_nodes(fault: Document, values: Mapping[str, Any], world: Any) -> dict[str, Any]:
    """`NAME.ip` and `NAME.pod_cidr` of the parameters that are Nodes, for `$other.pod_cidr` in a step."""
    nodes = {
        name: world.nodes.get(values[name])
        for name, one in fault.parameters.items()
        if one.kind in ANY_NODE and isinstance(values[name], str)
    }
    return {
        f"{name}.{part}": getattr(node, part) for name, node in nodes.items() if node for part in ("ip", "pod_cidr")
    }


def _value(what: str, parameter: Parameter, value: Any, world: Any, taken: set[str]) -> Any:
    if parameter.kind in ANY_NODE:
        return _node(what, parameter.kind, value, world, taken)
    if parameter.kind == "service" and value == DRAWN:
        return _drawn_service(what, world)
    return _plain(what, parameter.kind, value)


def _plain(what: str, kind: str, value: Any) -> Any:
    if kind == "duration":
        return seconds(value)
    if kind in ("number", "port"):
        return _number(what, kind, value)
    if kind in CHOICES and str(value) not in (*CHOICES[kind], "*"):
        raise FaultError(f"{what}: {value!r} is no {kind}{nearest(str(value), CHOICES[kind])}")
    return value if isinstance(value, list) else str(value)


def _number(what: str, kind: str, value: Any) -> int | float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise FaultError(f"{what}: {value!r} is not a number") from None
    if kind == "port" and not (number.is_integer() and 0 < number < 65536):
        raise FaultError(f"{what}: {value!r} is not a port")
    return int(number) if number.is_integer() else number


def _node(what: str, kind: str, value: Any, world: Any, taken: set[str]) -> str | list[str]:
    wanted = {"windows-node": "windows", "linux-node": "linux"}.get(kind)
    fitting = sorted(name for name, node in world.nodes.items() if wanted in (None, node.os))
    if value == DRAWN:
        drawable = [name for name in fitting if name not in taken and (wanted or world.nodes[name].os == "windows")]
        if not drawable:
            raise FaultError(f"{what}: the cluster has no (other) {kind} to draw")
        return str(world.random.choice(drawable))
    if value == "*":
        return fitting
    if value not in fitting:
        raise FaultError(f"{what}: no {kind} {value!r}{nearest(str(value), fitting)}")
    return str(value)


def _drawn_service(what: str, world: Any) -> str:
    names = sorted(f"{space}/{name}" for space, name in world.services.objects if space not in SYSTEM_NAMESPACES)
    if not names:
        raise FaultError(
            f"{what}: no Service to draw outside {', '.join(SYSTEM_NAMESPACES)}; name one as namespace/name"
        )
    return str(world.random.choice(names))
