"""A Deployment's Pod replaced fifty times in a row while other Pods are deleted in the background.

What breaks by churn shows in few of many Pods: an address that comes again meets a remote endpoint that stayed
(microsoft/Windows-Containers#631). So every new Pod is asked by its own IP from every Windows Node and by its Service,
and looks up a name itself. Several Services select it, because reference counts are what gets lost. What each of so
many Pods leaves on its Node is counted, where HostProcess Pods may look.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from op_readiness.cluster.errors import ApiError
from op_readiness.cluster.watching import WatchTimeout, wait_for
from op_readiness.model.errors import AbilityNotMet, CouldNotTell
from op_readiness.model.findings import Finding
from op_readiness.observe import slices
from op_readiness.observe.dns import lookup
from op_readiness.observe.pods import nodes_of, ready
from op_readiness.observe.reach import Reach, finding_of, together
from op_readiness.observe.shell import Client
from op_readiness.observe.starting import as_judged, grows, percentile, with_former_owners
from op_readiness.observe.targets import pod_target
from op_readiness.observe.traffic import Leg, Target
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.worker.leftovers import Leftovers
from op_readiness.workloads.pods import HTTP_PORT, UDP_PORT
from op_readiness.workloads.services import workload

Object = dict[str, Any]
MOVING, RESTLESS, RESTLESS_COUNT = "moving", "restless", 3
SERVICES = ("moving", "moving-too", "moving-three")
EVERY_SECONDS = 3.0
"""Cluster seconds between two deletions in the background."""
WITH_DEFAULT_GRACE = 24
"""The one cycle in which the Pod is deleted with its own grace period."""
BAD_ENOUGH = 3
"""Replacements that went wrong after which the rest would only cost time."""
BACKGROUND = 5
"""Replacements a deletion in the background has to go with at least one of: with fewer it was not continuous."""
STEEPER, SLOWER_SECONDS = 3.0, 60.0
WHOLE_SECONDS = 3600.0
"""Cluster seconds that all replacements may take together."""


@dataclass
class Rescheduling:
    """The Deployments, their Services, and what each replacement showed."""

    workshop: Workshop
    reach: Reach
    clients: Sequence[Client]
    leftovers: Leftovers
    services: dict[str, Object] = field(default_factory=dict)
    pod: Object = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    wrong: dict[int, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    restarts: int = 0
    deleted: int = 0
    disturbed: set[str] = field(default_factory=set)
    """Addresses of Pods that were deleted in the background."""

    def start(self) -> None:
        """What the Nodes hold is counted; Services and both Deployments made, their Pods Ready."""
        shop = self.workshop
        self.leftovers.count_where_one_may()
        for name in SERVICES:
            self.services[name] = shop.create(shop.service(name, app=MOVING))
        for app, count in ((MOVING, 1), (RESTLESS, RESTLESS_COUNT)):
            template = shop.echo_pod("template", "windows", app=app)
            shop.create(workload("Deployment", app, template, replicas=count, selector={"app": app}))
        self.pod = self._up(MOVING, 1, "")[0]
        self._up(RESTLESS, RESTLESS_COUNT, "")

    def replace(self, times: int) -> None:
        """Delete the Pod and look at its successor, `times` times, with deletions in the background throughout."""
        with self._unrest():
            for cycle in range(1, times + 1):
                self._told_of_addresses(cycle)
                if len(self.wrong) >= BAD_ENOUGH or sum(self.seconds) > WHOLE_SECONDS:
                    break

    def _told_of_addresses(self, cycle: int) -> None:
        """One replacement; where the new Pod does not come up, who had its address before is told."""
        try:
            self._cycle(cycle)
        except AbilityNotMet as error:
            pods = self.workshop.cluster.list("Pod", self.workshop.namespace)
            raise with_former_owners(error, pods, self.used) from error

    def every_successor_must_have_answered(self) -> None:
        """Each new Pod answered by its own IP and by Service, and resolved a name; the figures are reported."""
        self._figures()
        if bad := [leg for leg in self.legs if not leg.judgement.good]:
            finding = finding_of(bad, self.legs, self.reach.windows_nodes)
            seen = [f"cycle {cycle}: {what}" for cycle, what in self.wrong.items()]
            raise AbilityNotMet(
                replace(
                    finding,
                    what="A Pod that replaced another does not answer, or resolves nothing",
                    expected="every new Pod answers by its own IP and by Service, and resolves a name",
                    seen="\n".join([f"{len(self.wrong)} of {len(self.seconds)} replacements", *seen, finding.seen]),
                )
            )
        if grows(self.seconds, by_factor=STEEPER, by_seconds=SLOWER_SECONDS):
            raise AbilityNotMet(self._slower())
        if sum(self.seconds) > WHOLE_SECONDS:
            raise AbilityNotMet(self._too_long())

    def nothing_must_be_left(self) -> None:
        """One Pod, one endpoint, nothing restarted, nothing stuck on its way out; the background at rest, and it was
        none before.
        """
        self.pod = self._up(MOVING, 1, "")[0]
        timeouts = self.workshop.context.timeouts
        expected = frozenset((self.pod["status"]["podIP"], port) for port in (HTTP_PORT, UDP_PORT))
        for name in SERVICES:
            slices.must_offer(self.workshop.cluster, self.workshop.namespace, name, expected, timeouts=timeouts)
        self._must_be_alone(MOVING, 1, [self.pod])
        if self.restarts:
            where = f"Deployment {self.workshop.namespace}/{MOVING}"
            raise AbilityNotMet(
                Finding("Replaced Pods were restarted", where, "restartCount 0", f"{self.restarts} restarts in all")
            )
        self._must_be_alone(RESTLESS, RESTLESS_COUNT, self._up(RESTLESS, RESTLESS_COUNT, ""))
        self._must_have_been_unrest()

    def must_route_at_last(self) -> None:
        """Every client reaches the last Pod by every Service, and it holds: what churn has left stays by now."""
        targets = [self.workshop.exposed(self.services[name], [self.pod]).by_cluster_ip() for name in SERVICES]
        self.reach.every(self.clients, targets, after_change=True)

    def nodes_must_hold_no_more(self) -> None:
        """Nothing of the Pods that were replaced is left on their Nodes: endpoints, remote endpoints, shims."""
        if self.leftovers.before:
            self.leftovers.addresses = {*self.used, *self.disturbed}
            self.leftovers.must_be_none()

    def _must_be_alone(self, app: str, count: int, kept: Sequence[Object]) -> None:
        """So many Pods of a Deployment are left, and none on its way out."""
        shop = self.workshop
        try:
            wait_for(
                shop.cluster, "Pod", shop.namespace, lambda pods: len(pods) == count or None, labels=f"app={app}",
                within=shop.context.timeouts.real("object_deleted"),
            )  # fmt: skip
        except WatchTimeout as error:
            raise AbilityNotMet(self._stuck(error.last or [], kept)) from error

    def _must_have_been_unrest(self) -> None:
        """What went well without deletions in the background shows nothing of what was promised."""
        least = max(1, len(self.seconds) // BACKGROUND)
        if self.deleted < least:
            where = f"Deployment {self.workshop.namespace}/{RESTLESS}"
            raise CouldNotTell(
                Finding("The deletions in the background did not go on", where,
                        f"at least {least} beside {len(self.seconds)} replacements", f"{self.deleted} Pods deleted",
                        "may Pods be listed and deleted throughout? without them the cluster was at rest", code="api")
            )  # fmt: skip

    def _cycle(self, cycle: int) -> None:
        old, began = self.pod, time.monotonic()
        grace = None if cycle == WITH_DEFAULT_GRACE else 0
        self.used[old["status"]["podIP"]] = f"{old['metadata']['name']} on {old['spec']['nodeName']}"
        self.workshop.delete("Pod", old["metadata"]["name"], grace=grace)
        self.pod = self._up(MOVING, 1, old["metadata"]["uid"])[0]
        self.seconds.append(self.workshop.context.timeouts.cluster(time.monotonic() - began))
        self.restarts += sum(one.get("restartCount", 0) for one in self.pod["status"]["containerStatuses"])
        pairs = self._pairs()
        legs = together(self.workshop.threads, self._leg, pairs)
        self.reach.record(legs)
        if bad := [leg for leg in legs if not leg.judgement.good]:
            self.legs += legs  # a cycle that went well, on another Node, clears nobody
            meta, ip = self.pod["metadata"], self.pod["status"]["podIP"]
            before = f"; {ip} was used by {self.used[ip]}" if ip in self.used else ""
            paths = ", ".join(f"{leg.client.place.node} by {leg.target.path}" for leg in bad)
            self.wrong[cycle] = f"{meta['name']} {ip} on {self.pod['spec']['nodeName']}: {paths}{before}"

    def _leg(self, pair: tuple[Client, Target]) -> Leg:
        """A Service's proxies may know the old Pod for a while; the Pod's own address has no old one."""
        client, target = pair
        return self.reach.observer.leg(client, target, "warm_up", after_change=bool(target.direct))

    def _pairs(self) -> list[tuple[Client, Target]]:
        """Every client to the Pod, in turn one of them to one of its Services, and the Pod to the cluster's DNS."""
        turn = len(self.seconds)
        quick = replace(pod_target(self.pod), hold_tries=2, hold_pause=0)
        service = self.services[SERVICES[turn // len(self.clients) % len(SERVICES)]]  # each client to each of them
        by_service = replace(
            self.workshop.exposed(service, [self.pod]).by_cluster_ip(), hold_tries=2, hold_pause=0
        )
        pairs: list[tuple[Client, Target]] = [(client, quick) for client in self.clients]
        pairs.append((self.clients[turn % len(self.clients)], by_service))
        facts = self.workshop.context.facts
        if facts.dns_ip and self._api:
            name = f"kubernetes.default.svc.{facts.dns_domain}."
            pairs.append((self._inside(), lookup(name, frozenset({self._api}), hold_tries=2)))
        return pairs

    @property
    def _api(self) -> str:
        """The IPv4 address of the API's own Service, empty where it has none."""
        address = str(self.workshop.cluster.get("Service", "kubernetes", "default")["spec"]["clusterIP"])
        return "" if ":" in address else address

    def _inside(self) -> Client:
        return Client.of(self.pod, self.workshop.context.facts.node(self.pod["spec"]["nodeName"]))

    def _up(self, app: str, count: int, not_uid: str) -> list[Object]:
        """So many Ready Pods of a Deployment, none with that UID; raises AbilityNotMet, or CouldNotTell."""

        def met(pods: list[Object]) -> list[Object] | None:
            found = [pod for pod in pods if ready(pod) and pod["metadata"]["uid"] != not_uid]
            return found if len(found) >= count else None

        shop = self.workshop
        try:
            return wait_for(
                shop.cluster, "Pod", shop.namespace, met, labels=f"app={app}",
                within=shop.context.timeouts.real("pods_ready"),
            )  # fmt: skip
        except WatchTimeout as error:
            late = [pod for pod in error.last or [] if not ready(pod) and not pod["metadata"].get("deletionTimestamp")]
            try:
                shop.pods_up([pod["metadata"]["name"] for pod in late])  # explains what is not up
            except CouldNotTell as told:
                raise as_judged(told) from error
            raise self._none_came(app, error.last or []) from error

    @contextmanager
    def _unrest(self) -> Iterator[None]:
        """While it lasts, a Pod of the restless Deployment is deleted every few seconds."""
        over = threading.Event()
        worker = threading.Thread(target=self._disturb, args=(over,), name="unrest", daemon=True)
        worker.start()
        try:
            yield
        finally:
            over.set()
            worker.join()
            self.workshop.recorder.figure("Pods deleted in the background", self.deleted)

    def _disturb(self, over: threading.Event) -> None:
        shop = self.workshop
        while not over.wait(max(EVERY_SECONDS * shop.context.timeouts.scale, 0.1)):
            try:
                pods = [pod for pod in shop.cluster.list("Pod", shop.namespace, labels=f"app={RESTLESS}") if ready(pod)]
                for pod in pods[:1]:
                    self.disturbed.add(pod["status"]["podIP"])
                    self.deleted += shop.cluster.delete("Pod", pod["metadata"]["name"], shop.namespace, grace=0)
            except ApiError:
                continue  # the background is no part of the question; the next beat comes

    def _figures(self) -> None:
        recorder = self.workshop.recorder
        recorder.figure("replacements", len(self.seconds))
        for name, part in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
            recorder.figure(f"{name} seconds from deletion to a Ready successor", percentile(self.seconds, part))

    def _slower(self) -> Finding:
        parts = [self.seconds[:10], self.seconds[-10:]]
        first, last = (percentile(part, 0.5) for part in parts)
        where = f"Deployment {self.workshop.namespace}/{MOVING}"
        return Finding(
            "Replacing a Pod takes longer and longer", where, "the last ten replacements as quick as the first ten",
            f"median {first:.0f} s at 1 to 10, {last:.0f} s at the last ten",
            "look for what piles up on the Windows Nodes: HNS endpoints, containers, handles",
        )  # fmt: skip

    def _too_long(self) -> Finding:
        where = f"Deployment {self.workshop.namespace}/{MOVING}"
        return Finding(
            "Replacing Pods takes too long", where, f"all replacements within {WHOLE_SECONDS:g} s",
            f"{len(self.seconds)} took {sum(self.seconds):.0f} s, the median {percentile(self.seconds, 0.5):.0f} s",
            "look at how long the runtime of the Windows Nodes takes for a sandbox and for a container",
        )  # fmt: skip

    def _stuck(self, pods: Sequence[Object], kept: Sequence[Object]) -> Finding:
        left = [pod for pod in pods if pod["metadata"]["uid"] not in {one["metadata"]["uid"] for one in kept}]
        nodes = nodes_of(left)
        return Finding(
            "Replaced Pods stay behind", ", ".join(pod["metadata"]["name"] for pod in left[:5]), f"{len(kept)} Pods",
            f"{len(pods)} Pods, {sum(bool(pod['metadata'].get('deletionTimestamp')) for pod in left)} Terminating",
            f"look at kubelet and containerd on {', '.join(nodes)}", nodes,
        )  # fmt: skip

    def _none_came(self, app: str, pods: Sequence[Object]) -> Exception:
        """The Nodes were not asked where the API server refused the successor: a webhook, a quota, Pod Security."""
        shop = self.workshop
        where = f"Deployment {shop.namespace}/{app}"
        expected = f"a Ready successor within {shop.context.timeouts.pods_ready:g} s"
        events = shop.cluster.list("Event", shop.namespace) if not pods else []
        if words := [str(one.get("message")) for one in events if one.get("reason") == "FailedCreate"]:
            what = "The API server refuses the Pods of a controller"
            return CouldNotTell(Finding(what, where, expected, f"FailedCreate: {words[-1]}", code="api"))
        seen = "; ".join(f"{pod['metadata']['name']} {pod['status'].get('phase')}" for pod in pods) or "no Pod"
        return AbilityNotMet(Finding("A deleted Pod was not replaced", where, expected, seen, code="pods"))
