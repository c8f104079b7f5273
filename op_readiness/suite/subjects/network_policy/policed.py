"""Namespaces whose Pods are under NetworkPolicies: made, asked for their whole truth table, judged after each change.

On every selected Windows Node stand Pods of each Namespace, so that each Node is client and target; one Pod of the
policed Namespace on Linux, asked from Linux, is the control: what it obeys the cluster can do, and Windows must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable, NotTested, SkipReason
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.pods import nodes_of, ready, wait_for_pods
from op_readiness.observe.policies import Door, Member, egress_allowed, engines, ingress_allowed
from op_readiness.observe.reachability import LOSS_SECONDS, LOST_OF_HUNDRED, Reachability, command_of, command_to
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import pod_target
from op_readiness.observe.traffic import LOSS_TRIES, Target
from op_readiness.observe.truth import Question, Reply, guilty, table, wrong_lines
from op_readiness.suite.making import Workshop
from op_readiness.workloads.pods import HTTP_PORT, Manifest
from op_readiness.workloads.policies import WHO

Object = dict[str, Any]
WEB = Door(HTTP_PORT, "http")
POLICED = "x"
"""The Namespace whose Pods the policies select."""
PROBE_SECONDS = 20.0
"""Cluster seconds under a policy after which a Pod whose readinessProbe is cut is no longer Ready."""
BY_POD_IP, BY_SERVICE = 3, 2
"""Windows Nodes whose servers a client asks by either path: its own and the next ones in the ring."""
LINES = 10
SOURCE = "kubernetes.io, concepts/services-networking/network-policies: a controller must implement it"


@dataclass(frozen=True)
class Stand:
    """One Pod and its Service. `space` is the Namespace's short name, `who` the Pod's label."""

    space: str
    who: str
    pod: Object
    service: Object
    client: Client

    @property
    def short(self) -> str:
        """As tables name it."""
        return f"{self.space}/{self.who} {self.client.place.node}" + (" (late)" if self.late else "")

    @property
    def late(self) -> bool:
        """Whether it was made after the policies."""
        return str(self.pod["metadata"]["name"]).endswith("-late")

    @property
    def targets(self) -> list[Target]:
        """By its own IP and through its Service."""
        direct, spec = pod_target(self.pod), self.service["spec"]
        return [
            direct,
            Target(
                "Service IP", f"Service {direct.namespace}/{self.service['metadata']['name']}", spec["clusterIP"],
                spec["ports"][0]["port"], direct.backends, node=direct.node,
            ),
        ]  # fmt: skip


@dataclass
class Policed:
    """Pods `who` of each Namespace in `spaces` (short name -> labels of its Pods) on every Windows Node of `nodes`."""

    workshop: Workshop
    reachability: Reachability
    nodes: Sequence[NodeFact]
    linux: Sequence[NodeFact]
    spaces: dict[str, tuple[str, ...]]
    stands: list[Stand] = field(default_factory=list)
    control: list[Stand] = field(default_factory=list)
    policies: list[Object] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)
    _policed: bool = False
    _under: float = 0.0
    _obeyed: bool = False
    """Whether a denial was seen to hold: then policies are enforced here, whatever comes later."""

    def start(self) -> None:
        """Namespaces, Services and Pods made, all Pods Ready."""
        self._make_namespaces()
        wanted = [(space, who, node) for space, all in self.spaces.items() for who in all for node in self.nodes]
        self.stands = self._stand(wanted)
        if self.linux:
            other = next(space for space in self.spaces if space != POLICED)
            self.control = self._stand([(POLICED, "b", self.linux[0]), (other, "a", self.linux[0])])

    def _make_namespaces(self) -> None:
        shop = self.workshop
        self._names = {space: shop.namespace if space == POLICED else shop.new_namespace() for space in self.spaces}

    def add_pods(self) -> None:
        """Pods of the policed Namespace that start when the policies are in force already."""
        wanted = [(POLICED, who, node) for who in self.spaces[POLICED] for node in self.nodes]
        self.stands += self._stand(wanted, "-late")

    def apply(self, policy: Manifest) -> None:
        """A policy more, in the policed Namespace."""
        manifest = {**policy, "metadata": {**policy["metadata"], "namespace": self._names[POLICED]}}
        manifest["metadata"]["labels"] = self.workshop.labels
        self.policies.append(self.workshop.create(manifest))
        self._policed, self._under = True, 0.0

    def withdraw(self, *names: str) -> None:
        """Policies gone: those named, or all."""
        for one in [one for one in self.policies if not names or one["metadata"]["name"] in names]:
            self.workshop.cluster.delete("NetworkPolicy", one["metadata"]["name"], self._names[POLICED])
            self.policies.remove(one)

    def truth_must_hold(self) -> None:
        """Who reaches whom is exactly what the policies say, in time, and it holds."""
        questions, control = self._questions(self.stands), self._control_questions()
        within = "policy_enforced" if self._policed else "service_routed"
        replies, seconds = self.reachability.settled([*questions, *control], within)
        if all(reply.right for reply in replies):
            at_least = self.workshop.context.timeouts.hold if self.policies else 0.0
            replies, held = self.reachability.held([*questions, *control], at_least=at_least)
            self._under += held
        self.workshop.recorder.figure(f"{self._title}: in force after seconds", seconds)
        judged, checked = replies[: len(questions)], replies[len(questions) :]
        self._record(judged)
        self._record(checked)
        if not all(reply.right for reply in judged):
            raise self._not_so(judged, checked)
        self._obeyed = self._obeyed or any(not reply.question.allowed for reply in judged)
        if not all(reply.right for reply in checked):
            self.workshop.recorder.note(f"{self._title}: the Linux Pods do not follow: {checked[0]}")

    def probes_must_go_on(self) -> None:
        """No Pod lost its readiness under the policies: what the kubelet asks from the Pod's own Node gets in."""
        if self._under < PROBE_SECONDS:
            self.reachability.wait(self.stands[0].client, PROBE_SECONDS - self._under)
        cut = [pod for pod in self._now() if not ready(pod)]
        if not cut:
            return
        nodes = nodes_of(cut)
        raise AbilityNotMet(
            Finding(
                what="Probes of Windows Pods are blocked by the policy",
                where=", ".join(_where(pod) for pod in cut[:4]),
                expected=f"Pods stay Ready under {self._title} (the kubelet's probes come from their own Node)",
                seen=f"{len(cut)} of {len(self.stands)} Pods are NotReady, on {', '.join(nodes)}; "
                "they were Ready before the policy",
                hint=f"host to Pod must stay allowed: look at the policy agent's rules for the Node's own address on "
                f"{', '.join(nodes)}",
                nodes=nodes,
                code="probes-blocked",
            )
        )

    def loopback_must_lose_nothing(self) -> None:
        """A Pod under a policy reaches itself by its own IP: at most one of a hundred tries is lost."""
        own = [stand for stand in self.stands if stand.space == POLICED and stand.who == "a"]
        lost = self.reachability.losses_of(
            [(stand.client, command_to(stand.client, stand.targets[0].authority, LOSS_SECONDS)) for stand in own]
        )
        bad = [(stand, count) for stand, count in zip(own, lost, strict=True) if count > LOST_OF_HUNDRED]
        for stand, count in zip(own, lost, strict=True):
            outcome = Outcome.FAILED if count > LOST_OF_HUNDRED else Outcome.PASSED
            place = stand.client.place
            self.workshop.recorder.part(
                Part("Pod IP, to itself", place, stand.short, outcome, place.node, tries=LOSS_TRIES, lost=count)
            )
        if bad:
            nodes = tuple(sorted({stand.client.place.node for stand, _ in bad}))
            seen = "\n".join(f"{stand.client.place}: {count} of {LOSS_TRIES} lost" for stand, count in bad)
            raise AbilityNotMet(
                Finding(
                    "A Pod under a policy loses calls to itself", str(bad[0][0].client.place),
                    f"at most 1 of {LOSS_TRIES} calls lost: no policy keeps a Pod from itself", seen,
                    f"look at the policy agent's rules for a Pod's own address on {', '.join(nodes)}", nodes,
                )
            )  # fmt: skip

    @property
    def _title(self) -> str:
        return " + ".join(one["metadata"]["name"] for one in self.policies) or "no policy"

    def _stand(self, wanted: Sequence[tuple[str, str, NodeFact]], suffix: str = "") -> list[Stand]:
        shop, services, manifests = self.workshop, [], []
        for space, who, node in wanted:
            name = f"{space}-{who}-{node.name}"[:50].rstrip("-.") + suffix
            manifest = shop.echo_pod(name, node.os, node, app=name)
            manifest["metadata"]["namespace"] = self._names[space]
            manifest["metadata"]["labels"][WHO] = who
            probe = manifest["spec"]["containers"][0]["readinessProbe"]
            probe.update(timeoutSeconds=3)
            service = shop.service(name, app=name)
            service["metadata"]["namespace"] = self._names[space]
            self._shape(manifest, service)
            manifests.append(manifest)
            services.append(service)
        made = shop.create_all([*services, *manifests])[: len(services)]
        pods = self._up(manifests)
        return [
            Stand(space, who, pod, service, Client.of(pod, node))
            for (space, who, node), pod, service in zip(wanted, pods, made, strict=True)
        ]

    def _shape(self, manifest: Manifest, service: Manifest) -> None:
        """What a kind of these Pods and their Services have beside."""

    def _up(self, manifests: Sequence[Manifest]) -> list[Object]:
        found: dict[tuple[str, str], Object] = {}
        for space in dict.fromkeys(one["metadata"]["namespace"] for one in manifests):
            names = [one["metadata"]["name"] for one in manifests if one["metadata"]["namespace"] == space]
            up = wait_for_pods(
                self.workshop.cluster, space, names, until_ready=True, timeouts=self.workshop.context.timeouts,
                recorder=self.workshop.recorder,
            )  # fmt: skip
            self.workshop.must_be_where_sent(up.values())
            found.update({(space, name): pod for name, pod in up.items()})
        return [found[one["metadata"]["namespace"], one["metadata"]["name"]] for one in manifests]

    def _questions(self, stands: Sequence[Stand]) -> list[Question]:
        """Every client against the servers on its own Node and the next two by Pod IP, and those of the policed
        Namespace on its own and the next through their Service too.
        """
        asked = [
            (client, target, server)
            for client in stands if not client.late
            for server in stands if client is not server
            for target, near in zip(server.targets, (BY_POD_IP, BY_SERVICE), strict=True)
            if server.client.place.node in self._near(client, near) and (near == BY_POD_IP or server.space == POLICED)
        ]  # fmt: skip
        return [self._question(client, target, server) for client, target, server in asked]

    def _question(self, client: Stand, target: Target, server: Stand, door: Door = WEB) -> Question:
        out = egress_allowed(self.policies, self._member(client), self._member(server), door)
        closed_at = "" if out else client.client.place.node
        allowed = out and ingress_allowed(self.policies, self._member(client), self._member(server), door)
        return Question(client.client, client.short, target, server.short, allowed, closed_at)

    def _near(self, client: Stand, count: int) -> set[str]:
        names = [node.name for node in self.nodes]
        start = names.index(client.client.place.node)
        return {names[(start + step) % len(names)] for step in range(min(count, len(names)))}

    def _control_questions(self) -> list[Question]:
        if not self.control:
            return []
        server, client = self.control
        return [self._question(client, server.targets[0], server)]

    def _member(self, stand: Stand) -> Member:
        name = stand.client.namespace
        return Member(name, {WHO: stand.who}, {"kubernetes.io/metadata.name": name})

    def _now(self) -> list[Object]:
        listed = {
            (space, pod["metadata"]["name"]): pod
            for space in {stand.client.namespace for stand in self.stands}
            for pod in self.workshop.cluster.list("Pod", space)
        }
        return [listed.get((stand.client.namespace, stand.client.pod), stand.pod) for stand in self.stands]

    def _record(self, replies: Sequence[Reply]) -> None:
        groups: dict[tuple[str, str, str], list[Reply]] = {}
        for reply in replies:
            question = reply.question
            groups.setdefault((question.row, question.path, question.target.node), []).append(reply)
        for (_, path, node), group in groups.items():
            wrong = [reply for reply in group if not reply.right]
            may = sum(reply.question.allowed for reply in group)
            self.workshop.recorder.part(
                Part(
                    f"{path} under {self._title}", group[0].question.client.place,
                    f"{len(group)} Pods on {node}: {may} may be reached, {len(group) - may} not",
                    Outcome.FAILED if wrong else Outcome.PASSED, node, reason="; ".join(map(str, wrong))[:300],
                    tries=len(group), lost=len(wrong),
                )
            )  # fmt: skip

    def _not_so(self, judged: Sequence[Reply], control: Sequence[Reply]) -> Exception:
        if not self.policies:
            return self._without_policies(judged)
        denied = [reply for reply in judged if not reply.question.allowed]
        never_obeyed = not self._obeyed and bool(denied) and all(reply.reached for reply in denied)
        if never_obeyed and not any(reply.right for reply in control if not reply.question.allowed):
            return self._nowhere(judged)
        return AbilityNotMet(self._finding(judged, control))

    def _without_policies(self, judged: Sequence[Reply]) -> Exception:
        """Before any policy a silence is no policy's doing; after the last one was deleted it is."""
        finding = self._finding(judged, ())
        return AbilityNotMet(finding) if self._policed else CouldNotTell(finding)

    def _nowhere(self, judged: Sequence[Reply]) -> Exception:
        found = engines(self.workshop.cluster)
        if found is None:
            return NotTested(
                "no policy takes effect, and whether there is a policy engine may not be asked (list daemonsets)",
                reason=SkipReason.MISSING_RIGHT,
            )
        if not found:
            where = "neither on Linux nor on Windows Nodes" if self.linux else "on no Windows Node"
            return NotApplicable(f"NetworkPolicy is enforced {where}, and no policy engine is found", source=SOURCE)
        return AbilityNotMet(self._finding(judged, (), f"; policy engines found: {', '.join(found)}"))

    def _guilty(self, judged: Sequence[Reply]) -> tuple[str, ...]:
        return guilty(judged, frozenset(node.name for node in self.nodes))

    def _finding(self, judged: Sequence[Reply], control: Sequence[Reply], more: str = "") -> Finding:
        wrong = [reply for reply in judged if not reply.right]
        nodes = self._guilty(judged)
        lines = wrong_lines(judged, LINES)
        if control:
            obeys = "follow" if all(reply.right for reply in control) else "do not follow either"
            lines.append(f"the Linux Pods {obeys}{more}")
        first = wrong[0].question
        return Finding(
            what="Pods do not reach each other as the NetworkPolicies say" if self.policies
            else "Pods do not reach each other without any NetworkPolicy",
            where=f"{first.client.place} -> {first.target} (and {len(wrong) - 1} more of {len(judged)}), "
            f"under {self._title}",
            expected=f"the truth of {self._title} within {self.workshop.context.timeouts.policy_enforced:g} s, held",
            seen="\n".join([*lines, table(judged)]),
            hint=f"look at the policy agent's log and at the ACLs of the HNS endpoints on {', '.join(nodes)}",
            nodes=nodes,
            command=first.client.repeat(command_of(first)),
            code="policy",
        )  # fmt: skip


def _where(pod: Object) -> str:
    meta = pod["metadata"]
    return f"Pod {meta['namespace']}/{meta['name']} (Node {pod['spec']['nodeName']})"
