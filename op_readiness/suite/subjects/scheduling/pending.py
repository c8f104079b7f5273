"""Pods that ask for more than any Node has: they stay Pending, for that reason, for as long as they are looked at.

Pending alone shows nothing: a selector that fits no Node, a taint or an exhausted address resource look the same. So a
twin with a small request is scheduled before and after, and the reason must name the resource that is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.quantities import GIB, in_bytes, in_millicores
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
LOOKS, STEP = 12, 5.0
"""A minute: twelve looks, five cluster seconds apart."""
SMALL = {"cpu": "10m", "memory": "64Mi"}
RESOURCES = ("cpu", "memory")
SCALED_UP = "TriggeredScaleUp"


@dataclass
class Pending:
    """One Pod too large in CPU, one in memory, and small twins of both."""

    workshop: Workshop
    nodes: Sequence[NodeFact]
    clock: Clock = SYSTEM_CLOCK
    asked: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def small_ones_must_be_scheduled(self) -> None:
        """Twins of the same selector and tolerations with a small request get a Node; otherwise nothing is shown."""
        self._scheduled({f"fits-{resource}": SMALL for resource in RESOURCES})

    def large_ones_must_stay_pending(self) -> None:
        """For a minute both are Pending, without a Node, and unschedulable for want of what they ask for."""
        largest = self._largest()
        self.asked = {"cpu": str(largest["cpu"] // 1000 + 1), "memory": str(largest["memory"] + GIB)}
        self.workshop.create_all([self._pod(self._name(r), {**SMALL, r: self.asked[r]}) for r in RESOURCES])
        for resource in RESOURCES:
            self._unschedulable(resource)
        for _ in range(LOOKS):
            self.clock.sleep(STEP * self.workshop.context.timeouts.scale)
            for resource in RESOURCES:
                pod = self.workshop.cluster.get("Pod", self._name(resource), self.workshop.namespace)
                self._must_be_pending(resource, pod)
        for resource in RESOURCES:
            self._part(resource, Outcome.PASSED)
        self.workshop.recorder.api_answer = "; ".join(self.said[resource] for resource in RESOURCES)

    def events_must_say_so(self) -> None:
        """Both have a Warning FailedScheduling that names the resource."""
        for resource in RESOURCES:
            self._event(resource)

    def smaller_ones_must_be_scheduled(self) -> None:
        """Made anew under the same names with a small request they get a Node: nothing else held them up."""
        pods = [self.workshop.cluster.get("Pod", self._name(r), self.workshop.namespace) for r in RESOURCES]
        self.workshop.pods_away(pods)
        self._scheduled({self._name(resource): SMALL for resource in RESOURCES})

    def _largest(self) -> dict[str, int]:
        """The most that any of the Nodes offers, capacity included where a Node offers less than it has."""
        statuses = [self.workshop.cluster.get("Node", node.name)["status"] for node in self.nodes]
        offers = [part for status in statuses for part in (status.get("allocatable") or {}, status["capacity"])]
        return {
            "cpu": max(in_millicores(offer.get("cpu", 0)) for offer in offers),
            "memory": max(in_bytes(offer.get("memory", 0)) for offer in offers),
        }

    @staticmethod
    def _name(resource: str) -> str:
        return f"too-much-{resource}"

    def _pod(self, name: str, requests: dict[str, str]) -> Manifest:
        container = {"resources": {"requests": requests}}
        return self.workshop.pod(name, "windows", None, ["pause"], container=container)

    def _scheduled(self, wanted: dict[str, dict[str, str]]) -> None:
        workshop = self.workshop
        workshop.create_all([self._pod(name, requests) for name, requests in wanted.items()])

        def met(pods: list[Object]) -> bool:
            bound = {pod["metadata"]["name"] for pod in pods if pod["spec"].get("nodeName")}
            return set(wanted) <= bound

        within = workshop.context.timeouts.real("object_seen")
        try:
            wait_for(workshop.cluster, "Pod", workshop.namespace, met, within=within)
        except WatchTimeout:
            pods = workshop.cluster.list("Pod", workshop.namespace)
            late = [p for p in pods if p["metadata"]["name"] in wanted and not p["spec"].get("nodeName")]
            raise CouldNotTell(
                Finding(
                    "Small Pods are not scheduled either, so Pending shows nothing", self._where(late),
                    "a Node within 60 s", "\n".join(_message(pod) or "no condition PodScheduled" for pod in late),
                    f"kubectl -n {workshop.namespace} describe pods", code="control",
                )
            ) from None  # fmt: skip

    def _unschedulable(self, resource: str) -> None:
        """Wait until the scheduler has said anything at all of the Pod."""
        workshop, name = self.workshop, self._name(resource)

        def met(pod: Object | None) -> bool:
            return pod is not None and (bool(_message(pod)) or bool(pod["spec"].get("nodeName")) or _over(pod))

        try:
            wait_for(
                workshop.cluster, "Pod", workshop.namespace, met, name=name,
                within=workshop.context.timeouts.real("object_seen"),
            )  # fmt: skip
        except WatchTimeout:
            raise CouldNotTell(
                Finding(
                    "The scheduler said nothing of a Pod", f"Pod {workshop.namespace}/{name}",
                    "condition PodScheduled within 60 s", "none", "look at kube-scheduler", code="control",
                )
            ) from None  # fmt: skip

    def _must_be_pending(self, resource: str, pod: Object) -> None:
        node, message = pod["spec"].get("nodeName", ""), _message(pod)
        if node or _over(pod) or pod["status"].get("phase") != "Pending":
            if scaled := self._scaled_up(resource):
                raise CouldNotTell(self._other_cluster(resource, pod, scaled))
            self._part(resource, Outcome.FAILED, node)
            raise AbilityNotMet(self._not_pending(resource, pod))
        self.said[resource] = message
        if not message.startswith("Unschedulable: ") or f"Insufficient {resource}" not in message:
            raise CouldNotTell(
                Finding(
                    "A Pod that is too large is Pending, for another reason", self._where([pod]),
                    f"Unschedulable: ... Insufficient {resource}", message or "no condition PodScheduled=False",
                    f"kubectl -n {self.workshop.namespace} describe pod {pod['metadata']['name']}", code="control",
                )
            )  # fmt: skip

    def _scaled_up(self, resource: str) -> str:
        """What a cluster autoscaler says that it did for the Pod; empty where there is none."""
        events: list[Object] = self.workshop.cluster.list("Event", self.workshop.namespace)
        mine = (e for e in events if (e.get("involvedObject") or {}).get("name") == self._name(resource))
        return next((str(e.get("message") or "so it says") for e in mine if e.get("reason") == SCALED_UP), "")

    def _other_cluster(self, resource: str, pod: Object, scaled: str) -> Finding:
        return Finding(
            "A cluster autoscaler made a Node for the Pod that was to be too large", self._where([pod]),
            f"no Node for a request of {resource} {self.asked[resource]}", f"{SCALED_UP}: {scaled}",
            "the largest Node that the autoscaler may make; stop it while this runs", code="control",
        )  # fmt: skip

    def _not_pending(self, resource: str, pod: Object) -> Finding:
        node, status = pod["spec"].get("nodeName", ""), pod["status"]
        seen = f"phase {status.get('phase')}" + (f", bound to Node {node}" if node else "")
        if status.get("reason"):
            seen += f", {status['reason']}: {status.get('message', '')}"
        return Finding(
            "A Pod that asks for more than any Node has did not stay Pending", self._where([pod]),
            f"Pending without a Node for 60 s: it requests {resource} {self.asked[resource]}", seen,
            f"kubectl -n {self.workshop.namespace} get pod {pod['metadata']['name']} -o yaml: who bound it?",
            (node,) if node else (), code="not-pending",
        )  # fmt: skip

    def _event(self, resource: str) -> None:
        workshop, name = self.workshop, self._name(resource)

        def met(events: list[Object]) -> str | None:
            return next(
                (e["message"] for e in events
                 if (e.get("involvedObject") or {}).get("name") == name and e.get("reason") == "FailedScheduling"
                 and e.get("type") == "Warning" and f"Insufficient {resource}" in e.get("message", "")),
                None,
            )  # fmt: skip

        try:
            wait_for(
                workshop.cluster, "Event", workshop.namespace, met,
                within=workshop.context.timeouts.real("failed_scheduling"),
            )  # fmt: skip
        except WatchTimeout:
            raise AbilityNotMet(
                Finding(
                    "No Event says why a Pod is not scheduled", f"Pod {workshop.namespace}/{name}",
                    f"Warning FailedScheduling with Insufficient {resource} within 180 s", "none",
                    f"kubectl -n {workshop.namespace} get events", code="no-event",
                )
            ) from None  # fmt: skip

    def _part(self, resource: str, outcome: Outcome, node: str = "") -> None:
        target = f"request of {resource} {self.asked[resource]}"
        self.workshop.recorder.part(Part("Pending for 60 s", self.nodes[0].place, target, outcome, target_node=node))

    def _where(self, pods: Sequence[Object]) -> str:
        return ", ".join(f"Pod {self.workshop.namespace}/{pod['metadata']['name']}" for pod in pods)


def _message(pod: Object) -> str:
    """`Unschedulable: 0/4 nodes are available: ...` of the condition PodScheduled, empty where it is not False."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', '')}: {condition.get('message', '')}"
    return ""


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded", "Running")
