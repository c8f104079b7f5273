"""A StatefulSet behind a headless Service and a ClusterIP one; its Pods by their own names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.observe import slices
from op_readiness.observe.dns import lookup
from op_readiness.observe.pods import ready
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import pod_target
from op_readiness.observe.traffic import Target
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HTTP_PORT, UDP_PORT
from op_readiness.workloads.services import workload

Object = dict[str, Any]
NAME, HEADLESS, FRONT, REPLICAS = "windows-ss", "svc", "front", 3


@dataclass
class Stateful:
    """Three Windows Pods of a StatefulSet, OrderedReady, without volumes."""

    workshop: Workshop
    reach: Reach
    clients: Sequence[Client]
    pods: list[Object] = field(default_factory=list)
    front: Object = field(default_factory=dict)
    replaced: bool = False

    def start(self) -> None:
        """Services and StatefulSet made, all Pods Ready."""
        shop = self.workshop
        shop.create(shop.service(HEADLESS, app=NAME, clusterIP="None"))
        self.front = shop.create(shop.service(FRONT, app=NAME))
        template = shop.echo_pod("template", "windows", app=NAME)
        template["spec"]["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": NAME}},
            }
        ]
        shop.create(
            workload(
                "StatefulSet", NAME, template, replicas=REPLICAS, selector={"app": NAME}, serviceName=HEADLESS,
                podManagementPolicy="OrderedReady",
            )
        )  # fmt: skip
        self.pods = self._ready({})

    def replace(self, ordinal: int) -> None:
        """Delete one Pod and wait for its successor: same name, another UID, Ready."""
        old = self.pods[ordinal]
        self.workshop.delete("Pod", old["metadata"]["name"])
        self.pods = self._ready({old["metadata"]["name"]: old["metadata"]["uid"]})
        self.replaced = True
        kept = self.pods[ordinal]["status"]["podIP"] == old["status"]["podIP"]
        self.workshop.recorder.note(
            f"a recreated Pod {'kept' if kept else 'did not keep'} its IP (Kubernetes promises neither)"
        )

    def must_route(self) -> None:
        """Each Pod's own name gives its present address and answers with it; the ClusterIP meets all three.

        A name that one of our clients asks before a DNS server has heard of its Pod is remembered there as missing, for
        as long as the zone says (RFC 2308; 30 s in an ordinary Corefile), and only there: with two DNS Pods every other
        answer is then lost. So names of Pods just made are asked as what has just changed.
        """
        self._must_be_listed()
        names = [self._name_of(pod) for pod in self.pods]
        lookups = [
            lookup(name, frozenset({pod["status"]["podIP"]}), hold_tries=5)
            for name, pod in zip(names, self.pods, strict=True)
        ]
        self.reach.every(self.clients, lookups, within="dns_answers", after_change=True)
        by_name = [self._by_name(name, pod) for name, pod in zip(names, self.pods, strict=True)]
        front = self.workshop.exposed(self.front, self.pods).by_cluster_ip()
        self.reach.every(self.clients, by_name, after_change=True)
        self.reach.every(self.clients, [front], after_change=self.replaced)

    def _must_be_listed(self) -> None:
        """The headless Service's EndpointSlices, from which names are answered, offer every Pod."""
        slices.must_offer(
            self.workshop.cluster, self.workshop.namespace, HEADLESS,
            frozenset((pod["status"]["podIP"], port) for pod in self.pods for port in (HTTP_PORT, UDP_PORT)),
            timeouts=self.workshop.context.timeouts,
        )  # fmt: skip

    @staticmethod
    def _by_name(name: str, pod: Object) -> Target:
        target = pod_target(pod)
        return Target("DNS name of a Pod", target.what, name, target.port, target.backends, node=target.node)

    def _name_of(self, pod: Object) -> str:
        domain = self.workshop.context.facts.dns_domain
        return f"{pod['metadata']['name']}.{HEADLESS}.{self.workshop.namespace}.svc.{domain}"

    def _ready(self, replaced: dict[str, str]) -> list[Object]:
        """The Pods in order of their ordinals, Ready, none of them with a UID in `replaced`."""
        wanted = [f"{NAME}-{n}" for n in range(REPLICAS)]

        def met(pods: list[Object]) -> list[Object] | None:
            found = {
                p["metadata"]["name"]: p
                for p in pods
                if ready(p) and replaced.get(p["metadata"]["name"]) != p["metadata"]["uid"]
            }
            return [found[name] for name in wanted] if all(name in found for name in wanted) else None

        timeouts = self.workshop.context.timeouts
        try:
            return wait_for(
                self.workshop.cluster,
                "Pod",
                self.workshop.namespace,
                met,
                labels=f"app={NAME}",
                within=timeouts.real("pods_ready"),
            )
        except WatchTimeout as error:
            made = {pod["metadata"]["name"] for pod in error.last or []}
            self.workshop.pods_up([name for name in wanted if name in made])  # OrderedReady: others wait for these
            up = self.workshop.pods_up(wanted)  # explains what is not up; what is up by now came late
            if replaced and any(replaced.get(p["metadata"]["name"]) == p["metadata"]["uid"] for p in up):
                where = f"StatefulSet {self.workshop.namespace}/{NAME}"
                raise CouldNotTell(
                    Finding(
                        "A deleted Pod was not replaced", where, "a Pod of the same name and another UID", "the old one"
                    )
                ) from None
            return up
