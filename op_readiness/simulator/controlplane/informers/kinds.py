"""Where each kind that the controllers know lives in the API."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from op_readiness.simulator.api import Object


@dataclass(frozen=True)
class Kind:
    """One kind: its words in manifests (`api_version`, `kind`) and in paths (`plural`)."""

    kind: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    @property
    def root(self) -> str:
        """The path of the API group and version."""
        return f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"

    def collection(self, namespace: str = "") -> str:
        """The path of the collection; of all Namespaces when none is given."""
        if namespace and self.namespaced:
            return f"{self.root}/namespaces/{quote(namespace)}/{self.plural}"
        return f"{self.root}/{self.plural}"

    def path(self, namespace: str, name: str, subresource: str = "") -> str:
        """The path of one object, or of its subresource."""
        path = f"{self.collection(namespace)}/{quote(name)}"
        return f"{path}/{subresource}" if subresource else path

    def of(self, obj: Object, subresource: str = "") -> str:
        """The path of that object."""
        return self.path(obj["metadata"].get("namespace", ""), obj["metadata"]["name"], subresource)


POD = Kind("Pod", "v1", "pods")
NODE = Kind("Node", "v1", "nodes", namespaced=False)
NAMESPACE = Kind("Namespace", "v1", "namespaces", namespaced=False)
SERVICE = Kind("Service", "v1", "services")
EVENT = Kind("Event", "v1", "events")
CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
SECRET = Kind("Secret", "v1", "secrets")
SERVICE_ACCOUNT = Kind("ServiceAccount", "v1", "serviceaccounts")
CLAIM = Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims")
VOLUME = Kind("PersistentVolume", "v1", "persistentvolumes", namespaced=False)
DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments")
REPLICA_SET = Kind("ReplicaSet", "apps/v1", "replicasets")
STATEFUL_SET = Kind("StatefulSet", "apps/v1", "statefulsets")
DAEMON_SET = Kind("DaemonSet", "apps/v1", "daemonsets")
REVISION = Kind("ControllerRevision", "apps/v1", "controllerrevisions")
JOB = Kind("Job", "batch/v1", "jobs")
ENDPOINT_SLICE = Kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices")
LEASE = Kind("Lease", "coordination.k8s.io/v1", "leases")
QUOTA = Kind("ResourceQuota", "v1", "resourcequotas")
STORAGE_CLASS = Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False)

KNOWN: dict[tuple[str, str], Kind] = {
    (kind.api_version, kind.kind): kind
    for kind in (
        POD, NODE, NAMESPACE, SERVICE, CONFIG_MAP, SECRET, SERVICE_ACCOUNT, CLAIM, VOLUME, DEPLOYMENT, REPLICA_SET,
        STATEFUL_SET, DAEMON_SET, REVISION, JOB, ENDPOINT_SLICE, LEASE, STORAGE_CLASS,
    )
}
