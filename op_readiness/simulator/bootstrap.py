"""What an installer puts into a new cluster: cluster DNS and the addresses of the API server. And puts back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from op_readiness.simulator.api import Api, ApiError, Object

API_IP, API_PORT = "10.240.0.2", 6443
DNS_IP = "10.96.0.10"
COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.12.0"
COREFILE = """.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
    loop
    reload
    loadbalance
}
"""
SYSTEM = "/api/v1/namespaces/kube-system"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
Placed = tuple[str, Object]
"""The path of a collection, and the object that is to be in it."""


async def bootstrap(api: Api) -> None:
    """Create what is not there."""
    for path, obj in [*_api_server(), *_dns()]:
        try:
            await api.create(path, obj)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise


async def restore(api: Api) -> None:
    """Put cluster DNS back as it was at the start, whatever was changed or deleted."""
    for path, obj in _dns():
        meta, fields = obj["metadata"], {key: value for key, value in obj.items() if key in ("spec", "data")}
        try:
            if fields:
                await api.patch(f"{path}/{meta['name']}", fields)
            else:
                await api.get(f"{path}/{meta['name']}")
        except ApiError as error:
            if error.code != 404:
                raise
            await api.create(path, obj)


def _api_server() -> Iterable[Placed]:
    meta = {"name": "kubernetes", "namespace": "default"}
    port = {"name": "https", "port": API_PORT, "protocol": "TCP"}
    yield "/api/v1/namespaces/default/endpoints", {
        "apiVersion": "v1", "kind": "Endpoints",
        "metadata": meta | {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": API_IP}], "ports": [port]}],
    }  # fmt: skip
    yield "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": meta | {"labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4", "endpoints": [{"addresses": [API_IP], "conditions": {"ready": True}}], "ports": [port],
    }  # fmt: skip


def _dns() -> Iterable[Placed]:
    yield f"{SYSTEM}/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta("coredns")}
    yield f"{RBAC}/clusterroles", _role()
    yield f"{RBAC}/clusterrolebindings", _binding()
    yield f"{SYSTEM}/configmaps", {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta("coredns"), "data": {"Corefile": COREFILE}
    }  # fmt: skip
    yield f"{SYSTEM}/services", _service()
    yield "/apis/apps/v1/namespaces/kube-system/deployments", _deployment()


def _meta(name: str, **more: Any) -> Object:
    return {"name": name, "namespace": "kube-system", **more}


def _role() -> Object:
    watched = {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"]}
    slices = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]}
    verbs = {"verbs": ["list", "watch"]}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:coredns"},
        "rules": [watched | verbs, slices | verbs],
    }  # fmt: skip


def _binding() -> Object:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "system:coredns"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:coredns"},
        "subjects": [{"kind": "ServiceAccount", "name": "coredns", "namespace": "kube-system"}],
    }


def _service() -> Object:
    return {
        "apiVersion": "v1", "kind": "Service",
        "metadata": _meta("kube-dns", labels={"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}),
        "spec": {
            "selector": {"k8s-app": "kube-dns"}, "clusterIP": DNS_IP,
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
            ],
        },
    }  # fmt: skip


def _deployment() -> Object:
    labels = {"k8s-app": "kube-dns"}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta("coredns", labels=labels),
        "spec": {
            "replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod()},
        },
    }  # fmt: skip


def _pod() -> Object:
    return {
        "serviceAccountName": "coredns", "priorityClassName": "system-cluster-critical", "dnsPolicy": "Default",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_apart()]}},
        "containers": [_container()],
        "volumes": [
            {"name": "config-volume",
             "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}
        ],
    }  # fmt: skip


def _apart() -> Object:
    selector = {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]}
    return {"weight": 100, "podAffinityTerm": {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}}


def _container() -> Object:
    return {
        "name": "coredns", "image": COREDNS_IMAGE, "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
        ],
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 60, "timeoutSeconds": 5,
            "failureThreshold": 5,
        },
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}},
    }  # fmt: skip
