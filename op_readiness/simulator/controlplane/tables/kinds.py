"""The cells of each kind's row, in the order of its recorded columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from op_readiness.simulator.controlplane.store.registry import Key
from op_readiness.simulator.controlplane.tables import pods, services, workloads
from op_readiness.simulator.controlplane.tables.cells import age, selector, since

Object = dict[str, Any]
Cells = Callable[[Object], list[Any]]
RBAC, STORAGE = "rbac.authorization.k8s.io", "storage.k8s.io"
ROLE_LABEL = "node-role.kubernetes.io/"
MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _namespace(obj: Object) -> list[Any]:
    return [_name(obj), obj.get("status", {}).get("phase", ""), age(obj)]


def _node(obj: Object) -> list[Any]:
    status, spec, labels = obj.get("status") or {}, obj.get("spec") or {}, obj["metadata"].get("labels") or {}
    ready = next((c for c in status.get("conditions") or () if c["type"] == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"]
    if spec.get("unschedulable"):
        words.append("SchedulingDisabled")
    roles = sorted(key.removeprefix(ROLE_LABEL) for key in labels if key.startswith(ROLE_LABEL))
    roles += [labels["kubernetes.io/role"]] if labels.get("kubernetes.io/role") else []
    info = status.get("nodeInfo") or {}
    wide = [info.get(field) or "<unknown>" for field in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    addresses = [_address(status, "InternalIP"), _address(status, "ExternalIP")]
    version = info.get("kubeletVersion", "")
    return [_name(obj), ",".join(words), ",".join(roles) or "<none>", age(obj), version, *addresses, *wide]


def _address(status: Object, kind: str) -> str:
    return next((a["address"] for a in status.get("addresses") or () if a["type"] == kind), "<none>")


def _event(obj: Object) -> list[Any]:
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    series = obj.get("series") or {}
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    count = series.get("count") or obj.get("count") or 1
    involved, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    instance = source.get("host") or obj.get("reportingInstance") or ""
    about = f"{involved.get('kind', '').lower()}/{involved.get('name', '')}" if involved.get("name") else ""
    who = f"{component}, {instance}" if instance else component
    message = (obj.get("message") or "").strip()
    row = [since(last), obj.get("type", ""), obj.get("reason", ""), about or involved.get("kind", "").lower()]
    return [*row, involved.get("fieldPath", ""), who, message, since(first), count, _name(obj)]


def _modes(spec: Object) -> str:
    return ",".join(MODES.get(mode, mode) for mode in spec.get("accessModes") or ())


def _claim(obj: Object) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    phase = "Terminating" if "deletionTimestamp" in obj["metadata"] else status.get("phase", "")
    bound = spec.get("volumeName", "")
    capacity = (status.get("capacity") or {}).get("storage", "") if bound else ""
    modes = _modes(status) if bound else ""
    storage, attributes = spec.get("storageClassName", ""), spec.get("volumeAttributesClassName") or "<unset>"
    return [_name(obj), phase, bound, capacity, modes, storage, attributes, age(obj), spec.get("volumeMode", "<unset>")]


def _volume(obj: Object) -> list[Any]:
    spec, status, claim = obj["spec"], obj.get("status") or {}, obj["spec"].get("claimRef")
    phase = "Terminating" if "deletionTimestamp" in obj["metadata"] else status.get("phase", "")
    owner = f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""
    row = [_name(obj), (spec.get("capacity") or {}).get("storage", ""), _modes(spec)]
    row += [spec.get("persistentVolumeReclaimPolicy", ""), phase, owner, spec.get("storageClassName", "")]
    attributes = spec.get("volumeAttributesClassName") or "<unset>"
    return [*row, attributes, status.get("reason", ""), age(obj), spec.get("volumeMode", "<unset>")]


def _binding(obj: Object) -> list[Any]:
    subjects = obj.get("subjects") or ()

    def named(kind: str) -> str:
        return ", ".join(
            f"{s['namespace']}/{s['name']}" if kind == "ServiceAccount" and s.get("namespace") else s["name"]
            for s in subjects
            if s["kind"] == kind
        )

    role = f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"
    return [_name(obj), role, age(obj), named("User"), named("Group"), named("ServiceAccount")]


def _created(obj: Object) -> list[Any]:
    return [_name(obj), obj["metadata"]["creationTimestamp"]]


def _data(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _policy(obj: Object) -> list[Any]:
    return [_name(obj), selector(obj["spec"].get("podSelector")), age(obj)]


def _budget(obj: Object) -> list[Any]:
    spec = obj["spec"]
    bounds = [str(spec.get(field, "N/A")) for field in ("minAvailable", "maxUnavailable")]
    return [_name(obj), *bounds, obj.get("status", {}).get("disruptionsAllowed", 0), age(obj)]


def _storage_class(obj: Object) -> list[Any]:
    default = (obj["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true"
    name = f"{_name(obj)} (default)" if default else _name(obj)
    row = [name, obj.get("provisioner", ""), obj.get("reclaimPolicy", ""), obj.get("volumeBindingMode", "")]
    return [*row, obj.get("allowVolumeExpansion", False), age(obj)]


def _priority(obj: Object) -> list[Any]:
    default = obj.get("globalDefault", False)
    return [_name(obj), obj.get("value", 0), default, age(obj), obj.get("preemptionPolicy", "")]


def _controller_revision(obj: Object) -> list[Any]:
    owner = next((o for o in obj["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    group = owner["apiVersion"].rpartition("/")[0] if owner else ""
    text = f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}" if owner else "<none>"
    return [_name(obj), text, obj.get("revision", 0), age(obj)]


def _hooks(obj: Object) -> list[Any]:
    return [_name(obj), len(obj.get("webhooks") or ()), age(obj)]


def _quota(obj: Object) -> list[Any]:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    shown = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    limits = [text for name, text in shown.items() if name.startswith("limits.")]
    return [_name(obj), ", ".join(text for text in shown.values() if text not in limits), ", ".join(limits), age(obj)]


def _definition(obj: Object) -> list[Any]:
    spec = obj["spec"]
    versions = ",".join(one["name"] + ("(storage)" if one.get("storage") else "") for one in spec["versions"])
    conditions = (obj.get("status") or {}).get("conditions") or []
    established = any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
    names = spec["names"]
    return [_name(obj), spec["scope"], versions, obj["metadata"]["creationTimestamp"], spec["group"], names["kind"],
            ",".join(names.get("shortNames") or ()), established]  # fmt: skip


CELLS: dict[Key, Cells] = {
    ("", "resourcequotas"): _quota,
    ("", "pods"): pods.cells,
    ("", "namespaces"): _namespace,
    ("", "nodes"): _node,
    ("", "events"): _event,
    ("events.k8s.io", "events"): _event,
    ("", "services"): services.service,
    ("", "endpoints"): services.endpoints,
    ("discovery.k8s.io", "endpointslices"): services.endpoint_slice,
    ("", "configmaps"): lambda obj: [_name(obj), _data(obj), age(obj)],
    ("", "secrets"): lambda obj: [_name(obj), obj.get("type", ""), _data(obj), age(obj)],
    ("", "limitranges"): _created,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _volume,
    ("", "replicationcontrollers"): workloads.replica_set,
    ("apps", "replicasets"): workloads.replica_set,
    ("apps", "deployments"): workloads.deployment,
    ("apps", "statefulsets"): workloads.stateful_set,
    ("apps", "daemonsets"): workloads.daemon_set,
    ("apps", "controllerrevisions"): _controller_revision,
    ("batch", "jobs"): workloads.job,
    ("coordination.k8s.io", "leases"): lambda obj: [
        _name(obj),
        (obj.get("spec") or {}).get("holderIdentity", ""),
        age(obj),
    ],
    ("networking.k8s.io", "networkpolicies"): _policy,
    ("policy", "poddisruptionbudgets"): _budget,
    (RBAC, "roles"): _created,
    (RBAC, "clusterroles"): _created,
    (RBAC, "rolebindings"): _binding,
    (RBAC, "clusterrolebindings"): _binding,
    ("node.k8s.io", "runtimeclasses"): lambda obj: [_name(obj), obj.get("handler", ""), age(obj)],
    ("scheduling.k8s.io", "priorityclasses"): _priority,
    (STORAGE, "storageclasses"): _storage_class,
    (STORAGE, "csinodes"): lambda obj: [_name(obj), len((obj.get("spec") or {}).get("drivers") or ()), age(obj)],
    ("apiextensions.k8s.io", "customresourcedefinitions"): _definition,
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"): _hooks,
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"): _hooks,
}


def has_no_printer(key: Key) -> bool:
    """True for kinds of which a real API server shows name and age alone; their empty Tables have null for rows."""
    return CELLS.get(key) is _created


def cells_of(key: Key, obj: Object, count: int) -> list[Any]:
    """One cell for each column; a kind without cells of its own shows name and age."""
    own = CELLS.get(key)
    cells = own(obj) if own is not None else [_name(obj), *["<none>"] * (count - 2), age(obj)]
    return cells[:count]
