"""Services that know their Pods by EndpointSlices: objects first, then traffic, then both again after a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.facts import NodeFact
from op_readiness.observe import slices
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import echo_args, echo_container

Object = dict[str, Any]
PORT = 3000  # test/e2e/network/endpointslice.go
ONE, SHARED, EMPTY = "example-int-port", "example-named-port", "example-empty-selector"


@dataclass
class SliceRouting:
    """A Pod on each Windows Node and two at least, a Service on the first of them by number, a Service on all by port
    name, and one that selects nobody.
    """

    workshop: Workshop
    reach: Reach
    clients: Sequence[Client]
    nodes: Sequence[NodeFact]
    pods: list[Object] = field(default_factory=list)
    services: dict[str, Object] = field(default_factory=dict)

    def start(self) -> None:
        """Services first, then Pods, as in the e2e test."""
        shop = self.workshop
        self.services[ONE] = shop.create(self._service(ONE, {"pod1": "on"}, PORT))
        self.services[SHARED] = shop.create(self._service(SHARED, {"shared12": "on"}, "example-name"))
        self.services[EMPTY] = shop.create(self._service(EMPTY, {"nobody": "on"}, PORT))
        count = max(2, len(self.nodes))
        self.pods = shop.pods([self._pod(n + 1, self.nodes[n % len(self.nodes)]) for n in range(count)])

    def slices_must_list(self) -> None:
        """Each Service's slices list exactly its Pods; the one that selects nobody has an empty slice."""
        self._must_offer(ONE, _addresses(self.pods[:1]))
        self._must_offer(SHARED, _addresses(self.pods))
        slices.must_become(
            self.workshop.cluster, self.workshop.namespace, EMPTY,
            lambda found: bool(found) and not slices.offered(found) and _managed(found),
            expected="a slice without endpoints, managed by the EndpointSlice controller",
            timeouts=self.workshop.context.timeouts,
        )  # fmt: skip

    def slices_must_come_back(self) -> None:
        """Deleted slices of a Service are made again, the same."""
        found = slices.slices_of(self.workshop.cluster, self.workshop.namespace, SHARED)
        old = {one["metadata"]["uid"] for one in found}
        for one in found:
            self.workshop.delete("EndpointSlice", one["metadata"]["name"])
        slices.must_become(
            self.workshop.cluster, self.workshop.namespace, SHARED,
            lambda now: (
                len(slices.offered(now)) == len(self.pods) and not old & {one["metadata"]["uid"] for one in now}
            ),
            expected="new slices with all Pods", timeouts=self.workshop.context.timeouts,
        )  # fmt: skip

    def traffic_must_follow(self, *, after_change: bool = False) -> None:
        """Every client meets exactly the Pods that the slices list, by number and by name of the port.

        `after_change` when slices were deleted and made again: a kube-proxy that hears of it late takes the load
        balancer away for a while after the API shows the new ones.
        """
        self.reach.every(
            self.clients,
            [self._exposed(ONE, self.pods[:1]).by_cluster_ip(), self._exposed(SHARED, self.pods).by_cluster_ip()],
            after_change=after_change,
        )

    def removed_pod_must_get_no_more(self) -> None:
        """A Pod whose label no longer fits leaves the slices and gets no request; put back, it gets some again."""
        self._label("off")
        staying = [*self.pods[:1], *self.pods[2:]]
        self._must_offer(SHARED, _addresses(staying))
        self.reach.every(
            self.clients, [self._exposed(SHARED, staying).by_cluster_ip()], within="endpoints_follow",
            after_change=True,
        )  # fmt: skip
        self._label("on")
        self.reach.every(
            self.clients, [self._exposed(SHARED, self.pods).by_cluster_ip()], within="endpoints_follow",
            after_change=True,
        )  # fmt: skip

    def _label(self, value: str) -> None:
        name = self.pods[1]["metadata"]["name"]
        self.workshop.cluster.patch("Pod", name, self.workshop.namespace, {"metadata": {"labels": {"shared12": value}}})

    def _must_offer(self, name: str, expected: frozenset[tuple[str, int]]) -> None:
        slices.must_offer(
            self.workshop.cluster, self.workshop.namespace, name, expected, timeouts=self.workshop.context.timeouts
        )

    def _exposed(self, name: str, pods: Sequence[Object]) -> Exposed:
        return self.workshop.exposed(self.services[name], pods, pod_port=PORT)

    def _service(self, name: str, selector: dict[str, str], target: int | str) -> Object:
        ports = [{"name": "http", "port": 80, "targetPort": target, "protocol": "TCP"}]
        manifest = self.workshop.service(name, app="", ports=ports)
        manifest["spec"]["selector"] = selector
        return manifest

    def _pod(self, number: int, node: NodeFact) -> Object:
        container = echo_container(http=PORT)
        container["ports"][0]["name"] = "example-name"
        labels = {f"pod{number}": "on", "shared12": "on"}
        return self.workshop.pod(
            f"pod{number}", "windows", node, echo_args(http=PORT), labels=labels, container=container
        )


def _managed(found: Sequence[Object]) -> bool:
    return all((one["metadata"].get("labels") or {}).get(slices.MANAGED_BY) == slices.CONTROLLER for one in found)


def _addresses(pods: Sequence[Object]) -> frozenset[tuple[str, int]]:
    return frozenset((pod["status"]["podIP"], PORT) for pod in pods)
