"""Services over their life: made, taken away, made again, their Pods replaced. For tests whose steps are these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding
from op_readiness.observe import slices
from op_readiness.observe.meanwhile import Meanwhile
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HOSTNAME_PORT, HTTP_PORT, UDP_PORT

Object = dict[str, Any]
REPLICAS = 3  # test/e2e/network/service.go: three replicas a Service
SURE_TRIES = 40
"""Tries after which one of three backends has been met but for one time in a million, if it is there: no second round
is needed, which would give a Service time to be mended."""


@dataclass
class NamedServices:
    """Services of three serve-hostname Pods each, over the selected Windows Nodes."""

    workshop: Workshop
    nodes: Sequence[NodeFact]
    made: dict[str, Exposed] = field(default_factory=dict)

    def up(
        self, name: str, target_port: int | None = HOSTNAME_PORT, *, replicas: int = REPLICAS, **spec: Any
    ) -> Exposed:
        """A Service whose Pods are Ready; without `target_port` the Service's own port is the Pods'.

        `spec` are further fields of the Service, `kind` its type.
        """
        port = (
            {"name": "http", "port": 80, "targetPort": target_port}
            if target_port
            else {"name": "http", "port": HOSTNAME_PORT}
        )
        service = self.workshop.create(self.workshop.service(name, app=name, ports=[port], **spec))
        manifests = [
            self.workshop.hostname_pod(f"{name}-{n}", "windows", self.nodes[n % len(self.nodes)], app=name)
            for n in range(replicas)
        ]
        pods = self.workshop.pods(manifests)
        self.made[name] = self.workshop.exposed(service, pods, pod_port=HOSTNAME_PORT, url_path="/", port=port["port"])
        return self.made[name]

    def down(self, name: str) -> None:
        """Delete the Pods and the Service of that name."""
        for pod in self.made[name].pods:
            self.workshop.delete("Pod", pod["metadata"]["name"], grace=0)
        self.workshop.delete("Service", name)

    @staticmethod
    def must_have_another_address(one: Exposed, other: Exposed) -> None:
        """Two Services do not share a ClusterIP."""
        if one.cluster_ip == other.cluster_ip:
            name = one.service["metadata"]["name"]
            raise AbilityNotMet(
                Finding("Two Services have one ClusterIP", f"Service {name}", "a ClusterIP of its own", one.cluster_ip)
            )


@dataclass
class Recreation:
    """One Service that is deleted and made again, and a sibling on the same Pods that must not notice."""

    workshop: Workshop
    reach: Reach
    clients: Sequence[Client]
    nodes: Sequence[NodeFact]
    service: Object = field(default_factory=dict)
    sibling: Object = field(default_factory=dict)
    pods: list[Object] = field(default_factory=list)
    generation: int = 0

    def start(self) -> None:
        """Three Pods behind both Services, answering every client."""
        self.service = self.workshop.create(self._manifest())
        self.sibling = self.workshop.create(self.workshop.service("sibling", app="again"))
        self.pods = self._new_pods()
        self.must_route()

    def cycle(self, *, same_address: bool = False, new_pods: bool = False, watch_sibling: bool = False) -> None:
        """Delete the Service, see it gone, make it again (same ClusterIP, in front of new Pods), see it answer."""
        old = self._exposed(self.service)
        if watch_sibling:
            with self._sibling_watched():
                seconds = self._take_away(old)
        else:
            seconds = self._take_away(old)
        self.workshop.recorder.figure(f"cycle {self.generation + 1}: gone after seconds", seconds)
        self.while_it_is_away()
        if new_pods:
            self.replace_pods()
        self.generation += 1
        address = {"clusterIP": old.cluster_ip} if same_address else {}
        self.service = self.workshop.create(self._manifest(**address))
        self.must_route()

    def _take_away(self, old: Exposed) -> float:
        """Delete the Service; gives the cluster seconds until nobody is answered any more."""
        namespace, name = self.workshop.namespace, old.service["metadata"]["name"]
        self.workshop.delete("Service", name)
        slices.must_become(
            self.workshop.cluster, namespace, name, lambda found: not found, expected="no slice of a deleted Service",
            timeouts=self.workshop.context.timeouts,
        )  # fmt: skip
        return self.reach.none(self.clients, [old.by_cluster_ip()])

    @contextmanager
    def _sibling_watched(self) -> Iterator[None]:
        """Well before, asked all the while until the deletion has arrived on every Node, and whole then.

        kube-proxy may be slow: what the deletion does to the sibling comes with it, however late that is. The leg
        afterwards has one round and no time for repairs; the tries that its warm-up forgives are those of the watch.
        """
        sibling = self._exposed(self.sibling).by_cluster_ip()
        self.reach.every(self.clients, [sibling], after_change=self.generation > 0)
        watch = Meanwhile(self.reach, self.clients, sibling)
        with watch.must_not_be_noticed(f"{sibling.what} notices the deletion of another Service", hint=_SIBLING_HINT):
            yield
            whole = replace(sibling, name_tries=SURE_TRIES)
            self.reach.every(self.clients, [whole], within="hold", hint=_SIBLING_HINT)

    def while_it_is_away(self) -> None:
        """What else must be so when the Service is gone, of Pods that lived through that; here nothing."""

    def replace_pods(self) -> None:
        """As many new Pods as there were, and the old ones gone: the same count, other addresses."""
        old, self.generation = self.pods, self.generation + 1
        self.pods = self._new_pods()
        self.workshop.pods_away(old)

    def lose_a_pod(self) -> None:
        """One Pod goes and none comes: a load balancer that only shrinks, which nothing else writes anew."""
        *self.pods, last = self.pods
        self.workshop.pods_away([last])

    def must_route(self) -> None:
        """The slices list exactly the Pods, and every client meets exactly them, by ClusterIP and by NodePort.

        Proxies may lag behind a Service that was made again; behind the first one there is nothing to lag behind.
        """
        expected = frozenset((pod["status"]["podIP"], port) for pod in self.pods for port in (HTTP_PORT, UDP_PORT))
        name = self.service["metadata"]["name"]
        slices.must_offer(
            self.workshop.cluster, self.workshop.namespace, name, expected, timeouts=self.workshop.context.timeouts
        )
        exposed = self._exposed(self.service)
        pairs = [(client, exposed.by_cluster_ip()) for client in self.clients]
        outside = [client for client in self.clients if client.place.os != "windows"][:1]
        pairs += [(client, exposed.by_node_port(node)) for client in outside for node in self.nodes]
        legs = self.reach.pairs(pairs, after_change=self.generation > 0)
        slowest = max((leg.seconds for leg in legs), default=0.0)
        self.workshop.recorder.figure(f"cycle {self.generation}: answered after seconds", slowest)

    def _manifest(self, **spec: Any) -> Object:
        return self.workshop.service("again", app="again", kind="NodePort", **spec)

    def _exposed(self, service: Object) -> Exposed:
        return self.workshop.exposed(service, self.pods)

    def _new_pods(self) -> list[Object]:
        names = [f"again-{self.generation}-{n}" for n in range(REPLICAS)]
        return self.workshop.pods(
            [
                self.workshop.echo_pod(name, "windows", self.nodes[n % len(self.nodes)], app="again")
                for n, name in enumerate(names)
            ]
        )


def with_a_pod_moved(workshop: Workshop, exposed: Exposed, nodes: Sequence[NodeFact]) -> Exposed:
    """The Service of echo Pods with its first Pod made anew on the Node after its own, the old one gone.

    As many backends as before, one of them elsewhere (rancher/rancher#29411).
    """
    old, names = exposed.pods[0], [node.name for node in nodes]
    node = nodes[(names.index(old["spec"]["nodeName"]) + 1) % len(nodes)]
    meta = old["metadata"]
    [new] = workshop.pods([workshop.echo_pod(f"{meta['name']}-moved", "windows", node, app=meta["labels"]["app"])])
    workshop.pods_away([old])
    return workshop.exposed(exposed.service, [new, *exposed.pods[1:]])


_SIBLING_HINT = "another Service on the same Pods was deleted: look at kube-proxy's reference counts of HNS endpoints"
