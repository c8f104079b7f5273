"""What is known of a cluster before anything is tested: gathered once, read-only, handed to the workers."""

from __future__ import annotations

import ipaddress
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.errors import ApiError, Forbidden, NotFound
from op_readiness.model.errors import OpReadinessError
from op_readiness.model.facts import Facts, NodeFact

SIMULATED_LABEL = "op-readiness.dev/simulated"
"""What every simulated Node carries; nothing but facts reads it."""

RIGHTS = (
    ("create", "namespaces"),
    ("delete", "namespaces"),
    ("create", "pods"),
    ("create", "pods/exec"),
    ("get", "pods/log"),
    ("create", "services"),
    ("create", "configmaps"),
    ("create", "statefulsets.apps"),
    ("create", "leases.coordination.k8s.io"),
    ("get", "nodes/proxy"),
)
NEEDED = ("create namespaces", "delete namespaces", "create pods", "create pods/exec", "create services")
"""Rights without which nothing can be tested."""

GMSA_GROUP = "windows.k8s.io"

Object = dict[str, Any]


def gather(cluster: Cluster) -> Facts:
    """The facts of a cluster. Raises OpReadinessError where it cannot be reached or refuses us."""
    version = cluster.check()
    with ThreadPoolExecutor(8, "facts") as threads:
        pods = threads.submit(_pods_a_node, cluster)
        dns = threads.submit(_dns, cluster)
        domain = threads.submit(_dns_domain, cluster)
        user = threads.submit(cluster.user)
        gmsa, webhook = threads.submit(_gmsa_versions, cluster), threads.submit(_gmsa_webhook, cluster)
        rights = {f"{v} {r}": threads.submit(cluster.can_i, v, r) for v, r in RIGHTS}
        nodes = _nodes(cluster, pods.result())
        return Facts(
            server=cluster.connection.server,
            version=version,
            nodes=nodes,
            context=cluster.connection.context,
            user=user.result(),
            dns_ip=dns.result(),
            dns_domain=domain.result(),
            ip_families=_ip_families(nodes),
            simulated=bool(nodes) and all(node.labels.get(SIMULATED_LABEL) == "true" for node in nodes),
            rights={name: right.result() for name, right in rights.items()},
            gmsa_versions=gmsa.result(),
            gmsa_webhook=webhook.result(),
        )


def must_be_testable(facts: Facts) -> None:
    """Raises OpReadinessError, one line, for a cluster on which nothing can be tested."""
    windows = [node for node in facts.nodes if node.os == "windows"]
    where = f"{facts.server} (context {facts.context!r})"
    if not windows:
        raise OpReadinessError(
            f"{where} has {len(facts.nodes)} Nodes and no Windows Node (label kubernetes.io/os=windows); "
            "add one, or name another cluster with --kubeconfig or --context"
        )
    if not any(node.usable for node in windows):
        states = ", ".join(f"{n.name} {n.unusable}" for n in windows[:5])
        raise OpReadinessError(f"{where} has no Windows Node that takes Pods: {states}; see kubectl describe node")
    if missing := [right for right in NEEDED if not facts.rights.get(right, True)]:
        raise OpReadinessError(
            f"{facts.user or 'the user'} may not {', '.join(missing)} on {where} (SelfSubjectAccessReview); "
            "ask for a ClusterRole that allows it"
        )


def _nodes(cluster: Cluster, pods: Counter[str]) -> tuple[NodeFact, ...]:
    return tuple(node_fact(node, pods[node["metadata"]["name"]]) for node in cluster.list("Node"))


def node_fact(node: Object, pods_running: int = 0) -> NodeFact:
    """One Node as the API shows it."""
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    labels, info = meta.get("labels") or {}, status.get("nodeInfo") or {}
    os = labels.get("kubernetes.io/os") or info.get("operatingSystem", "")
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    return NodeFact(
        name=meta["name"],
        os=os,
        build=_build(os, labels, info),
        os_image=info.get("osImage", ""),
        kubelet=info.get("kubeletVersion", ""),
        runtime=info.get("containerRuntimeVersion", ""),
        ready=conditions.get("Ready") == "True",
        schedulable=not spec.get("unschedulable", False),
        internal_ips=tuple(a["address"] for a in status.get("addresses") or () if a["type"] == "InternalIP"),
        pod_cidrs=tuple(spec.get("podCIDRs") or filter(None, [spec.get("podCIDR")])),
        taints=tuple({k: str(v) for k, v in taint.items()} for taint in spec.get("taints") or ()),
        pods_allocatable=int((status.get("allocatable") or {}).get("pods", 110)),
        pods_running=pods_running,
        boot_id=info.get("bootID", ""),
        labels=labels,
    )


def _build(os: str, labels: dict[str, str], info: Object) -> str:
    """`10.0.20348` on Windows: the first three numbers; the kernel version elsewhere."""
    kernel = str(info.get("kernelVersion", ""))
    if os != "windows":
        return kernel
    return ".".join(kernel.split(".")[:3]) or labels.get("node.kubernetes.io/windows-build", "")


def _pods_a_node(cluster: Cluster) -> Counter[str]:
    try:
        pods = cluster.list("Pod", fields="status.phase!=Succeeded,status.phase!=Failed")
    except Forbidden:
        return Counter()
    return Counter(pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName"))


def _dns(cluster: Cluster) -> str:
    try:
        found = cluster.find("Service", "kube-dns", "kube-system")
        services = [found] if found else cluster.list("Service", "kube-system", labels="k8s-app=kube-dns")
    except ApiError:
        return ""
    return str(services[0]["spec"].get("clusterIP", "")) if services else ""


def _dns_domain(cluster: Cluster) -> str:
    """The cluster's domain as CoreDNS's Corefile names it: `kubernetes cluster.local in-addr.arpa ... {`."""
    try:
        corefile = cluster.get("ConfigMap", "coredns", "kube-system").get("data", {}).get("Corefile", "")
    except (NotFound, ApiError):
        return "cluster.local"
    for line in corefile.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "kubernetes" and not words[1].startswith(("{", "in-addr", "ip6")):
            return str(words[1].rstrip("."))
    return "cluster.local"


def _gmsa_versions(cluster: Cluster) -> tuple[str, ...]:
    """The served versions of GMSACredentialSpec, the preferred one first; none where the kind is not installed."""
    try:
        group = cluster.raw(f"/apis/{GMSA_GROUP}")
    except ApiError:
        return ()
    preferred = (group.get("preferredVersion") or {}).get("version", "")
    versions = [one["version"] for one in group.get("versions") or ()]
    return tuple(sorted(versions, key=lambda version: version != preferred))


def _gmsa_webhook(cluster: Cluster) -> str:
    """The MutatingWebhookConfiguration of the windows-gmsa webhook."""
    try:
        hooks = cluster.list("MutatingWebhookConfiguration")
    except ApiError:
        return "unknown"
    named = (one["metadata"]["name"] for one in hooks if any("gmsa" in h["name"] for h in one.get("webhooks") or ()))
    return next(named, "")


def _ip_families(nodes: tuple[NodeFact, ...]) -> tuple[str, ...]:
    """The families in which every Windows Node has Pod addresses; IPv4 where nothing says so."""
    found: set[str] | None = None
    for node in nodes:
        if node.os == "windows" and (ranges := node.pod_cidrs or node.internal_ips):
            families = {f"IPv{ipaddress.ip_network(r, strict=False).version}" for r in ranges}
            found = families if found is None else found & families
    return tuple(sorted(found)) if found else ("IPv4",)
