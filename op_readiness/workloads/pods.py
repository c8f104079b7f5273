"""Pods that readiness tests make: pinned to an operating system, tolerant of what a Node's taints ask, quick to go.

`os.name` tells API validation and Pod Security the operating system, the nodeSelector steers the scheduler; a Windows
Pod of ours always has both (KEP-2802), a Linux one too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from op_readiness.model.facts import NodeFact

Manifest = dict[str, Any]

HTTP_PORT, UDP_PORT = 8080, 8081
HOSTNAME_PORT = 9376
HOSTNAME_LABEL = "kubernetes.io/hostname"
TRANSIENT_TAINTS = frozenset(
    f"node.kubernetes.io/{name}"
    for name in (
        "not-ready",
        "unreachable",
        "memory-pressure",
        "disk-pressure",
        "pid-pressure",
        "network-unavailable",
        "unschedulable",
    )
)
"""Taints that say a Node is in trouble now; tolerating them would put a test where nothing works."""


def tolerations(nodes: Iterable[NodeFact]) -> list[dict[str, str]]:
    """One toleration for each lasting NoSchedule or NoExecute taint of `nodes`."""
    taints = {
        (taint["key"], taint.get("value", ""), taint["effect"])
        for node in nodes
        for taint in node.taints
        if taint.get("effect") in ("NoSchedule", "NoExecute") and taint["key"] not in TRANSIENT_TAINTS
    }
    return [
        {"key": key, "operator": "Equal", "value": value, "effect": effect} for key, value, effect in sorted(taints)
    ]


def pod(
    name: str,
    namespace: str,
    *,
    os: str,
    image: str,
    labels: Mapping[str, str],
    nodes: Iterable[NodeFact],
    args: list[str],
    node: NodeFact | None = None,
    container: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
    pull_secret: str = "",
) -> Manifest:
    """A Pod of one container `main` for `os`, on `node` if given, else on any of `nodes`."""
    candidates = [node] if node is not None else list(nodes)
    body: Manifest = {
        "os": {"name": os},
        "nodeSelector": {"kubernetes.io/os": os},
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": _one_of(candidates)}},
        "tolerations": tolerations(candidates),
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "restartPolicy": "Always",
        "containers": [{"name": "main", "image": image, "args": args, **(container or {})}],
        **(spec or {}),
    }
    if pull_secret:
        body["imagePullSecrets"] = [{"name": pull_secret}]
    metadata = {"name": name, "namespace": namespace, "labels": dict(labels)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body}


def outlasting(manifest: Manifest) -> Manifest:
    """A Pod that nobody evicts when its Node is lost for more than five minutes: it waits for the Node.

    It is sent to no such Node for that: the same taints keep new Pods away by their NoSchedule effect.
    """
    manifest["spec"]["tolerations"] += [
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoExecute"}
        for name in ("not-ready", "unreachable")
    ]
    return manifest


def _one_of(nodes: Iterable[NodeFact]) -> Manifest:
    """The terms of a node affinity: no Node but these, whatever their labels otherwise."""
    names = [node.labels.get(HOSTNAME_LABEL, node.name) for node in nodes]
    expression = {"key": HOSTNAME_LABEL, "operator": "In", "values": names}
    return {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}


def sent_to(manifest: Manifest) -> frozenset[str]:
    """The host names of the Nodes that a manifest of `pod` allows; empty where it names none."""
    affinity = manifest["spec"].get("affinity", {}).get("nodeAffinity", {})
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
    expressions = [one for term in terms for one in term.get("matchExpressions", [])]
    return frozenset(name for one in expressions if one["key"] == HOSTNAME_LABEL for name in one["values"])


def echo_container(*, ready_when_answering: bool = True, http: int = HTTP_PORT, udp: int = UDP_PORT) -> Manifest:
    """The container fields of agnhost netexec beside its args: ports, and a readinessProbe on /healthz."""
    ports = [
        {"name": "http", "containerPort": http, "protocol": "TCP"},
        {"name": "udp", "containerPort": udp, "protocol": "UDP"},
    ]
    readiness = {
        "httpGet": {"path": "/healthz", "port": http},
        "periodSeconds": 2,
        "timeoutSeconds": 10,
        "failureThreshold": 3,
    }
    return {"ports": ports, **({"readinessProbe": readiness} if ready_when_answering else {})}


def echo_args(*, http: int = HTTP_PORT, udp: int = UDP_PORT) -> list[str]:
    """agnhost netexec: answers its Pod's name over HTTP (/hostname) and UDP (hostname)."""
    return ["netexec", f"--http-port={http}", f"--udp-port={udp}"]


def hostname_container(port: int = HOSTNAME_PORT) -> Manifest:
    """The container fields of agnhost serve-hostname."""
    return {
        "ports": [{"containerPort": port, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/", "port": port}, "periodSeconds": 2, "timeoutSeconds": 10},
    }
