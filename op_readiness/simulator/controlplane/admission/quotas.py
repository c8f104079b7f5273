"""ResourceQuota: a write that would use more than is granted is refused, and what is granted is counted.

The limits that count are those of a quota's status, which the quota controller copies from its spec; this plugin adds
to `used`, the controller counts anew when objects go.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from op_readiness.simulator.controlplane.fields.quantity import amount, canonical
from op_readiness.simulator.controlplane.kinds.prepare import qos_class
from op_readiness.simulator.controlplane.store.registry import Key
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.store.storage import Store, Stored
from op_readiness.simulator.controlplane.wire.failures import forbidden

Object = dict[str, Any]
Usage = dict[str, Decimal]
QUOTAS = ("", "resourcequotas")
COUNTED = ("pods", "services", "configmaps", "secrets", "persistentvolumeclaims", "replicationcontrollers")
COMPUTE = ("cpu", "memory", "ephemeral-storage")
MUST_BE_SET = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
ENDED = ("Succeeded", "Failed")


def usage(key: Key, obj: Object) -> Usage:
    """What an object uses of every resource that a quota can limit."""
    group, plural = key
    found: Usage = {f"count/{plural}.{group}" if group else f"count/{plural}": Decimal(1)}
    if not group and plural in (*COUNTED, "resourcequotas"):
        found[plural] = Decimal(1)
    if key == ("", "pods"):
        if obj.get("status", {}).get("phase") in ENDED:
            del found["pods"]
            return found
        return found | _compute(obj["spec"])
    if key == ("", "services"):
        found |= _service(obj["spec"])
    if key == ("", "persistentvolumeclaims"):
        storage = ((obj["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0")
        found["requests.storage"] = amount(storage)
    return found


def _service(spec: Object) -> Usage:
    ports, kind = Decimal(len(spec.get("ports") or ())), spec.get("type")
    balanced = kind == "LoadBalancer"
    nodes = (
        ports if kind == "NodePort" or (balanced and spec.get("allocateLoadBalancerNodePorts", True)) else Decimal(0)
    )
    return {"services.nodeports": nodes, "services.loadbalancers": Decimal(int(balanced))}


def _compute(spec: Object) -> Usage:
    """Requests and limits of a Pod: its containers together, or its greatest init container."""
    found: Usage = {}
    for kind in ("requests", "limits"):
        for name in COMPUTE:
            value = pod_amount(spec, kind, name)
            if value is None:
                continue
            found[f"{kind}.{name}"] = value
            if kind == "requests":
                found[name] = value
    return found


def pod_amount(spec: Object, kind: str, name: str) -> Decimal | None:
    """Requests or limits of a Pod for one resource; None where no container names any."""
    main = [_named(container, kind, name) for container in spec.get("containers") or ()]
    first = [_named(container, kind, name) for container in spec.get("initContainers") or ()]
    if all(value is None for value in (*main, *first)):
        return None
    total = sum((value for value in main if value is not None), Decimal(0))
    return max([total, *(value for value in first if value is not None)])


def _named(container: Object, kind: str, name: str) -> Decimal | None:
    listed = (container.get("resources") or {}).get(kind) or {}
    return amount(listed[name]) if name in listed else None


def in_scope(quota: Object, key: Key, obj: Object) -> bool:
    """True where the quota's scopes hold for the object; scopes are about Pods alone."""
    scopes = quota["spec"].get("scopes") or []
    if scopes and key != ("", "pods"):
        return False
    spec = obj.get("spec") or {}
    best, ending = qos_class(spec) == "BestEffort" if scopes else False, spec.get("activeDeadlineSeconds") is not None
    holds = {"BestEffort": best, "NotBestEffort": not best, "Terminating": ending, "NotTerminating": not ending}
    return all(holds.get(scope, False) for scope in scopes)


class Quotas:
    """The plugin, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def charge(self, request: Request, obj: Object, old: Object | None) -> None:
        """Refuse what goes beyond a quota; count what stays within (not in a dry run)."""
        key, metadata = request.served.key, obj["metadata"]
        if request.subresource or not metadata.get("namespace"):
            return
        if old is not None and key not in (("", "services"), ("", "persistentvolumeclaims")):
            return
        quotas = [q for q in self._store[QUOTAS].listed(metadata["namespace"]) if in_scope(q.object, key, obj)]
        added = _more(usage(key, obj), usage(key, old) if old is not None else {})
        charged = [(stored, self._checked(request, stored, added, obj)) for stored in quotas]
        for stored, wanted in charged:
            if wanted and not request.dry_run:
                self._count(stored, wanted)

    def _checked(self, request: Request, stored: Stored, added: Usage, obj: Object) -> Usage:
        quota, name = stored.object, stored.object["metadata"]["name"]
        status = quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        wanted = {resource: value for resource, value in added.items() if resource in hard}
        refused = _missing(request, quota, obj)
        if refused:
            raise self._refusal(request, obj, f"failed quota: {name}: must specify {refused}")
        if not wanted:
            return {}
        unknown = sorted(resource for resource in wanted if resource not in used)
        if unknown:
            raise self._refusal(request, obj, f"status unknown for quota: {name}, resources: {', '.join(unknown)}")
        over = sorted(r for r, value in wanted.items() if value > 0 and amount(used[r]) + value > amount(hard[r]))
        if over:
            requested = ",".join(f"{r}={written(wanted[r], r)}" for r in over)
            had, most = (",".join(f"{r}={listed[r]}" for r in over) for listed in (used, hard))
            text = f"exceeded quota: {name}, requested: {requested}, used: {had}, limited: {most}"
            raise self._refusal(request, obj, text)
        return wanted

    @staticmethod
    def _refusal(request: Request, obj: Object, why: str) -> Exception:
        resource = request.served
        return forbidden(resource.plural, resource.group, obj["metadata"]["name"], why)

    def _count(self, stored: Stored, wanted: Usage) -> None:
        quota = stored.copy()
        used = quota["status"]["used"]
        for resource, value in wanted.items():
            used[resource] = written(amount(used[resource]) + value, resource)
        self._store.put(QUOTAS, quota)


def _more(new: Usage, old: Usage) -> Usage:
    found = {resource: value - old.get(resource, Decimal(0)) for resource, value in new.items()}
    return {resource: value for resource, value in found.items() if value or not old}


def _missing(request: Request, quota: Object, obj: Object) -> str:
    """Compute resources that the quota limits and some containers do not name."""
    if request.served.key != ("", "pods"):
        return ""
    spec, missing = obj["spec"], []
    for resource in sorted(set(MUST_BE_SET) & ((quota.get("status") or {}).get("hard") or {}).keys()):
        kind, _, name = resource.rpartition(".")
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        without = [c["name"] for c in containers if _named(c, kind or "requests", name) is None]
        if without:
            missing.append(f"{resource} for: {','.join(without)}")
    return "; ".join(missing)


def written(value: Decimal, resource: str) -> str:
    """An amount as the API server writes it: memory and storage with binary suffixes."""
    if resource.endswith(("memory", "storage")) and value == value.to_integral_value():
        for suffix in ("Ei", "Pi", "Ti", "Gi", "Mi", "Ki"):
            unit = Decimal(1024) ** ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei").index(suffix) * 1024
            if value and value % unit == 0:
                return f"{int(value / unit)}{suffix}"
    return canonical(f"{value:f}")
