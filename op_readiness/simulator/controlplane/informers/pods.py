"""Facts about one Pod, and the Pod that a template makes."""

from __future__ import annotations

import copy
import hashlib
import json

from op_readiness.simulator.api import Object
from op_readiness.simulator.controlplane.informers.kinds import Kind

SAFE = "bcdfghjklmnpqrstvwxz2456789"  # letters of which Kubernetes makes hashes in names: no word can come out


def condition(obj: Object, kind: str) -> Object | None:
    """That condition of an object's status, or None."""
    for each in (obj.get("status") or {}).get("conditions") or []:
        if each["type"] == kind:
            found: Object = each
            return found
    return None


def is_ready(pod: Object) -> bool:
    """Whether the condition Ready is True."""
    ready = condition(pod, "Ready")
    return ready is not None and ready["status"] == "True"


def phase(pod: Object) -> str:
    """The Pod's phase; Pending when none is said yet."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def is_finished(pod: Object) -> bool:
    """Whether the Pod will run no more."""
    return phase(pod) in ("Succeeded", "Failed")


def is_terminating(pod: Object) -> bool:
    """Whether the Pod has been deleted and is still there."""
    return "deletionTimestamp" in pod["metadata"]


def is_active(pod: Object) -> bool:
    """Whether the Pod counts for its controller: neither finished nor terminating."""
    return not is_finished(pod) and not is_terminating(pod)


def controller_reference(owner: Object, kind: Kind) -> Object:
    """The owner reference with which a controller marks what it makes."""
    return {
        "apiVersion": kind.api_version, "kind": kind.kind, "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
    }


def from_template(template: Object, owner: Object, kind: Kind) -> Object:
    """A Pod of that template, owned by `owner`, named by the API server after it."""
    meta = template.get("metadata") or {}
    name = owner["metadata"]["name"]
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": f"{name}-",
            "labels": dict(meta.get("labels") or {}),
            "annotations": dict(meta.get("annotations") or {}),
            "ownerReferences": [controller_reference(owner, kind)],
        },
        "spec": copy.deepcopy(template["spec"]),
    }
    if meta.get("finalizers"):
        pod["metadata"]["finalizers"] = list(meta["finalizers"])
    return pod


def hash_of(value: object, collisions: int = 0) -> str:
    """A short name-safe hash of any JSON value (Kubernetes hashes the Go struct: other letters, the same use)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":")) + (str(collisions) if collisions else "")
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return "".join(SAFE[int(digit) % len(SAFE)] for digit in str(number))


def deletion_rank(pod: Object) -> tuple[bool, int, bool, int, str]:
    """Sorts Pods so that the first are to be deleted first: unassigned, pending, not ready, cheap, newest."""
    phases = {"Pending": 0, "Unknown": 1}
    annotations = pod["metadata"].get("annotations") or {}
    cost = int(annotations.get("controller.kubernetes.io/pod-deletion-cost", 0))
    assigned, ready = bool(pod["spec"].get("nodeName")), is_ready(pod)
    return (assigned, phases.get(phase(pod), 2), ready, cost, _reversed(pod["metadata"]["creationTimestamp"]))


def _reversed(text: str) -> str:
    return "".join(chr(0x7F - ord(letter)) for letter in text)
