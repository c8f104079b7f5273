"""Policed Pods with two TCP ports each, and the same under policies of egress: what rules with ports are shown on.

A second container of the same Pod serves the second port, so that Pod, Service and network endpoint are those of the
first: what comes to one port and not to the other is told apart by the rule alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from op_readiness.observe.policies import Door, Member, egress_allowed
from op_readiness.observe.targets import pod_target
from op_readiness.observe.traffic import Target
from op_readiness.observe.truth import Question
from op_readiness.suite.subjects.network_policy.policed import BY_POD_IP, BY_SERVICE, POLICED, Policed, Stand
from op_readiness.workloads.pods import Manifest, echo_args
from op_readiness.workloads.services import HTTP_SERVICE_PORT

SECOND = Door(8082, "second")
SECOND_UDP_PORT, SECOND_SERVICE_PORT = 8083, 81
DNS = (Door(53, "dns", "UDP"), Member("kube-system", {}, {"kubernetes.io/metadata.name": "kube-system"}))


class TwoDoors(Policed):
    """Every Pod serves HTTP on 8080 and 8082, its Service on 80 and 81."""

    def _shape(self, manifest: Manifest, service: Manifest) -> None:
        containers = manifest["spec"]["containers"]
        containers.append(
            {
                "name": SECOND.name,
                "image": containers[0]["image"],
                "args": echo_args(http=SECOND.number, udp=SECOND_UDP_PORT),
                "ports": [{"name": SECOND.name, "containerPort": SECOND.number, "protocol": "TCP"}],
            }
        )
        ports = service["spec"]["ports"]
        ports.append(
            {"name": SECOND.name, "port": SECOND_SERVICE_PORT, "targetPort": SECOND.number, "protocol": "TCP"}
        )

    def _questions(self, stands: Sequence[Stand]) -> list[Question]:
        """The first port as everywhere, and the second of the policed Namespace's Pods by both paths."""
        second = [
            self._question(client, target, server, SECOND)
            for client in stands
            for server in stands
            if client is not server and server.space == POLICED
            for target, near in zip(_second(server), (BY_POD_IP, BY_SERVICE), strict=True)
            if server.client.place.node in self._near(client, near)
        ]
        return [*super()._questions(stands), *second]

    def _control_questions(self) -> list[Question]:
        """Both ports of the Linux Pod, of which rules with ports deny one."""
        if not self.control:
            return []
        server, client = self.control
        return [*super()._control_questions(), self._question(client, _second(server)[0], server, SECOND)]


class Leaving(TwoDoors):
    """The same under policies that say where the policed Pods may go, by address and by the name of a Service."""

    def _questions(self, stands: Sequence[Stand]) -> list[Question]:
        """The Services of other Namespaces too, and Services by name: what of the cluster's DNS may not be asked
        is not found, whether it may be reached or not.
        """
        pairs = [
            (client, server)
            for client in stands if client.space == POLICED
            for server in stands if client is not server and server.client.place.node in self._near(client, 1)
        ]  # fmt: skip
        outside = [self._question(one, other.targets[1], other) for one, other in pairs if other.space != POLICED]
        return [*super()._questions(stands), *outside, *(self._by_name(*pair) for pair in pairs)]

    def _control_questions(self) -> list[Question]:
        if not self.control:
            return []
        client, server = self.control
        return [self._question(client, server.targets[0], server)]

    def _by_name(self, client: Stand, server: Stand) -> Question:
        meta, target = server.service["metadata"], server.targets[1]
        host = f"{meta['name']}.{meta['namespace']}.svc.{self.workshop.context.facts.dns_domain}"
        asked = self._question(client, replace(target, path="Service name", host=host), server)
        door, dns = DNS
        if egress_allowed(self.policies, self._member(client), dns, door):
            return asked
        return replace(asked, allowed=False, closed_at=client.client.place.node)


def _second(server: Stand) -> list[Target]:
    direct, service = pod_target(server.pod, port=SECOND.number), server.targets[1]
    return [
        replace(direct, path=f"Pod IP, port {SECOND.number}"),
        replace(
            service,
            path=f"Service IP, port {SECOND_SERVICE_PORT} (not {HTTP_SERVICE_PORT})",
            port=SECOND_SERVICE_PORT,
        ),
    ]
