"""Rules of the host network service in the hands of HostProcess containers, beside those that kube-proxy has there.

What kube-proxy has is watched meanwhile in two ways: a Service of ours is asked all the time, and the ids of others'
policies are the same before and after. A policy that comes or goes accuses HNS unless the Service that it is for
changed in between; where that did, everything is done again when Services are at rest, and by then what went is there
again, whatever its id.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.api import Cluster
from op_readiness.model.clock import SYSTEM_CLOCK, Clock
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable
from op_readiness.model.facts import NodeFact
from op_readiness.model.findings import Finding, Outcome, Part
from op_readiness.observe.checks import Checks
from op_readiness.observe.meanwhile import Meanwhile
from op_readiness.observe.reach import Reach
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed
from op_readiness.observe.traffic import Target
from op_readiness.suite.subjects.host_process.policy_owners import Services, changes, excused, missing, served
from op_readiness.suite.subjects.host_process.running import Ended, HostProcess

Object = dict[str, Any]
Said = dict[str, tuple[Ended, Object]]
FIRST_PORT, PORTS = 20000, 10000
ROUNDS = 3
"""How often everything is done anew because Services of the cluster changed meanwhile."""
SHOWN = 4
CUT_HINT = "hnsdiag list loadbalancers on the Node: kube-proxy's, beside one of an address of 192.0.2.0/24"
BEFORE = "Service traffic was not well before any rule was made"
NO_HNS = "Windows Server: the host network service comes with the Containers feature"


@dataclass
class HnsRules:
    """A load balancer of HNS, made, read back and removed by a HostProcess Pod; it leads to a Pod of ours."""

    pods: HostProcess
    reach: Reach
    clients: Sequence[Client]
    vip: str = field(default_factory=lambda: f"192.0.2.{1 + secrets.randbelow(254)}")
    port: int = field(default_factory=lambda: FIRST_PORT + secrets.randbelow(PORTS))
    ends: dict[str, str] = field(default_factory=dict)
    cut: list[Finding] = field(default_factory=list)
    clock: Clock = SYSTEM_CLOCK
    went: dict[str, set[str]] = field(default_factory=dict)
    """Node -> fronts of policies that went in a round in which their Services changed."""
    without: dict[str, str] = field(default_factory=dict)
    """Node -> why HNS cannot be asked there."""

    def start(self) -> None:
        """A Pod on each Node, whose endpoint is referred to, and all of them behind a Service."""
        self.pods.start()
        workshop = self.pods.workshop
        service = workshop.create(workshop.service("ends", app="end"))
        made = workshop.pods([
            workshop.echo_pod(f"end-{n}", "windows", node, app="end") for n, node in enumerate(self.pods.nodes)
        ])  # fmt: skip
        self.ends = {pod["spec"]["nodeName"]: pod["status"]["podIP"] for pod in made}
        self.service: Exposed = workshop.exposed(service, made)

    def must_be_managed(self) -> None:
        """Made, read back, removed; kube-proxy's Service answers all the time, and others' policies stay as they are.

        Raises CouldNotTell where the Service did not answer before, or where Services changed each time, and
        NotApplicable where HNS can be asked on no Node.
        """
        for turn in range(ROUNDS):
            services = self._at_rest() if turn else served(self._cluster)
            if turn == 0:
                self._traffic_must_be_well()
            checks = self.pods.checks
            watch = Meanwhile(self.reach, self.clients, self._target)
            with watch.asking():
                before, after = self._managed(turn, checks)
            if self.cut:
                raise AbilityNotMet(*self.cut)
            for client, met in watch.judged(checks, "Service meanwhile from"):
                self.pods.workshop.recorder.figure(f"tries lost meanwhile from {client.place.node}", met.lost)
            now = served(self._cluster)
            self._judge_return(after, checks, now)
            unclear = self._judge_others(before, after, checks, services, now)
            self.pods.must_hold(
                checks, "HostProcess Pods cannot manage rules of HNS", code="hns",
                hint="the service hns of the Node, what HNS answered, and hnsdiag list loadbalancers there",
            )  # fmt: skip
            if not unclear:
                self.reach.every(self.clients, [self._target])
                return
        raise CouldNotTell(_restless(changes(services, now), unclear))

    def _at_rest(self) -> Services:
        """The Services when none has changed for as long as kube-proxy may lag behind, or after some such times."""
        timeouts = self.pods.workshop.context.timeouts
        services = served(self._cluster)
        for _ in range(ROUNDS):
            self.clock.sleep(timeouts.endpoints_follow * timeouts.scale)
            before, services = services, served(self._cluster)
            if not changes(before, services):
                break
        return services

    @property
    def _cluster(self) -> Cluster:
        return self.pods.workshop.cluster

    @property
    def _target(self) -> Target:
        return self.service.by_cluster_ip()

    def _traffic_must_be_well(self) -> None:
        """The twin: each client reaches every Pod by the Service while there is no rule of ours."""
        try:
            self.reach.every(self.clients, [self._target])
        except AbilityNotMet as error:
            twins = [replace(one, what=f"{BEFORE}: {one.what}", code="twin") for one in error.findings]
            raise CouldNotTell(*twins) from error

    def _cut(self) -> list[Finding]:
        """While the rule stands each client still reaches every Pod by the Service, and it holds; else why not."""
        try:
            self.reach.every(self.clients, [self._target], hint=CUT_HINT)
        except AbilityNotMet as error:
            return [replace(one, what=f"While HNS has a load balancer of ours: {one.what}") for one in error.findings]
        return []

    def _managed(self, turn: int, checks: Checks) -> tuple[Said, Said]:
        """What was there before and after; in between a rule was made, read back and removed on every Node."""
        before = self._said(turn, "list", checks)
        if not (able := [node for node in self.pods.nodes if node.name not in self.without]):
            why = "; ".join(dict.fromkeys(self.without.values()))
            raise NotApplicable(f"HNS cannot be asked on any Windows Node: {why}", source=NO_HNS)
        self.pods.nodes = able
        for ended, said in before.values():
            checks.take(ended.check("list before", "all policies", "no error", not said["error"], _error(said)))
        for node in self.pods.nodes if turn == 0 else ():
            self.pods.workshop.promise("HNS policy", {"node": node.name, "vip": self.vip, "port": self.port})
        created = self._said(turn, "create", checks)
        read = self._said(turn, "list", checks, "read")
        self.cut = self._cut()
        removed = self._said(turn, "remove", checks)
        after = self._said(turn, "list", checks, "after")
        label = f"{self.vip}:{self.port}"
        for name, (ended, said) in created.items():
            new = str(said["created"])
            checks.take(ended.check("create", label, "an id", bool(new), _error(said)))
            for act, found, wanted in (("read back", read, [new]), ("after removal", after, [])):
                if new and name in found:
                    there, told = found[name]
                    ours = [str(one) for one in told["ours"]]
                    seen = _error(told) if told["error"] else str(ours)
                    good = ours == wanted and not told["error"]
                    checks.take(there.check(act, label, str(wanted), good, seen))
            if new and name in removed:
                there, told = removed[name]
                checks.take(there.check("remove", label, "no error", not told["error"], _error(told)))
        return before, after

    def _judge_others(
        self, before: Said, after: Said, checks: Checks, services: Services, now: Services
    ) -> list[str]:
        """A statement for each Node: others' policies are those of before, but for those whose Service changed.

        Gives back a line for each Node where some of those came or went: of them this round tells nothing.
        """
        unclear = []
        for node in sorted(set(before) & set(after)):
            ended, said = after[node]
            if said["error"] or before[node][1]["error"]:
                continue
            then, there = _fronts(before[node][1]), _fronts(said)
            apart = {"went": then.keys() - there.keys(), "came": there.keys() - then.keys() - set(said["ours"])}
            fronts = {**there, **then}
            free = {act: {id for id in ids if excused(fronts[id], services, now)} for act, ids in apart.items()}
            self.went.setdefault(node, set()).update(front for id in free["went"] for front in fronts[id])
            if any(free.values()):
                unclear.append(f"{node}: {_apart(free, fronts)}")
            seen = _apart({act: ids - free[act] for act, ids in apart.items()}, fronts)
            checks.take(ended.check("policies of others on", f"Node {node}", f"the {len(then)} ids of before",
                                    not seen, seen or "the same"))  # fmt: skip
        return unclear

    def _judge_return(self, after: Said, checks: Checks, now: Services) -> None:
        """What went in a round before, while its Service changed, has come again by now: kube-proxy made it anew."""
        for node in sorted(node for node, fronts in self.went.items() if fronts and node in after):
            ended, said = after[node]
            there = {front for fronts in _fronts(said).values() for front in fronts}
            lost = [] if said["error"] else missing(self.went[node], there, now)
            checks.take(ended.check("policies that went on", f"Node {node}", "there again, by address and port",
                                    not lost, f"not there: {', '.join(lost[:SHOWN])}" if lost else "all"))  # fmt: skip

    def _said(self, turn: int, act: str, checks: Checks, name: str = "") -> Said:
        """What the script said on each Node; one that did not run does not hold."""
        found = {}
        for ended in self.pods.script(f"hns-{name or act}-{turn}", "hns-policy", lambda node: self._given(act, node)):
            said = ended.said
            if said and said["missing"]:
                where = ended.node.place
                part = Part("HNS", where, act, Outcome.SKIPPED, ended.node.name, reason=str(said["missing"]))
                self.pods.workshop.recorder.part(part)
                self.without[ended.node.name] = str(said["missing"])
            elif said:
                found[ended.node.name] = (ended, said)
            else:
                checks.take(ended.check(f"HNS, {act} by", "a HostProcess Pod", "an answer of HNS", False))
        return found

    def _given(self, act: str, node: NodeFact) -> dict[str, object]:
        return {"OPR_ACT": act, "OPR_VIP": self.vip, "OPR_PORT": self.port, "OPR_ENDPOINT": self.ends[node.name]}


def _error(said: Object) -> str:
    return str(said["error"]) or "nothing"


def _fronts(said: Object) -> dict[str, list[str]]:
    """Each id that a list has, with the addresses and ports that it is for."""
    return {str(one["id"]): [str(front) for front in one["fronts"]] for one in said["lists"]}


def _apart(ids_by_act: Mapping[str, Set[str]], fronts: Mapping[str, Sequence[str]]) -> str:
    """How many came and went, and some of them by id and front."""
    named = {act: [f"{id} ({', '.join(fronts[id]) or 'no port'})" for id in sorted(ids)]
             for act, ids in ids_by_act.items()}  # fmt: skip
    return "; ".join(f"{len(ids)} {act}: {', '.join(ids[:SHOWN])}" for act, ids in named.items() if ids)


def _restless(changed: Sequence[str], unclear: Sequence[str]) -> Finding:
    return Finding(
        "Whose doing it is that policies of HNS came or went cannot be told", "; ".join(unclear),
        f"Services that stay as they are for a minute, in one of {ROUNDS} rounds",
        f"changed meanwhile: {', '.join(changed[:SHOWN])}", "repeat it when nobody deploys",
        tuple(line.partition(":")[0] for line in unclear), code="restless",
    )  # fmt: skip
