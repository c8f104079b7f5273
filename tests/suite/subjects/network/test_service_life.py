"""A sibling Service that notices, late or for a while, that another one on the same Pods is deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from types import SimpleNamespace

import pytest

from op_readiness.model.errors import AbilityNotMet
from op_readiness.model.facts import NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.judging import Try, judge
from op_readiness.observe.reach import Reach
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Client
from op_readiness.observe.targets import Exposed
from op_readiness.observe.traffic import Leg
from op_readiness.suite.subjects.network.service_life import Recreation

NODE = NodeFact("win-1", "windows", "10.0.20348")
CLIENT = Client.at("ns", "client-win-1", NODE)
PODS = [
    {"metadata": {"name": name, "namespace": "ns"}, "spec": {"nodeName": node}, "status": {"podIP": ip}}
    for name, node, ip in (("a", "win-1", "10.244.1.5"), ("b", "win-2", "10.244.2.5"), ("c", "win-2", "10.244.2.6"))
]
LONGEST = 5.0


def service(name, ip):
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": {"clusterIP": ip, "ports": []}}


class Node:
    """A Node to which the deletion comes only after the sibling has been asked; `harm` is what it does to that one."""

    def __init__(self, harm):
        self.harm, self.arrived, self.asked, self.again = harm, Event(), Event(), Event()

    def fallen_silent(self, client, target, within):
        self.asked.wait(LONGEST)
        self.arrived.set()
        return True, "", 25.0

    def leg(self, client, target, within, *, after_change=False):
        names = ["a", "b", "c"]
        if self.arrived.is_set():
            self.again.wait(LONGEST)  # as long as a series takes
            names = ["a"] if self.harm == "shrunk" else names
        return Leg(client, target, judge(target.expected, [Try(True, "a")], [Try(True, n) for n in names], []), 0, "")

    def names_during(self, client, target, tries):
        late = self.arrived.is_set()
        self.asked.set()
        names = ["", "", "a"] if late and self.harm == "silent" else ["a", "b", "c"]
        if late:
            self.again.set()
        return names

    def seconds(self, within):
        return 1.0


@contextmanager
def recreation(node):
    cluster = SimpleNamespace(list=lambda *_, **__: [], watch=None)
    with ThreadPoolExecutor(2) as threads:
        recorder = Recorder()
        workshop = SimpleNamespace(
            cluster=cluster, namespace="ns", recorder=recorder, context=SimpleNamespace(timeouts=Timeouts()),
            delete=lambda *_: None, create=lambda manifest: service("again", "10.96.0.7"), service=lambda *_, **__: {},
            exposed=lambda made, pods: Exposed(made, tuple(pods)),
        )  # fmt: skip
        made = Recreation(workshop, Reach(node, recorder, threads, frozenset({"win-1", "win-2"})), [CLIENT], [NODE])
        made.service, made.sibling, made.pods = service("again", "10.96.0.7"), service("sibling", "10.96.0.8"), PODS
        made.must_route = lambda: None
        yield made


@pytest.mark.parametrize("harm", ["silent", "shrunk"])
def test_a_sibling_must_not_notice_a_deletion_however_late_it_arrives(monkeypatch, harm):
    """Neither tries lost for a while nor backends lost for good, both after a first look had found it well."""
    monkeypatch.setattr("op_readiness.observe.slices.must_become", lambda *_, **__: None)
    with recreation(Node(harm)) as made, pytest.raises(AbilityNotMet) as caught:
        made.cycle(watch_sibling=True)
    [finding] = caught.value.findings
    assert "sibling" in finding.what and "reference counts" in finding.hint


def test_a_sibling_that_notices_nothing_is_well(monkeypatch):
    """And where nobody asks for it, nobody looks at it."""
    monkeypatch.setattr("op_readiness.observe.slices.must_become", lambda *_, **__: None)
    with recreation(Node("")) as made:
        made.cycle(watch_sibling=True)
    node = Node("silent")
    node.asked.set()
    with recreation(node) as made:
        made.cycle()
    assert not node.again.is_set()
