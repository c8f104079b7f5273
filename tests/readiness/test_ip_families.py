"""Extend.Network: one family, both, and Windows Nodes that lack what the cluster has."""

from __future__ import annotations

import pytest

from op_readiness.cluster.api import Cluster
from tests.product import run

pytestmark = pytest.mark.cluster
SMALL = ("--provider", "simulated", "--nodes", "windows=1,linux=1")


def test_on_a_cluster_of_one_family_the_other_is_named_and_not_passed(tmp_path):
    """Services are judged for IPv4, IPv6 is a part not tested; dual stack is not applicable, with its source."""
    ran = run(*SMALL, "--single-stack", "--category", "Extend.Network", folder=tmp_path)
    assert ran.code == 0, ran.said
    assert "--single-stack" in ran.report["command"]
    outcomes = {id: result["outcome"] for id, result in ran.results.items()}
    dual = ran.results["xn-dual-stack"]
    assert (outcomes.pop("xn-dual-stack"), dual["skip_reason"]) == ("skipped", "not applicable")
    assert "the cluster is not dual-stack" in dual["skip_why"] and "kubernetes.io" in dual["skip_why"]
    assert len(outcomes) == 4 and set(outcomes.values()) == {"passed"}, ran.said
    for id in outcomes:
        parts = ran.results[id]["parts"]
        assert {part["family"] for part in parts if part["outcome"] == "passed"} == {"IPv4"}, id
        left_out = [part for part in parts if part["outcome"] == "skipped"]
        assert [part["family"] for part in left_out] == ["IPv6"] and "not configured" in left_out[0]["reason"]


@pytest.mark.parametrize(
    ("fault", "ability", "words"),
    [
        ("node-without-ipv6-address:node=win-1", "xn-dual-stack", "Nodes have no IPv6 address"),
        ("pods-without-ipv6-address:node=win-1", "xn-clusterip-windows-from-linux", "Pods have no IPv6 address"),
    ],
)
def test_what_the_cluster_has_and_windows_lacks_is_a_failure(fault, ability, words, tmp_path):
    """Never a skip: the Service range and the Linux Nodes have IPv6."""
    ran = run(*SMALL, "--fault", fault, "--ability", ability, folder=tmp_path)
    result = ran.results[ability]
    assert (ran.code, result["outcome"]) == (1, "failed"), ran.said
    assert result["findings"][0]["what"].startswith(words)
    assert result["findings"][0]["nodes"] == ["win-1"]
    assert "--single-stack" not in ran.out


def test_an_overlay_has_no_ipv6_by_design(up, tmp_path):
    """Windows Nodes that say they are in an overlay: dual stack and IPv6 are not applicable, IPv4 is judged."""
    kubeconfig = up("--nodes", "windows=1,linux=1")
    annotate(kubeconfig, "win-1", "flannel.alpha.coreos.com/backend-type", "vxlan")
    words = ("--kubeconfig", kubeconfig, "--timeout-scale", "0.05")
    chosen = ("xn-dual-stack", "xn-nodeport-linux-from-windows")
    ran = run(*words, "--ability", ",".join(chosen), folder=tmp_path)
    dual, ports = (ran.results[id] for id in chosen)
    assert (dual["outcome"], dual["skip_reason"]) == ("skipped", "not applicable"), ran.said
    assert "overlay" in dual["skip_why"] and "windows-networking" in dual["skip_why"]
    left_out = [part for part in ports["parts"] if part["outcome"] == "skipped"]
    assert ports["outcome"] == "passed" and "overlay" in left_out[0]["reason"], ran.said


def annotate(kubeconfig: str, node: str, name: str, value: str) -> None:
    Cluster.open(kubeconfig).patch("Node", node, "", {"metadata": {"annotations": {name: value}}})
