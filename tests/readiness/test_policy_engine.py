"""NetworkPolicy where nothing enforces it: a skip with its source; where Linux alone does, a failure."""

from __future__ import annotations

import pytest

from tests.product import run

pytestmark = pytest.mark.cluster
ABILITY = "np-namespace-ingress"
NOWHERE = """\
name: nothing-enforces-policies
title: The cluster has no policy engine
report: kubernetes.io, concepts/services-networking/network-policies
steps:
  - {state: ACL, point: lookup, do: remove}
"""


def test_a_cluster_without_an_engine_is_not_judged(tmp_path):
    """Neither Linux nor Windows Pods obey, and no engine is found: not applicable, with the source."""
    (tmp_path / "fault.yaml").write_text(NOWHERE)
    words = ("--provider", "simulated", "--nodes", "windows=1,linux=1", "--fault-file", "fault.yaml")
    ran = run(*words, "--ability", ABILITY, folder=tmp_path)
    result = ran.results[ABILITY]
    assert (result["outcome"], result["skip_reason"]) == ("skipped", "not applicable"), ran.said
    assert "neither on Linux nor on Windows Nodes" in result["skip_why"]
    assert "kubernetes.io" in result["skip_why"]


def test_windows_that_does_not_obey_where_linux_does_fails(tmp_path):
    """The Linux control obeys, so the cluster can: the finding says so, with the truth table."""
    words = ("--provider", "simulated", "--nodes", "windows=1,linux=1", "--fault", "policy-not-enforced-on-windows")
    ran = run(*words, "--ability", ABILITY, folder=tmp_path)
    result = ran.results[ABILITY]
    assert (ran.code, result["outcome"]) == (1, "failed"), ran.said
    seen = result["findings"][0]["seen"]
    assert "the Linux Pods follow" in seen and "no/yes !" in seen, seen
    assert result["findings"][0]["nodes"] == ["win-1"]


@pytest.mark.parametrize(
    ("ability", "fault", "node", "words"),
    [
        ("np-policy-update-delete", "policy-changes-come-late", "win-1", "change 1: deny"),
        ("np-policy-update-delete", "policy-returns-on-new-pods", "win-1", "(late)"),
        ("np-cross-os", "policy-allows-not-installed-on-linux", "linux-1", "-> x/b linux linux-1"),
    ],
)  # fmt: skip
def test_the_finding_names_the_node_and_the_change(tmp_path, ability, fault, node, words):
    """Which Node, which form of the policy, and who was let in or not."""
    ran = run("--provider", "simulated", "--nodes", "windows=2,linux=2", "--fault", f"{fault}:node={node}",
              "--ability", ability, folder=tmp_path)  # fmt: skip
    result = ran.results[ability]
    assert result["outcome"] == "failed", ran.said
    found = result["findings"][0]
    assert found["nodes"] == [node]
    assert words in found["where"] + found["seen"] and "within 60 s" in found["expected"]
