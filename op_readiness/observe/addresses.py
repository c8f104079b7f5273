"""The addresses of many Pods on one Node: distinct, what the Pods themselves have, each answered by its own Pod."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.blame import Sighting, accused
from op_readiness.observe.pods import nodes_of
from op_readiness.observe.reach import together
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.observe.traffic import ANSWER_SECONDS, CONNECT_SECONDS
from op_readiness.workloads.pods import HTTP_PORT

Pod = dict[str, Any]
OTHERS = 3
"""Clients on other Nodes that ask a Node's Pods."""
CURL_TIMED_OUT = 28
"""curl's exit code where nothing came, neither an answer nor a refusal."""
Crowds = Mapping[str, Sequence[Pod]]
"""Node name -> the Pods of this test on it."""


@dataclass(frozen=True)
class Lost:
    """What one client did not get of the Pods of one Node, a line each, and whether it counts."""

    lines: tuple[str, ...]
    judged: bool


def address_of(pod: Pod) -> str:
    """The Pod's IP as the API shows it."""
    return str(pod["status"]["podIP"])


@dataclass
class Addresses:
    """Observes addresses of crowds of Pods, from the API and from inside."""

    cluster: Cluster
    facts: Facts
    asker: Asker
    recorder: Recorder
    threads: Executor

    def must_be_distinct(self, crowds: Crowds) -> None:
        """No address is shared with any Pod of the cluster or with a Node, and each lies in its Node's Pod range."""
        ours = {pod["metadata"]["uid"]: pod for pods in crowds.values() for pod in pods}
        shared = self._shared(ours)
        node_ips = {ip: node.name for node in self.facts.nodes for ip in node.internal_ips}
        taken = [pod for pod in ours.values() if address_of(pod) in node_ips]
        strays = [pod for node, pods in crowds.items() for pod in self._strays(self.facts.node(node), pods)]
        if shared or taken or strays:
            raise AbilityNotMet(self._not_distinct(shared, taken, strays))

    def must_be_nobody_elses(self, pods: Sequence[Pod]) -> None:
        """No address of these is that of another Pod of the cluster; the Node that gave it out last is accused."""
        if shared := self._shared({pod["metadata"]["uid"]: pod for pod in pods}):
            last = [max(found, key=lambda pod: str(pod["status"].get("startTime", ""))) for found in shared.values()]
            raise AbilityNotMet(replace(self._not_distinct(shared, (), ()), nodes=nodes_of(last)))

    def _shared(self, ours: Mapping[str, Pod]) -> dict[str, list[Pod]]:
        """Addresses of ours that more than one Pod has, with these Pods."""
        owners: dict[str, list[Pod]] = defaultdict(list)
        for pod in [*self._others(ours), *ours.values()]:
            owners[address_of(pod)].append(pod)
        return {
            ip: pods for ip, pods in owners.items() if len(pods) > 1 and any(p["metadata"]["uid"] in ours for p in pods)
        }

    def _others(self, ours: Mapping[str, Pod]) -> list[Pod]:
        return [
            pod
            for pod in self.cluster.list("Pod")
            if pod["metadata"]["uid"] not in ours
            and pod["status"].get("podIP")
            and pod["status"].get("phase") == "Running"
            and not pod["metadata"].get("deletionTimestamp")
            and not pod["spec"].get("hostNetwork")
        ]

    def _strays(self, node: NodeFact, pods: Sequence[Pod]) -> list[Pod]:
        ranges = [ipaddress.ip_network(cidr, strict=False) for cidr in node.pod_cidrs]
        out = [pod for pod in pods if ranges and not any(ipaddress.ip_address(address_of(pod)) in r for r in ranges)]
        if ranges and len(out) == len(pods) and not self._ranges_in_use():
            self.recorder.note("the CNI does not take Pod addresses from Node.spec.podCIDR: not judged")
            return []
        return out

    def _ranges_in_use(self) -> bool:
        """Whether any Pod that is not ours has an address of its Node's range: some CNIs ignore it everywhere."""
        ranges = {
            node.name: [ipaddress.ip_network(c, strict=False) for c in node.pod_cidrs] for node in self.facts.nodes
        }
        return any(
            ipaddress.ip_address(address_of(pod)) in one
            for pod in self._others({})
            for one in ranges.get(pod["spec"].get("nodeName", ""), [])
        )

    def _not_distinct(
        self, shared: Mapping[str, Sequence[Pod]], taken: Sequence[Pod], strays: Sequence[Pod]
    ) -> Finding:
        lines = [f"{ip} is the address of {', '.join(_where(pod) for pod in pods)}" for ip, pods in shared.items()]
        lines += [f"{address_of(pod)} of {_where(pod)} is a Node's address" for pod in taken]
        lines += [f"{address_of(pod)} of {_where(pod)} is not in its Node's podCIDR" for pod in strays]
        involved = [pod for pods in shared.values() for pod in pods] + list(taken)
        nodes = {pod["spec"]["nodeName"] for pod in (strays or involved)}
        return Finding(
            "Pods do not have addresses of their own", ", ".join(sorted(nodes)),
            "distinct Pod IPs, each in its Node's podCIDR",
            "\n".join(lines[:12]), "look at the CNI's IPAM state and at podCIDR of the Nodes", tuple(sorted(nodes)),
        )  # fmt: skip

    def must_be_what_the_pods_have(self, crowds: Crowds) -> None:
        """Inside each Pod, ipconfig lists exactly the Pod's IP."""
        pods = [pod for crowd in crowds.values() for pod in crowd]
        clients = [self._client(pod) for pod in pods]
        ask = Ask("ipconfig", "ipconfig", times=1)
        answers = together(self.threads, lambda c: self.asker.ask(c, [ask])["ipconfig"][0], clients)
        wrong = []
        for pod, answer in zip(pods, answers, strict=True):
            listed = ipv4_of(answer.text)
            if listed != [address_of(pod)]:
                wrong.append(
                    (
                        pod,
                        f"{_where(pod)}: API says {address_of(pod)}, "
                        f"ipconfig lists {', '.join(listed) or 'no IPv4 address'}",
                    )
                )
        if wrong:
            nodes = nodes_of(pod for pod, _ in wrong)
            raise AbilityNotMet(
                Finding(
                    "A Pod does not have the address that the API shows", _where(wrong[0][0]),
                    "exactly the Pod's IP in ipconfig",
                    "\n".join(line for _, line in wrong[:12]),
                    f"look at the HNS endpoints and the CNI's log on {', '.join(nodes)}", nodes,
                )
            )  # fmt: skip

    def each_must_answer(self, crowds: Crowds, clients: Sequence[Client]) -> None:
        """Asked from its own Node and from others, each address gives its own Pod's name.

        A Linux client that gets nothing at all from a Node, only timeouts, has no way to it; where Windows clients
        of other Nodes ask the same Pods, that way is judged by abilities of its own. It is noted, and still tells whom
        to accuse. Some of the Pods missing, a refusal or another Pod's name are matters of addresses, whoever asked.
        """
        pairs = [(client, node) for node in crowds for client in _askers(clients, node)]
        told = {node for client, node in pairs if client.place.os == "windows" and client.place.node != node}

        def look(pair: tuple[Client, str]) -> Lost:
            client, node = pair
            return self._lost(client, node, crowds[node], forgiving=client.place.os != "windows" and node in told)

        bad = together(self.threads, look, pairs)
        wrong = [line for lost in bad for line in lost.lines]
        if any(lost.lines and lost.judged for lost in bad):
            seen = [
                Sighting(not lost.lines, client.place.node, node)
                for (client, node), lost in zip(pairs, bad, strict=True)
            ]
            between = [s for s in seen if not (s.good and s.client == s.target)]
            nodes = accused(between, frozenset(crowds))
            raise AbilityNotMet(
                Finding(
                    "A Pod's address is not answered by that Pod", f"Pods on {', '.join(nodes)}",
                    "each address answers with its own Pod's name",
                    "\n".join(wrong[:12]),
                    f"look for stale HNS endpoints with these addresses on {', '.join(nodes)}", nodes,
                )
            )  # fmt: skip

    def _lost(self, client: Client, node: str, pods: Sequence[Pod], *, forgiving: bool) -> Lost:
        """What `client` does not get; `forgiving`: it is not judged where every one of the Pods is silent to it."""
        options = f"-g -q -s --fail --connect-timeout {CONNECT_SECONDS} --max-time {ANSWER_SECONDS}"
        asks = [
            Ask(
                pod["metadata"]["name"], f"{client.curl} {options} http://{address_of(pod)}:{HTTP_PORT}/hostname",
                times=10, pause=1, until_good=True, longest=ANSWER_SECONDS,
            )
            for pod in pods
        ]  # fmt: skip
        answers = self.asker.ask(client, asks)
        lines = []
        for pod in pods:
            name = pod["metadata"]["name"]
            last = answers[name][-1]
            if last.good and last.text == name:
                self.recorder.witness(pod["metadata"]["namespace"], name, "http", last.text)
            else:
                lines.append(
                    f"from {client.place.node}: {address_of(pod)} of {_where(pod)} gave {last.text or 'no answer'!r}"
                )
        outcome, reason = Outcome.FAILED if lines else Outcome.PASSED, ""
        if forgiving and all(answers[pod["metadata"]["name"]][-1].code == CURL_TIMED_OUT for pod in pods):
            outcome = Outcome.SKIPPED
            reason = f"{client.place.node} reaches no Pod on {node} by its IP: not judged here"
            self.recorder.note(reason)
        self.recorder.part(
            Part("Pod IP of each of many", client.place, f"{len(pods)} Pods on {node}", outcome, node, reason=reason,
                 tries=len(pods), lost=len(lines))
        )  # fmt: skip
        return Lost(tuple(lines), judged=outcome is not Outcome.SKIPPED)

    def _client(self, pod: Pod) -> Client:
        return Client.of(pod, self.facts.node(pod["spec"]["nodeName"]))


def ipv4_of(text: str) -> list[str]:
    """IPv4 addresses of adapters in the output of Windows' ipconfig."""
    return re.findall(r"IPv4[^:]*:\s*([0-9.]+)", text)


def _askers(clients: Sequence[Client], node: str) -> list[Client]:
    """A client on the Node and three others, the next in a ring and one of Linux: a Node whose way back is broken
    spoils what others ask of it too, and only further ones tell which of them it is.
    """
    here = next((n for n, client in enumerate(clients) if client.place.node == node), len(clients))
    ring = [*clients[here + 1 :], *clients[:here]]
    linux = [client for client in ring if client.place.os == "linux"]
    others = list(dict.fromkeys([*ring[:1], *linux[:1], *ring]))
    return [*clients[here : here + 1], *others[:OTHERS]]


def _where(pod: Pod) -> str:
    return f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']} (Node {pod['spec'].get('nodeName', '-')})"

