"""What every Namespace has from the start: ServiceAccount `default` and ConfigMap `kube-root-ca.crt`."""

from __future__ import annotations

from op_readiness.simulator.api import ApiError, Object
from op_readiness.simulator.controlplane.informers.kinds import CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT, Kind
from op_readiness.simulator.controlplane.informers.queue import WorkQueue
from op_readiness.simulator.controlplane.informers.shared import Shared

ROOT_CA = "kube-root-ca.crt"
WHY = {
    "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using "
    "internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "
    "distributions of Kubernetes clusters."
}


class NamespaceFurniture:
    """Makes both, and makes them again when somebody deletes or changes them."""

    def __init__(self, shared: Shared, root_ca: str) -> None:
        self._shared, self._root_ca = shared, root_ca
        self.queue: WorkQueue[str] = WorkQueue(shared.clock, self._sync, workers=2)
        shared.store(NAMESPACE).handlers.append(self._namespace_changed)
        shared.store(CONFIG_MAP).handlers.append(self._object_changed)
        shared.store(SERVICE_ACCOUNT).handlers.append(self._object_changed)

    def _namespace_changed(self, old: Object | None, new: Object | None) -> None:
        if new is not None and old is None:
            self.queue.add(new["metadata"]["name"])

    def _object_changed(self, old: Object | None, new: Object | None) -> None:
        if old is not None and old["metadata"]["name"] in (ROOT_CA, "default"):
            self.queue.add(old["metadata"]["namespace"])

    async def _sync(self, name: str) -> None:
        namespace = self._shared.store(NAMESPACE).get("", name)
        if namespace is None or "deletionTimestamp" in namespace["metadata"]:
            return
        if self._shared.store(SERVICE_ACCOUNT).get(name, "default") is None:
            await self._make(SERVICE_ACCOUNT, name, {"metadata": {"name": "default", "namespace": name}})
        data = {"ca.crt": self._root_ca}
        there = self._shared.store(CONFIG_MAP).get(name, ROOT_CA)
        if there is None:
            meta = {"name": ROOT_CA, "namespace": name, "annotations": WHY}
            await self._make(CONFIG_MAP, name, {"metadata": meta, "data": data})
        elif there.get("data") != data:
            gone = {key: None for key in there.get("data") or {} if key not in data}
            await self._shared.patch(CONFIG_MAP, there, {"data": {**data, **gone}})

    async def _make(self, kind: Kind, namespace: str, body: Object) -> None:
        try:
            await self._shared.create(kind, namespace, {"apiVersion": kind.api_version, "kind": kind.kind, **body})
        except ApiError as error:
            if error.code != 409 and "because it is being terminated" not in error.message:
                raise
