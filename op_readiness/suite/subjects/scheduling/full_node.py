"""Nodes whose memory is given away: a further Pod is not scheduled (test/e2e/windows/memory_limits.go).

Fills real Nodes up to a rest of 256 MiB, so it is done only where disruption was asked for, and undone at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.quantities import MIB, in_bytes
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import Manifest

Object = dict[str, Any]
REST, TOO_MUCH = 256 * MIB, "1Gi"
PATH = "past allocatable"
WANT = "Insufficient memory"
OVER = ("Succeeded", "Failed")
STAYS = 30.0
"""Cluster seconds after the refusal in which nobody may give the Pod a Node after all."""


@dataclass
class FullNodes:
    """The selected Windows Nodes."""

    workshop: Workshop
    nodes: Sequence[NodeFact]
    clock: Clock = SYSTEM_CLOCK

    def must_refuse_more(self) -> None:
        """With every Node filled, a Pod of 1 GiB gets a Warning FailedScheduling; without --disruptive it is left out.

        The part says so where it is left out.
        """
        if not self.workshop.context.disruptive:
            why = "it fills the memory of whole Nodes: add --disruptive"
            part = Part(PATH, self.nodes[0].place, f"a Pod of {TOO_MUCH}", Outcome.SKIPPED, reason=why)
            self.workshop.recorder.part(part)
            return
        fillers = self._fill()
        try:
            self._refused()
        finally:
            self.workshop.pods_away(fillers)

    def _fill(self) -> list[Object]:
        injected = self._injected()
        pods = self.workshop.cluster.list("Pod")
        made = []
        for number, node in enumerate(self.nodes):
            if (left := self._free(node.name, pods) - injected - REST) > 0:
                made.append(self._bound(f"filler-{number}", node, left))
        return self.workshop.pods(made, until_ready=False)

    def _free(self, node: str, pods: Sequence[Object]) -> int:
        """Bytes of a Node's allocatable memory that none of `pods` has asked for."""
        allocatable = in_bytes(self.workshop.cluster.get("Node", node)["status"]["allocatable"]["memory"])
        return allocatable - sum(
            requested(pod) for pod in pods if pod["spec"].get("nodeName") == node and not _over(pod)
        )

    def _injected(self) -> int:
        """Bytes that admission adds to a Pod of ours, found by a create that is only tried."""
        manifest = self._bound("tried", self.nodes[0], REST)
        try:
            answer = self.workshop.cluster.create(manifest, dry_run=True)
        except ApiError as error:
            raise CouldNotTell(
                Finding("A Pod of ours is not taken", "Pod tried (dry run)", "201", str(error), code="api")
            ) from error
        return max(0, requested(answer) - REST)

    def _bound(self, name: str, node: NodeFact, size: int) -> Manifest:
        resources = {"limits": {"memory": str(size)}, "requests": {"memory": str(size)}}
        manifest = self.workshop.pod(name, "windows", node, ["pause"], container={"resources": resources})
        manifest["spec"]["nodeName"] = node.name
        return manifest

    def _refused(self) -> None:
        workshop, name = self.workshop, "mem-failure-pod"
        resources = {"limits": {"memory": TOO_MUCH}, "requests": {"memory": TOO_MUCH}}
        workshop.create(workshop.pod(name, "windows", None, ["pause"], container={"resources": resources}))

        def met(events: list[Object]) -> str | None:
            return next(
                (e.get("message", "") for e in events
                 if (e.get("involvedObject") or {}).get("name") == name and e.get("reason") == "FailedScheduling"
                 and e.get("type") == "Warning"),
                None,
            )  # fmt: skip

        try:
            within = workshop.context.timeouts.real("failed_scheduling")
            message = wait_for(workshop.cluster, "Event", workshop.namespace, met, within=within)
        except WatchTimeout:
            pod = self._pod(name)
            self._had_no_room(pod)
            raise self._not_refused(pod, "Warning FailedScheduling within 180 s") from None
        if WANT not in message:
            raise CouldNotTell(
                Finding(
                    "A Pod beyond what is left of every Node is not scheduled, for another reason",
                    f"Pod {workshop.namespace}/{name}", f"FailedScheduling: ... {WANT}", message,
                    f"kubectl -n {workshop.namespace} describe pod {name}", code="control",
                )
            )  # fmt: skip
        self.clock.sleep(STAYS * workshop.context.timeouts.scale)
        if (pod := self._pod(name))["spec"].get("nodeName"):
            self._had_no_room(pod)
            raise self._not_refused(pod, f"no Node in the {STAYS:g} s after FailedScheduling")
        self._part(Outcome.PASSED)
        workshop.recorder.note(f"with every Node filled: {message}")

    def _pod(self, name: str) -> Object:
        return self.workshop.cluster.get("Pod", name, self.workshop.namespace)

    def _had_no_room(self, pod: Object) -> None:
        """Raises CouldNotTell where a Pod was rightly given its Node: another Pod has ended since we filled it."""
        if not (node := pod["spec"].get("nodeName")):
            return
        own = pod["metadata"]["name"], pod["metadata"].get("namespace")
        others = [
            one for one in self.workshop.cluster.list("Pod")
            if (one["metadata"]["name"], one["metadata"].get("namespace")) != own
        ]  # fmt: skip
        if (free := self._free(node, others)) >= (wanted := requested(pod)):
            raise CouldNotTell(
                Finding(
                    "A Pod that should be one too many was given a Node with room for it", f"Node {node}",
                    f"less than {wanted // MIB} MiB that no Pod asks for", f"{free // MIB} MiB",
                    "other Pods of the Node have ended since it was filled, or it has come since: run it again",
                    (node,), code="control",
                )
            )  # fmt: skip

    def _not_refused(self, pod: Object, expected: str) -> AbilityNotMet:
        self._part(Outcome.FAILED)
        node, status, namespace = pod["spec"].get("nodeName", ""), pod.get("status") or {}, self.workshop.namespace
        reason = f", {status['reason']}" if status.get("reason") else ""
        return AbilityNotMet(
            Finding(
                "A Pod beyond what is left of every Node was not refused",
                f"Pod {namespace}/{pod['metadata']['name']}", expected,
                f"phase {status.get('phase')}" + (f" on Node {node}" if node else "") + reason,
                f"kubectl -n {namespace} get events; who bound it?", (node,) if node else (), code="overcommitted",
            )
        )  # fmt: skip

    def _part(self, outcome: Outcome) -> None:
        self.workshop.recorder.part(Part(PATH, self.nodes[0].place, f"a Pod of {TOO_MUCH}", outcome))


def requested(pod: Object) -> int:
    """Bytes of memory that the scheduler counts for a Pod: containers, the largest init container, overhead."""
    spec = pod["spec"]
    main = sum(_of(container) for container in spec["containers"])
    inits = spec.get("initContainers") or []
    sidecars = sum(_of(one) for one in inits if one.get("restartPolicy") == "Always")
    first = max((_of(one) for one in inits if one.get("restartPolicy") != "Always"), default=0)
    return max(main + sidecars, first) + in_bytes((spec.get("overhead") or {}).get("memory", 0))


def _of(container: Object) -> int:
    return in_bytes(((container.get("resources") or {}).get("requests") or {}).get("memory", 0))


def _over(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in OVER
