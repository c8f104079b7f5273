"""What a new cluster holds before anybody asks: Namespaces, default roles, priority classes, the kubernetes Service."""

from __future__ import annotations

import copy
from typing import Any

from op_readiness.simulator.controlplane.store.registry import resource
from op_readiness.simulator.controlplane.store.requests import Request
from op_readiness.simulator.controlplane.verbs import operations
from op_readiness.simulator.controlplane.verbs.operations import Cluster
from op_readiness.simulator.controlplane.wire.recorded import recorded

Object = dict[str, Any]
NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
ROLES = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}
API_HOST, API_PORT = "10.240.0.2", 6443


def _create(cluster: Cluster, group: str, plural: str, obj: Object) -> None:
    namespace = obj["metadata"].get("namespace", "")
    kind = resource(group, plural)
    request = Request("POST", "", {}, "create", group, "v1", plural, "", namespace, "", "", kind)
    request.agent = "kube-apiserver"
    operations.create(cluster, request, {"kind": kind.kind, "apiVersion": kind.api_version, **obj})


def fill(cluster: Cluster) -> None:
    """Create everything, once, in an empty store."""
    for name in NAMESPACES:
        _create(cluster, "", "namespaces", {"metadata": {"name": name}})
    for role in recorded()["roles"]:
        _create(cluster, "rbac.authorization.k8s.io", ROLES[role["kind"]], copy.deepcopy(role))
    for name, value in PRIORITIES.items():
        _create(cluster, "scheduling.k8s.io", "priorityclasses", {"metadata": {"name": name}, "value": value})
    _kubernetes_service(cluster)


def _kubernetes_service(cluster: Cluster) -> None:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": API_PORT}
    address = str(cluster.allocator.range.network_address + 1)
    spec = {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": [port]}
    metadata = {"name": "kubernetes", "namespace": "default"}
    _create(cluster, "", "services", {"metadata": {**metadata, "labels": labels}, "spec": spec})
    https = {"name": "https", "port": API_PORT, "protocol": "TCP"}
    subsets = [{"addresses": [{"ip": API_HOST}], "ports": [https]}]
    mirror = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    _create(cluster, "", "endpoints", {"metadata": {**metadata, "labels": mirror}, "subsets": subsets})
    named = {**metadata, "labels": {"kubernetes.io/service-name": "kubernetes"}}
    endpoint = {"addresses": [API_HOST], "conditions": {"ready": True}}
    body = {"addressType": "IPv4", "endpoints": [endpoint], "ports": [https]}
    _create(cluster, "discovery.k8s.io", "endpointslices", {"metadata": named, **body})
