"""Core.Network on a healthy cluster: everything passes, everything is proved, nothing is left."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.product import Ran, run
from tests.readiness.conftest import objects_in, start_cluster

pytestmark = pytest.mark.cluster
ABILITIES = 20
"""Sixteen of KEP-2578, and four beyond it."""
SCALE = ("--timeout-scale", "0.1")
"""Twice the default's: twenty abilities beside other self-tests compute more than they wait."""


@dataclass(frozen=True)
class Healthy:
    """The run, and what stood in the cluster before and after."""

    ran: Ran
    before: set[str]
    after: set[str]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Healthy:
    """One run that all tests here look at."""
    folder = tmp_path_factory.mktemp("healthy")
    with ExitStack() as stack:
        kubeconfig = start_cluster(stack, folder / "up", *SCALE)
        before = objects_in(kubeconfig)
        ran = run("--kubeconfig", kubeconfig, *SCALE, "--category", "Core.Network", folder=folder)
        return Healthy(ran, before, objects_in(kubeconfig))


def test_all_abilities_pass(healthy):
    """Exit code 0, and the verdict is not partial."""
    assert healthy.ran.code == 0, healthy.ran.said
    category = healthy.ran.report["categories"][0]
    assert (category["name"], category["verdict"], category["partial"]) == ("Core.Network", "ready", False)
    outcomes = {ability: result["outcome"] for ability, result in healthy.ran.results.items()}
    assert (len(outcomes), set(outcomes.values())) == (ABILITIES, {"passed"})


def test_every_result_is_proved_by_windows_pods(healthy):
    """A Windows Pod with UID, Node, build, image digest and its own answer stands behind each pass."""
    for ability, result in healthy.ran.results.items():
        proofs = [pod for pod in result["proof"]["pods"] if pod["os"] == "windows"]
        assert proofs, ability
        for pod in proofs:
            assert pod["node"] in ("win-1", "win-2")
            assert pod["build"] == {"win-1": "10.0.20348", "win-2": "10.0.26100"}[pod["node"]]
            assert pod["uid"].count("-") == 4 and "@sha256:" in pod["image_id"] and pod["answer"], (ability, pod)


def test_every_result_has_its_paths_and_figures(healthy):
    """Each path says from where, to where and how often it was asked; nothing was lost silently."""
    for ability, result in healthy.ran.results.items():
        assert result["parts"], ability
        assert result["seconds"] > 0 and result["attempts"] == 1
        for part in result["parts"]:
            assert part["path"] and part["target"] and part["source"]["node"], (ability, part)
            assert part["outcome"] == "passed"
        assert any(part["tries"] for part in result["parts"]), ability


def test_every_windows_node_was_tested(healthy):
    """Both Windows Nodes are named as tested, in the report and in each result."""
    assert healthy.ran.report["nodes_selected"] == ["win-1", "win-2"]
    for ability, result in healthy.ran.results.items():
        assert result["nodes_tested"] == ["win-1", "win-2"], ability
        assert result["nodes_not_tested"] == []


def test_junit_has_a_case_for_each_ability(healthy):
    """JUnit parses; its counts are those of its cases."""
    junit = healthy.ran.junit
    cases = list(junit.iter("testcase"))
    assert len(cases) == ABILITIES == int(junit.get("tests"))
    assert {case.get("classname") for case in cases} == {"Core.Network"}
    assert not [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    ids = {found.get("value") for case in cases for found in case.iter("property") if found.get("name") == "id"}
    assert ids == set(healthy.ran.results)


def test_the_report_says_that_it_was_simulated(healthy):
    """Screen, JSON and JUnit all say that this is no word about real Windows Nodes."""
    assert healthy.ran.report["simulated"] is True
    assert healthy.ran.out.count("SIMULATED") >= 2
    assert any("SIMULATED" in (found.get("value") or "") for found in healthy.ran.junit.iter("property"))


def test_nothing_is_left(healthy):
    """The cluster holds what it held before, object by object."""
    assert healthy.after == healthy.before
    assert healthy.ran.report["leftovers"] == []
