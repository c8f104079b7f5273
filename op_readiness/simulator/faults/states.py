"""The states of the simulated world as fault files may name them: which tables there are and what stands in them.

Owners of tables define keys and values; this is the one place that knows all of them. Derived fields are facts that a
reader would name (is the Service's targetPort a name? does the change take a backend away?) and the key does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from op_readiness.simulator.domain.identity import Identity, IdKey
from op_readiness.simulator.faults.changes import check_changes
from op_readiness.simulator.faults.schema import Step
from op_readiness.simulator.faults.shapes import Met, Shape
from op_readiness.simulator.faults.words import FaultError, nearest
from op_readiness.simulator.network import keys
from op_readiness.simulator.nodes.channels import Channel, ChannelKey
from op_readiness.simulator.nodes.host import FactKey, HostFact
from op_readiness.simulator.nodes.images import Pull
from op_readiness.simulator.nodes.limits import Limit, LimitKey
from op_readiness.simulator.nodes.mounted import Mounted, VolumeKey

DROPPED = {"verdict": "drop"}


def _target_port(met: Met) -> str:
    """named, numeric or omitted: how the Service says its targetPort."""
    service = met.world.services.objects.get((met.key.namespace, met.key.name)) or {}
    ports = service.get("spec", {}).get("ports") or []
    port: dict[str, Any] = next((port for port in ports if (port.get("name") or "") == met.key.port_name), {})
    target = port.get("targetPort")
    if isinstance(target, str) and not target.isdigit():
        return "named"
    return "omitted" if target in (None, port.get("port")) else "numeric"


def _change(met: Met) -> str:
    """grows, shrinks or same-size: what a write does to the number of backends; empty for a create or delete."""
    old = met.table.programmed.get(met.key)
    if met.operation != "update" or old is None or met.value is None:
        return ""
    before, after = len(old.backends), len(met.value.backends)
    return "same-size" if before == after else "grows" if after > before else "shrinks"


def _leaves(met: Met) -> str:
    """yes if a write takes away a backend that is programmed."""
    old = met.table.programmed.get(met.key)
    if old is None or met.value is None:
        return "no"
    return "yes" if set(old.backends) - set(met.value.backends) else "no"


def _equal_ports(met: Met) -> str:
    """yes if a NodePort has the number of the Service's own port."""
    return "yes" if met.key.face == "NodePort" and met.key.port == met.key.service_port else "no"


def _affinity(met: Met) -> str:
    """yes if the load balancer keeps a client with its backend."""
    value = met.value or met.table.programmed.get(met.key)
    return "yes" if getattr(value, "affinity", 0) else "no"


def _policy(met: Met) -> str:
    """The Service's externalTrafficPolicy."""
    value = met.value or met.table.programmed.get(met.key)
    return str(getattr(value, "policy", ""))


def _owner_os(met: Met) -> str:
    """The OS of the Node to which a remote endpoint points; empty where there is none."""
    return str(getattr(met.world.nodes.get(met.value), "os", "")) if met.value else ""


def _backends_on(met: Met) -> list[str]:
    """The OS of the Nodes that run the backends."""
    value = met.value or met.table.programmed.get(met.key)
    addresses = {backend.ip for backend in getattr(value, "backends", ())}
    pods = (pod for pod in met.world.pods.objects.values() if pod.get("status", {}).get("podIP") in addresses)
    found = {met.world.nodes[name].os for pod in pods if (name := pod["spec"].get("nodeName")) in met.world.nodes}
    return sorted(found)


def _families(met: Met) -> list[str]:
    """The IP families of the Service."""
    service = met.world.services.objects.get((met.key.namespace, met.key.name)) or {}
    return list(service.get("spec", {}).get("ipFamilies") or [])


def _service(met: Met) -> list[str]:
    """The Service as `namespace/name` and as `name`."""
    return [f"{met.key.namespace}/{met.key.name}", met.key.name]


def _pod(met: Met) -> list[str]:
    """A Pod that stands in the value, as `namespace/name` and as `name`."""
    value = met.value or met.table.programmed.get(met.key)
    return [f"{value.namespace}/{value.name}", value.name] if value is not None else []


SHAPES: Mapping[str, tuple[Shape, ...]] = {
    "LB": (
        Shape(
            keys.LbKey, keys.LbValue, lost_as=DROPPED,
            derived={
                "service": _service, "target_port": _target_port, "change": _change, "leaves": _leaves,
                "equal_ports": _equal_ports, "affinity": _affinity, "families": _families, "policy": _policy,
                "backends_on": _backends_on,
            },
        ),
    ),
    "REP": (Shape("ip", derived={"owner_os": _owner_os}),),
    "EP": (Shape("uid", keys.EpValue, derived={"pod": _pod}),),
    "ACL": (Shape("uid", keys.AclValue, keys.AclValue),),
    "ROUTE": (Shape(keys.RouteKey, keys.RouteValue, keys.RouteValue, lost_as=DROPPED, slow_field="delay"),),
    "DNS": (
        Shape(
            keys.DnsQueryKey, keys.DnsPath, keys.DnsPath, lost_as=DROPPED, slow_field="delay",
            broken_as=lambda message: {"verdict": message or "servfail"},
        ),
        Shape(keys.DnsKey, keys.DnsValue, lambda: keys.DnsValue(())),
    ),
    "IPAM": (Shape("ip"),),
    "CHAN": (
        Shape(
            ChannelKey, Channel, Channel, lost_as={"state": "hangs"}, slow_field="seconds", slow_as={"state": "slow"},
            broken_as=lambda message: {"state": "error", "message": message},
        ),
    ),
    "VOL": (
        Shape(
            VolumeKey, Mounted, Mounted, lost_as={"state": "missing"}, broken_as=lambda message: {"state": "denied"},
        ),
    ),
    "ID": (
        Shape(
            IdKey, Identity, Identity, lost_as={"state": "lost"},
            broken_as=lambda message: {"state": "refused", "message": message},
        ),
    ),
    "LIMIT": (Shape(LimitKey, Limit),),
    "NODE": (Shape(FactKey, HostFact, HostFact),),
    "IMG": (
        Shape(
            "image", Pull, Pull, lost_as={"present": False, "seconds": 1e9}, slow_field="seconds",
            broken_as=lambda message: {"present": False, "error": message},
        ),
    ),
}  # fmt: skip
"""State -> the shapes of its keys, the first that knows every word of a step is the step's."""


def shape_of(what: str, step: Step) -> Shape:
    """The shape that a step speaks of; raises FaultError naming the word that the state does not know."""
    shapes = SHAPES.get(step.state)
    if shapes is None:
        raise FaultError(f"{what}: this simulator keeps no table for {step.state}{nearest(step.state, SHAPES)}")
    for shape in shapes:
        if all(name in shape.key_fields for name in step.key) and _value_known(what, step, shape):
            return shape
    _explain(what, step, shapes[0])
    raise FaultError(f"{what}: no kind of entry of {step.state} has all of these fields")


def _value_known(what: str, step: Step, shape: Shape) -> bool:
    if step.do in ("alter", "set"):
        try:
            check_changes(what, step.value, shape.value)
        except FaultError:
            return False
    return step.point == "lookup" or len(SHAPES[step.state]) == 1 or shape is SHAPES[step.state][-1]


def _explain(what: str, step: Step, shape: Shape) -> None:
    for name in step.key:
        if name not in shape.key_fields:
            raise FaultError(f"{what}: a key of {step.state} has no field {name!r}{nearest(name, shape.key_fields)}")
    if step.do in ("alter", "set"):
        check_changes(what, step.value, shape.value)
