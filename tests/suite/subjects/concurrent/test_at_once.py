"""Ten Pods at once: the first thing that they are asked, and what becomes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from op_readiness.model.facts import Facts, NodeFact
from op_readiness.model.timeouts import Timeouts
from op_readiness.observe.recorder import Recorder
from op_readiness.observe.shell import Answer, Answers
from op_readiness.suite.subjects.concurrent import at_once
from op_readiness.suite.subjects.concurrent.at_once import COUNT, AtOnce

NODE = NodeFact("win-1", "windows", "10.0.20348")


def started(cluster, namespace, names, **_):
    meta = [{"name": name, "namespace": namespace, "uid": name} for name in names]
    return {m["name"]: {"metadata": m, "spec": {"nodeName": "win-1"}, "status": {"podIP": "10.244.1.5"}} for m in meta}


@pytest.mark.parametrize(("dns_ip", "asked"), [("10.96.0.10", COUNT), ("", 0)])
def test_new_pods_are_asked_for_a_name_before_anything_else(monkeypatch, dns_ip, asked):
    """Right when they are ready, and not after others have had answers of them."""
    did, recorder = [], Recorder()

    def ask(client, asks):
        did.append(client.pod)
        return Answers({one.key: [Answer(0, "at 1000\nx")] for one in asks})

    def watch(made, *_):
        made.started["density-0-0"] = 1.0

    monkeypatch.setattr(at_once, "wait_for_pods", started)
    monkeypatch.setattr(AtOnce, "_watch", watch)
    facts = Facts("https://10.0.0.1", "v1.37.2", nodes=(NODE,), dns_ip=dns_ip, dns_domain="cluster.local")
    with ThreadPoolExecutor(4) as threads:
        workshop = SimpleNamespace(
            namespace="ns", recorder=recorder, threads=threads, create_all=lambda made: None,
            context=SimpleNamespace(facts=facts, timeouts=Timeouts()), must_be_where_sent=lambda pods: None,
            cluster=SimpleNamespace(get=lambda *_: {"spec": {"clusterIP": "10.96.0.1"}}),
            echo_pod=lambda name, *_, **__: {"metadata": {"name": name, "labels": {}}, "spec": {}},
        )  # fmt: skip
        asker = SimpleNamespace(ask=ask, timeouts=Timeouts())
        made = AtOnce(workshop, None, SimpleNamespace(asker=asker), [NODE], [])
        made.must_start()
    assert len(did) == asked and (made.names is None) is not bool(asked)
