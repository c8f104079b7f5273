"""The boot ids that a test is held against: those with which it began."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.cluster.api import Cluster
from op_readiness.model.errors import OpReadinessError
from op_readiness.suite.plugin import CONTEXT, boots_before


class Nodes:
    """One Windows Node that boots when it is told to."""

    boot_id = "21"

    def list(self, kind: str, labels: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": "win-1"}, "status": {"nodeInfo": {"bootID": self.boot_id}}}]


@pytest.fixture
def config() -> Any:
    """A worker that has not run a test."""
    made = SimpleNamespace(stash=pytest.Stash())
    made.stash[CONTEXT] = SimpleNamespace(kubeconfig="k")
    return made


def test_boot_ids_are_those_with_which_each_test_begins(config, monkeypatch):
    """Those of a worker's first test too: its pass may begin hours after the preflight. The cluster is opened once."""
    nodes, opened = Nodes(), []
    monkeypatch.setattr(Cluster, "open", lambda kubeconfig: opened.append(kubeconfig) or nodes)
    assert boots_before(config) == {"win-1": "21"}
    nodes.boot_id = "22"
    assert boots_before(config) == {"win-1": "22"}
    assert opened == ["k"]


def test_a_cluster_that_cannot_be_opened_is_told_by_the_test_that_needs_it(config, monkeypatch):
    """Not by the worker's end."""

    def gone(kubeconfig):
        raise OpReadinessError(kubeconfig)

    monkeypatch.setattr(Cluster, "open", gone)
    assert boots_before(config) == {}
