"""Extend.ActiveDirectory as a user runs it: what has to be told, what a fault turns, and that no twin is ignored."""

from __future__ import annotations

import pytest

from tests.product import Running, run, wait_for

pytestmark = pytest.mark.cluster
SMALL = ("--nodes", "windows=2,linux=1")
GMSA = ("ad-gmsa-domain-identity", "ad-gmsa-storage", "ad-no-credentials-denied")
TOLD = r"""gmsa:
  domain: corp.example
  credSpecName: webapp01
  smbUncAllowed: \\files.corp.example\apps
"""


def faulted(tmp_path, fault, *abilities):
    words = [word for ability in abilities for word in ("--ability", ability)]
    return run("--provider", "simulated", *SMALL, "--fault", fault, *words, folder=tmp_path)


def test_a_cluster_of_which_nothing_was_told_is_not_tested_for_its_domain(tmp_path):
    """Skipped with the words of what to give; with them the same cluster is tested."""
    kubeconfig = tmp_path / "kubeconfig"
    with Running("simulate", "up", *SMALL, "--kubeconfig-out", str(kubeconfig), folder=tmp_path):
        wait_for("the kubeconfig", lambda: kubeconfig.exists() and kubeconfig.read_text())
        same = ("--kubeconfig", str(kubeconfig), "--timeout-scale", "0.05", "--yes", "--ability", "ad-gmsa-storage")
        without = run(*same, folder=tmp_path)
        skipped = without.results["ad-gmsa-storage"]
        assert (without.code, skipped["skip_reason"]) == (3, "missing input"), without.said
        assert "--input gmsa.domain=..." in skipped["skip_why"] and "--config FILE with gmsa:" in skipped["skip_why"]
        (tmp_path / "readiness.yaml").write_text(TOLD)
        told = run(*same, "--config", "readiness.yaml", folder=tmp_path)
        assert (told.code, told.results["ad-gmsa-storage"]["outcome"]) == (0, "passed"), told.said
        assert told.report["leftovers"] == []
        known = told.report["facts"]
        assert (known["gmsa_versions"], known["gmsa_webhook"]) == (["v1"], "windows-gmsa")


def test_a_success_line_beside_an_error_is_no_pass(tmp_path):
    """nltest ends with 0 and `completed successfully`; status 1311 decides, and the denial's twin is shut out too."""
    ran = faulted(tmp_path, "gmsa-no-logon-servers:node=win-2", *GMSA)
    outcomes = {ability: ran.results[ability]["outcome"] for ability in GMSA}
    assert outcomes == dict(zip(GMSA, ("failed", "failed", "error"), strict=True)), ran.said
    finding = ran.results[GMSA[0]]["findings"][0]
    assert finding["nodes"] == ["win-2"] and "1311" in finding["seen"]
    assert ran.results[GMSA[2]]["findings"][0]["code"] == "twin"


def test_a_broken_channel_beside_working_tickets_passes_with_a_note(tmp_path):
    """Two witnesses: what tickets and look-ups show is not undone by one status."""
    ran = faulted(tmp_path, "gmsa-channel-alone-broken:node=win-1", GMSA[0])
    result = ran.results[GMSA[0]]
    assert (ran.code, result["outcome"]) == (0, "passed"), ran.said
    assert any("1787" in note and "win-1" in note for note in result["notes"]["texts"])


def test_an_expired_certificate_of_the_webhook_accuses_the_webhook(tmp_path):
    """Red for the ability that judges it, with the scope; an error for those that need Pods only."""
    ran = faulted(tmp_path, "gmsa-webhook-certificate-expired", GMSA[0], "ad-runasnonroot")
    first, other = ran.results[GMSA[0]], ran.results["ad-runasnonroot"]
    assert (first["outcome"], other["outcome"]) == ("failed", "error"), ran.said
    assert "a Pod without a GMSA is refused too" in first["findings"][0]["seen"]
    assert all("windows-gmsa" in one["findings"][0]["seen"] for one in (first, other))
