"""What admission adds to a new Pod: ServiceAccount and its token, priority, RuntimeClass, tolerations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from op_readiness.simulator.controlplane.store.storage import Store
from op_readiness.simulator.controlplane.wire.failures import forbidden

Object = dict[str, Any]
MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
NO_EXECUTE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
MEMORY = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"}
PRIORITY = ("scheduling.k8s.io", "priorityclasses")
TOKEN_SECONDS = 3607


class PodAdmission:
    """The plugins that change a Pod; `suffix` gives the five letters of the token volume's name."""

    def __init__(self, store: Store, suffix: Callable[[], str]) -> None:
        self._store, self._suffix = store, suffix

    def admit(self, pod: Object) -> None:
        """Change a new Pod in place, or refuse it with 403."""
        self._service_account(pod)
        self._tolerations(pod)
        self._priority(pod)
        self._runtime_class(pod)

    def _service_account(self, pod: Object) -> None:
        spec, metadata = pod["spec"], pod["metadata"]
        if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
            return
        name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = self._store.get(("", "serviceaccounts"), metadata["namespace"], name)
        if account is None:
            text = f'error looking up service account {metadata["namespace"]}/{name}: serviceaccount "{name}" not found'
            raise forbidden("pods", "", metadata["name"], text)
        if not spec.get("imagePullSecrets") and account.object.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(secret) for secret in account.object["imagePullSecrets"]]
        wanted = spec.get("automountServiceAccountToken", account.object.get("automountServiceAccountToken", True))
        if wanted:
            self._mount_token(spec)

    def _mount_token(self, spec: Object) -> None:
        volumes = spec.setdefault("volumes", [])
        present = next((v["name"] for v in volumes if v["name"].startswith("kube-api-access-")), None)
        name = present or f"kube-api-access-{self._suffix()}"
        used = False
        for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
            mounts = container.setdefault("volumeMounts", [])
            if not any(mount.get("mountPath") == MOUNT for mount in mounts):
                mounts.append({"name": name, "readOnly": True, "mountPath": MOUNT})
                used = True
        if used and not present:
            volumes.append(token_volume(name))
        if not volumes:
            del spec["volumes"]

    def _tolerations(self, pod: Object) -> None:
        spec = pod["spec"]
        tolerations = spec.setdefault("tolerations", [])
        for key in NO_EXECUTE:
            if not any(_covers(toleration, key) for toleration in tolerations):
                tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})

    def _priority(self, pod: Object) -> None:
        spec, name = pod["spec"], pod["spec"].get("priorityClassName")
        classes = self._store[PRIORITY].objects
        found = classes.get(("", name)) if name else None
        if not name:
            defaults = [c for c in classes.values() if c.object.get("globalDefault")]
            found = min(defaults, key=lambda c: int(c.object["value"]), default=None)
            if found is not None:
                spec["priorityClassName"] = found.object["metadata"]["name"]
        elif found is None:
            raise forbidden("pods", "", pod["metadata"]["name"], f"no PriorityClass with name {name} was found")
        computed = found.object["value"] if found else 0
        policy = found.object["preemptionPolicy"] if found else "PreemptLowerPriority"
        self._unlike(pod, "priority", "integer value of priority", computed)
        self._unlike(pod, "preemptionPolicy", "string value of PreemptionPolicy", policy)
        spec["priority"], spec["preemptionPolicy"] = computed, policy

    @staticmethod
    def _unlike(pod: Object, field: str, what: str, computed: Any) -> None:
        """A Pod may say what its class says, and nothing else."""
        given = pod["spec"].get(field)
        if given not in (None, computed):
            computing = f"priority admission controller computed {computed} from the given PriorityClass name"
            text = f"the {what} ({given}) must not be provided in pod spec; {computing}"
            raise forbidden("pods", "", pod["metadata"]["name"], text)

    def _runtime_class(self, pod: Object) -> None:
        name = pod["spec"].get("runtimeClassName")
        if not name:
            return
        found = self._store.get(("node.k8s.io", "runtimeclasses"), "", name)
        if found is None:
            raise forbidden("pods", "", pod["metadata"]["name"], f'pod rejected: RuntimeClass "{name}" not found')
        overhead = (found.object.get("overhead") or {}).get("podFixed")
        if overhead:
            pod["spec"]["overhead"] = dict(overhead)
        scheduling = found.object.get("scheduling") or {}
        if scheduling.get("nodeSelector"):
            pod["spec"]["nodeSelector"] = {**(pod["spec"].get("nodeSelector") or {}), **scheduling["nodeSelector"]}
        pod["spec"].setdefault("tolerations", []).extend(scheduling.get("tolerations") or ())


def _covers(toleration: Object, key: str) -> bool:
    return toleration.get("key") in (key, None, "") and toleration.get("effect") in ("NoExecute", None, "")


def token_volume(name: str) -> Object:
    """The projected volume with token, CA and Namespace."""
    field = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [field]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
