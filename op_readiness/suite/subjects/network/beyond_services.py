"""Services in two respects that KEP-2578 does not promise: a Pod behind its own Service, and clients that stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe import sticky
from op_readiness.observe.blame import Sighting, accused
from op_readiness.observe.reach import Reach, together
from op_readiness.observe.shell import Ask, Asker, Client
from op_readiness.observe.targets import Exposed
from op_readiness.observe.traffic import ANSWER_SECONDS, CONNECT_SECONDS, Target
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HTTP_PORT

Object = dict[str, Any]
AFFINITY_BUILD = 20348
AFFINITY_SOURCE = "kubernetes.io, reference/networking/virtual-ips and windows-networking: affinity from Server 2022 on"
STICKY, STICKY_PODS, TRIES, OTHER_TRIES = "sticky", 3, 30, 60
HAIRPIN_HINT = (
    "a Pod that is the backend of its own call: look at the source VIP of kube-proxy and at loopback DSR of its HNS "
    "load balancers"
)


@dataclass
class Hairpin:
    """On each Windows Node a Pod that is the only one behind a Service."""

    workshop: Workshop
    reach: Reach
    asker: Asker
    nodes: Sequence[NodeFact]
    made: list[tuple[Client, Exposed]] = field(default_factory=list)

    def start(self) -> None:
        """Pods and Services, the Pods Ready."""
        names = [f"self-{n}" for n in range(len(self.nodes))]
        services = self.workshop.create_all([self.workshop.service(name, app=name) for name in names])
        pods = self.workshop.pods(
            [
                self.workshop.echo_pod(name, "windows", node, app=name)
                for name, node in zip(names, self.nodes, strict=True)
            ]
        )
        for service, pod, node in zip(services, pods, self.nodes, strict=True):
            self.made.append((Client.of(pod, node), self.workshop.exposed(service, [pod])))

    def must_answer_themselves(self) -> None:
        """The control: each answers itself at its own address and at 127.0.0.1; else nothing can be told."""
        seen = together(self.workshop.threads, self._itself, [client for client, _ in self.made])
        bad = [(client, words) for (client, _), words in zip(self.made, seen, strict=True) if words]
        if bad:
            raise CouldNotTell(
                Finding(
                    what="A Pod does not answer itself without any Service",
                    where=", ".join(str(client.place) for client, _ in bad),
                    expected="its own name at its Pod IP and at 127.0.0.1",
                    seen="; ".join(f"{client.place.node}: {words}" for client, words in bad),
                    nodes=tuple(client.place.node for client, _ in bad),
                )
            )

    def must_reach_themselves(self) -> None:
        """Each reaches itself through its Service, and it holds."""
        pairs = [(client, exposed.by_cluster_ip()) for client, exposed in self.made]
        self.reach.pairs(pairs, hint=HAIRPIN_HINT)

    def _itself(self, client: Client) -> str:
        """What is wrong with the control; empty when both ways are well."""
        options = f"-g -q -sS --fail --connect-timeout {CONNECT_SECONDS} --max-time {ANSWER_SECONDS}"
        hosts = {"Pod IP": f"[{client.ip}]" if ":" in client.ip else client.ip, "127.0.0.1": "127.0.0.1"}
        asks = [
            Ask(str(n), f"{client.curl} {options} http://{host}:{HTTP_PORT}/hostname", times=3, pause=1,
                until_good=True, longest=ANSWER_SECONDS)
            for n, host in enumerate(hosts.values())
        ]  # fmt: skip
        answers = self.asker.ask(client, asks)
        last = [answers[str(n)][-1] for n in range(len(hosts))]
        bad = [f"{way}: {one.text[:120]}" for way, one in zip(hosts, last, strict=True) if one.text != client.pod]
        return ", ".join(bad)


@dataclass
class Affinity:
    """Three Windows Pods behind a Service, with sessionAffinity and without, asked by Pods of Nodes that have it."""

    workshop: Workshop
    reach: Reach
    asker: Asker
    clients: Sequence[Client]
    nodes: Sequence[NodeFact]
    exposed: Exposed | None = None

    def start(self) -> None:
        """Raises NotApplicable when no Windows Node has a build with affinity."""
        unable = [client for client in self.clients if not has_affinity(client.place.build)]
        self.clients = [client for client in self.clients if client not in unable]
        for client in unable:
            why = f"build {client.place.build} has no session affinity ({AFFINITY_SOURCE})"
            self.workshop.recorder.part(
                Part("ClusterIP with affinity", client.place, "every target", Outcome.SKIPPED, reason=why)
            )
        if not self.clients:
            raise NotApplicable("no Windows Node has a build with session affinity", source=AFFINITY_SOURCE)
        self.exposed = self.workshop.echo("windows", self.nodes, count=STICKY_PODS, app=STICKY)

    def all_must_answer(self) -> None:
        """Without affinity every client meets every Pod: where its Node knows only one, it would stay anyway."""
        self.reach.every(self.clients, [self._target])

    def must_stay(self) -> None:
        """With ClientIP each client is answered by one Pod, fifteen times in a row at least."""
        self._patch("ClientIP")
        expected = f"{sticky.CONFIRMED} answers of one Pod in a row, in {TRIES} requests (sessionAffinity ClientIP)"
        self._asked(TRIES, sticky.stays, "ClusterIP with affinity", expected)

    def must_spread(self) -> None:
        """With None the same clients are answered by more than one."""
        self._patch("None")
        expected = f"answers of more than one Pod in {OTHER_TRIES} requests (sessionAffinity None)"
        self._asked(OTHER_TRIES, sticky.changes, "ClusterIP without affinity", expected)

    def _patch(self, affinity: str) -> None:
        change = {"spec": {"sessionAffinity": affinity}}
        self.workshop.cluster.patch("Service", STICKY, self.workshop.namespace, change)

    def _asked(self, tries: int, met: Callable[[Sequence[str]], bool], path: str, expected: str) -> None:
        target = self._target
        found = together(
            self.workshop.threads,
            lambda client: sticky.series(self.asker, client, target, tries, met, "service_routed"), self.clients,
        )  # fmt: skip
        for one in found:
            outcome = Outcome.PASSED if one.good else Outcome.FAILED
            lost = one.names.count("")
            self.workshop.recorder.part(
                Part(path, one.client.place, str(target), outcome, reason="" if one.good else str(one),
                     tries=len(one.names), lost=lost)
            )  # fmt: skip
        if any(not one.good for one in found):
            raise AbilityNotMet(self._finding(found, path, expected))

    @property
    def _target(self) -> Target:
        if self.exposed is None:
            raise RuntimeError("there is no Service yet")
        return self.exposed.by_cluster_ip()

    def _finding(self, found: Sequence[sticky.Series], path: str, expected: str) -> Finding:
        bad = [one for one in found if not one.good]
        controls = together(self.workshop.threads, lambda one: self._target.control(self.asker, one.client), bad)
        nodes = self._accused(found, [silent for _, silent in controls])
        client = bad[0].client
        return Finding(
            what=f"{self._target.what} does not keep clients as it says by {path}",
            where=f"{len(bad)} of {len(found)} clients, on {', '.join(sorted({one.client.place.node for one in bad}))}",
            expected=expected,
            seen="\n".join(
                f"{one.client.place.node}: {one}; {words}" for one, (words, _) in zip(bad, controls, strict=True)
            ),
            hint=f"look at kube-proxy on {', '.join(nodes)} and at the distribution of its HNS load balancer there",
            nodes=nodes,
            command=client.repeat(self._target.command(client)),
        )

    def _accused(self, found: Sequence[sticky.Series], silent: Sequence[frozenset[str]]) -> tuple[str, ...]:
        """The Nodes of the clients, or those of backends that do not answer them by their Pod IPs either."""
        homes, rest = self._target.backends, iter(silent)
        sightings = []
        for one in found:
            here, quiet = one.client.place.node, frozenset[str]() if one.good else next(rest)
            met = set(one.names) if one.good else set(homes) - quiet if quiet else set()
            ways = frozenset(homes[name] for name in met if name in homes) - {here}
            if ways:
                sightings.append(Sighting(True, here, backends=ways))
            if not one.good:
                sightings.append(Sighting(False, here, backends=frozenset(homes[name] for name in quiet)))
        return accused(sightings, frozenset(node.name for node in self.nodes))


def has_affinity(build: str) -> bool:
    """Whether HNS of a Windows build has session affinity; a build that cannot be read has."""
    number = [*build.split("."), "", "", ""][2]
    return not number.isdecimal() or int(number) >= AFFINITY_BUILD
