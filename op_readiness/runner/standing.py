"""Standing objects: client Pods and canary Services that a run makes once and tests only read.

A client stands on every selected Windows Node and on one Linux Node. Beside it, on each of those Windows Nodes, stands
a server (a client that is a backend of its own Service is another matter), and all servers are behind a canary
Service, which must still answer, from every client, when all tests are over (a load balancer removed behind
kube-proxy's back is invisible to tests that only make new Services: kubernetes/kubernetes#135802).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Finding
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.pods import wait_for_pods
from op_readiness.observe.reach import Reach
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Asker, Client
from op_readiness.observe.targets import Exposed
from op_readiness.observe.traffic import Observer
from op_readiness.workloads.images import Images
from op_readiness.workloads.labels import run_labels
from op_readiness.workloads.pods import Manifest, echo_args, echo_container, outlasting, pod
from op_readiness.workloads.pull_secret import copy_to
from op_readiness.workloads.services import echo_ports, namespace, service

OWNER = "net-windows-service-clusterip"
"""The ability that a canary which stopped answering speaks against: a Service that came up stays up."""
CLIENT, SERVER = "client", "server"


def create(
    cluster: Cluster,
    facts: Facts,
    nodes: list[NodeFact],
    run_id: str,
    images: Images,
    timeouts: Timeouts,
    pull_secret: str = "",
) -> dict[str, Any]:
    """Makes the standing objects on the selected Windows `nodes`; what did not come up is under `problems`.

    Gives `namespace`, `clients` [{namespace, pod, node, ip, uid}], `canary` {service, pods} and `problems` [Finding].
    """
    name = f"opr-{run_id}-standing"
    labels = run_labels(run_id)
    cluster.create(namespace(name, labels))
    _default_account(cluster, name, timeouts)
    if pull_secret:
        copy_to(cluster, name, run_id)
    linux = facts.usable_nodes("linux")[:1]
    made = [_pod(CLIENT, node, name, labels, images, pull_secret) for node in [*nodes, *linux]]
    made += [_pod(SERVER, node, name, labels, images, pull_secret) for node in nodes]
    for manifest in made:
        cluster.create(manifest)
    canary = cluster.create(service("canary", name, labels=labels, selector={"app": SERVER}, ports=echo_ports()))
    up, problems = _up(cluster, name, made, timeouts)
    clients = [
        {
            "namespace": name,
            "pod": one["metadata"]["name"],
            "node": one["spec"]["nodeName"],
            "ip": one["status"]["podIP"],
            "uid": one["metadata"]["uid"],
        }
        for one in up
        if one["metadata"]["labels"]["app"] == CLIENT
    ]
    pods = [one for one in up if one["metadata"]["labels"]["app"] == SERVER]
    return {
        "namespace": name,
        "clients": clients,
        "canary": {"service": canary, "pods": pods},
        "problems": [problem.to_dict() for problem in problems],
    }


def check(cluster: Cluster, standing: dict[str, Any], facts: Facts, timeouts: Timeouts) -> list[Finding]:
    """Looks at the standing objects again: what no longer answers, as findings (of the ability OWNER)."""
    clients = [
        Client.at(one["namespace"], one["pod"], facts.node(one["node"]), one["ip"], one["uid"])
        for one in standing.get("clients", [])
    ]
    canary = standing.get("canary") or {}
    if not clients or not canary.get("pods"):
        return []
    recorder = Recorder()
    exposed = Exposed(canary["service"], tuple(canary["pods"]), domain=facts.dns_domain)
    windows = frozenset(node.name for node in facts.nodes if node.os == "windows")
    with ThreadPoolExecutor(8, "standing") as threads:
        reach = Reach(Observer(Asker(cluster, timeouts, recorder)), recorder, threads, windows)
        try:
            reach.every(clients, [exposed.by_cluster_ip()])
        except AbilityNotMet as error:
            return list(error.findings)
    return []


def _pod(
    app: str, node: NodeFact, namespace: str, labels: dict[str, str], images: Images, pull_secret: str
) -> Manifest:
    return outlasting(pod(
        f"{app}-{node.name}"[:63].rstrip("-."), namespace, os=node.os, image=images.agnhost, node=node, nodes=[node],
        labels={**labels, "app": app}, args=echo_args(),
        container=echo_container(ready_when_answering=app == SERVER), pull_secret=pull_secret,
    ))  # fmt: skip


def _up(
    cluster: Cluster, namespace: str, made: list[Manifest], timeouts: Timeouts
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Pods that are up, and a finding for those that are not: the others go on without them."""
    names = [manifest["metadata"]["name"] for manifest in made]
    try:
        found = wait_for_pods(
            cluster, namespace, names, until_ready=True, timeouts=timeouts, recorder=Recorder(), deadline="image_pulled"
        )
        return [found[name] for name in names], []
    except (CouldNotTell, AbilityNotMet) as error:
        from op_readiness.observe.pods import ready

        up = [one for one in cluster.list("Pod", namespace) if one["metadata"]["name"] in names and ready(one)]
        return up, list(error.findings)


def _default_account(cluster: Cluster, namespace: str, timeouts: Timeouts) -> None:
    try:
        wait_for(cluster, "ServiceAccount", namespace, lambda found: found or None, within=timeouts.real("object_seen"))
    except WatchTimeout as error:
        raise CouldNotTell(
            Finding(
                "No default ServiceAccount",
                f"Namespace {namespace}",
                "one within 60 s",
                "none",
                "look at kube-controller-manager",
            )
        ) from error
