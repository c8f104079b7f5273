"""Between Nodes and Pods: the kubelet's probes show the way in, a connect to the kubelet's port the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.blame import Sighting, accused
from op_readiness.observe.families import as_now
from op_readiness.observe.paths import FULL_MESH, neighbours
from op_readiness.observe.pods import wait_for_pods
from op_readiness.observe.reach import together
from op_readiness.observe.shell import Answer, Ask, Asker, Client
from op_readiness.suite.making import Workshop

KUBELET_PORT = 10250
CONNECT_SECONDS = 3
FIREWALL = "TIMEOUT for every Pod of other Nodes: the Node's firewall may close this port to Pods"
REFUSALS = ("REFUSED", "refused", "10061")
"""A refusal came from the Node, so the way is there. Windows clients say it in the words of error 10061."""


class Met(StrEnum):
    """What a connect met."""

    THERE = "the Node answers"
    SILENCE = "TIMEOUT"
    NO_WAY = "no way"


@dataclass(frozen=True)
class Try:
    """One client's connect to one Node."""

    client: Client
    node: NodeFact
    met: Met
    said: str
    tries: int = 1

    @property
    def at_home(self) -> bool:
        """Whether it is the client's own Node."""
        return self.client.place.node == self.node.name

    @property
    def good(self) -> bool:
        """Whether the Node was reached."""
        return self.met is Met.THERE


@dataclass
class NodePaths:
    """Windows Pods with an HTTP readinessProbe, and clients that connect to Windows Nodes."""

    workshop: Workshop
    asker: Asker
    nodes: Sequence[NodeFact]
    clients: Sequence[Client]

    def probes_must_arrive(self) -> None:
        """A new Pod on each Windows Node runs, and is Ready within two minutes: its kubelet reaches it."""
        pods = self.workshop.pods(
            [self.workshop.echo_pod(f"probed-{n}", "windows", node, app="probed") for n, node in enumerate(self.nodes)],
            until_ready=False,
        )
        wait_for_pods(
            self.workshop.cluster, self.workshop.namespace, [pod["metadata"]["name"] for pod in pods],
            until_ready=True, timeouts=self.workshop.context.timeouts, recorder=self.workshop.recorder,
            deadline="probed_ready",
        )  # fmt: skip
        for pod, node in zip(pods, self.nodes, strict=True):
            name = f"Pod {self.workshop.namespace}/{pod['metadata']['name']}"
            self.workshop.recorder.part(Part("readinessProbe", node.place, name, Outcome.PASSED, target_node=node.name))

    def nodes_must_be_reached(self) -> None:
        """Pods reach the kubelet's port of their own and of other Windows Nodes, or are refused there."""
        nodes = as_now(self.workshop.cluster, self.nodes)
        found = together(self.workshop.threads, lambda client: self._tries(client, nodes), list(self.clients))
        tries = [one for by_client in found for one in by_client]
        closed = self._closed(tries)
        for one in tries:
            self._record(one, closed)
        if tries and not any(one.good for one in tries):
            self.workshop.recorder.note("warning: that Pods reach Nodes was not shown: no Pod was answered by any Node")
        if bad := [one for one in tries if not one.good and one not in closed]:
            raise AbilityNotMet(self._finding(bad, tries))

    @staticmethod
    def _closed(tries: Sequence[Try]) -> list[Try]:
        """Silence that may be a firewall's: no Pod of another Node is answered there either."""
        open_to = {one.node.name for one in tries if one.met is not Met.SILENCE and not one.at_home}
        return [one for one in tries if one.met is Met.SILENCE and one.node.name not in open_to]

    def _tries(self, client: Client, nodes: Sequence[NodeFact]) -> list[Try]:
        own = [node for node in nodes if node.name == client.place.node]
        there = [*own, *neighbours(client, nodes, len(nodes) if len(nodes) <= FULL_MESH else 2)]
        asks = [
            Ask(
                str(n), f"/agnhost connect {_authority(node)} --timeout={CONNECT_SECONDS}s --protocol=tcp", times=3,
                pause=1, until_good=True, longest=CONNECT_SECONDS,
            )
            for n, node in enumerate(there)
        ]  # fmt: skip
        answers: Mapping[str, list[Answer]] = self.asker.ask(client, asks)
        return [
            Try(client, node, *read(answers[str(n)][-1]), tries=len(answers[str(n)])) for n, node in enumerate(there)
        ]

    def _record(self, one: Try, closed: Sequence[Try]) -> None:
        outcome, reason = Outcome.PASSED, ""
        if one in closed:
            outcome, reason = Outcome.SKIPPED, FIREWALL
            self.workshop.recorder.note(f"warning: {one.node.name}:{KUBELET_PORT}: {reason}")
        elif not one.good:
            outcome, reason = Outcome.FAILED, one.said
        self.workshop.recorder.part(
            Part("Node IP", one.client.place, _authority(one.node), outcome, target_node=one.node.name, reason=reason,
                 tries=one.tries, lost=one.tries - one.good)
        )  # fmt: skip

    def _finding(self, bad: Sequence[Try], tries: Sequence[Try]) -> Finding:
        windows = frozenset(node.name for node in self.nodes)
        sightings = [Sighting(one.good, one.client.place.node, one.node.name) for one in tries]
        nodes = accused(sightings, windows)
        first = bad[0]
        return Finding(
            what="Pods do not reach Nodes that other Pods reach",
            where=f"{first.client.place} -> Node {first.node.name} {_authority(first.node)}"
            + (f" (and {len(bad) - 1} more of {len(tries)} paths)" if len(bad) > 1 else ""),
            expected=f"TCP {KUBELET_PORT} opens or is refused",
            seen="\n".join(f"{one.client.place.node} -> {one.node.name}: {one.said}" for one in bad[:12]),
            hint=f"look at the CNI's routes and at the host's firewall on {', '.join(nodes)}",
            nodes=nodes,
            command=first.client.repeat(f"/agnhost connect {_authority(first.node)} --timeout={CONNECT_SECONDS}s"),
        )


def read(answer: Answer) -> tuple[Met, str]:
    """What agnhost's connect met, by its exit code and first word, and its words."""
    said = " ".join(answer.text.split())[:200]
    if answer.good or any(word in said for word in REFUSALS):
        return Met.THERE, said or "connected"
    return (Met.SILENCE, said) if "TIMEOUT" in said else (Met.NO_WAY, said)


def _authority(node: NodeFact) -> str:
    address = node.internal_ips[0]
    return f"[{address}]:{KUBELET_PORT}" if ":" in address else f"{address}:{KUBELET_PORT}"
