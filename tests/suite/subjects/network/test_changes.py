"""Proxies and DNS servers that hear of a change some seconds late: a Node whose tries are lost only so long is well."""

from __future__ import annotations

import runpy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import categories
from op_readiness.model.clock import TurnedClock
from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.reach import Reach
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Answers, Client
from op_readiness.observe.traffic import Observer
from op_readiness.suite.making import Workshop
from op_readiness.suite.subjects.network.names import ClusterNames, OutsideNames
from op_readiness.suite.subjects.network.slice_routing import SliceRouting

from ..storage.bench import bench

NODE = NodeFact("win-1", "windows", "10.0.20348")
CLIENT = Client.at("n", "client-win-1", NODE)
PODS = [{"metadata": {"name": f"pod{n}", "namespace": "n"}, "spec": {"nodeName": "win-1"},
         "status": {"podIP": f"10.244.1.{n}"}} for n in (1, 2)]  # fmt: skip
TEST = Path(categories.__file__).parent / "core_network" / "test_endpoints.py"
LOST = Answer(28, "curl: (28) timed out")


@dataclass
class Late:
    """Answers each series rightly, but for `seconds` of the cluster after a change two tries of its hold are lost."""

    seconds: float
    right: Any
    timeouts: Timeouts = field(default_factory=Timeouts)
    changed: float = -1000.0
    spent: float = 0.0

    def change(self) -> None:
        self.changed = self.spent

    def ask(self, client: Any, asks: Any) -> Answers:
        answers = Answers()
        for one in asks:
            answers[one.key] = [Answer(0, self.right(one.command, n)) for n in range(one.times)]
            if one.key == "hold" and self.spent < self.changed + self.seconds:
                answers[one.key][2:4] = [LOST, LOST]
        answers.seconds = 10.0
        self.spent += answers.seconds
        return answers


def reach(late: Late, threads: Any) -> Reach:
    return Reach(Observer(late, TurnedClock()), Recorder(), threads, frozenset({"win-1"}))  # type: ignore[arg-type]


class Routing(SliceRouting):
    """Two Services; slices are made again at once, and the Node's kube-proxy hears of it late."""

    late: Late

    def slices_must_list(self) -> None:
        """They do."""

    def slices_must_come_back(self) -> None:
        """They do, and traffic stops for a while."""
        self.late.change()

    def removed_pod_must_get_no_more(self) -> None:
        """It does not."""


def by_name(command: str, n: int) -> str:
    return "pod1" if "10.96.0.1:" in command else f"pod{n % 2 + 1}"


@pytest.mark.parametrize(("seconds", "well"), [(0, True), (5, True), (1000, False)])
def test_a_kube_proxy_may_take_its_time_when_slices_were_made_again(monkeypatch, seconds, well):
    """The Node's load balancer is away for some seconds after the API shows new slices; after half a minute no more."""
    monkeypatch.setattr("op_readiness.suite.ability", lambda id: lambda test: test)
    routing = runpy.run_path(str(TEST))["test_services_route_to_the_pods_of_their_endpoint_slices"]
    context = SimpleNamespace(facts=SimpleNamespace(dns_domain="cluster.local"))
    with ThreadPoolExecutor(2) as threads:
        late = Late(seconds, by_name)
        workshop = Workshop(None, context, "net-x", Recorder(), threads, None)  # type: ignore[arg-type]
        test = Routing(workshop, reach(late, threads), [CLIENT], [NODE], PODS)
        test.late = late
        test.services = {
            name: {"metadata": {"name": name, "namespace": "n"}, "spec": {"clusterIP": f"10.96.0.{n}"}}
            for n, name in enumerate(("example-int-port", "example-named-port"), 1)
        }
        if well:
            routing(test)
            return
        with pytest.raises(AbilityNotMet, match="tries lost"):
            routing(test)


@pytest.mark.parametrize(("seconds", "well"), [(0, True), (25, True), (1000, False)])
def test_a_dns_server_that_heard_late_of_an_external_name_may_keep_that_in_its_cache(seconds, well):
    """It answers that there is no such name for as long as its zone says, and the other servers what is right."""
    says = {"made": "CNAME foo.example.com.", "bar": "CNAME bar.example.com.", "ip": "A 10.96.0.9"}
    now = ["made"]
    with ThreadPoolExecutor(2) as threads, bench() as made:
        late = Late(seconds, lambda command, n: f"x.\t5\tIN\t{says[now[0]]}")
        late.change()

        def patch(kind: str, name: str, namespace: str, body: Any) -> Any:
            now[0] = "bar" if body["spec"].get("externalName") else "ip"
            late.change()
            return {"spec": {"clusterIP": "10.96.0.9"}}

        made.cluster.patch = patch  # type: ignore[method-assign]
        made.cluster.list = lambda kind, namespace="", labels="": []  # type: ignore[method-assign]
        names: Any = ClusterNames(
            made.cluster, made.workshop.context.facts, late, reach(late, threads), Recorder(), "n", [CLIENT]  # type: ignore[arg-type]
        )  # fmt: skip
        test = OutsideNames(names, made.workshop, [])
        if well:
            test.external_name_must_follow()
            return
        with pytest.raises(AbilityNotMet, match="tries lost"):
            test.external_name_must_follow()
