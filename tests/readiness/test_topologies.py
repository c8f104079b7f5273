"""The whole suite without what takes minutes: on mixed builds, and where CI has one Windows Node and no Linux worker.

On either each ability of the catalogue gives a verdict or a skip of a declared reason. One that is skipped and not in
the table, or in the table and not skipped, is a hole.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.product import ROOT, Ran, run
from tests.readiness.conftest import objects_in, start_cluster

pytestmark = pytest.mark.cluster
SCALE = ("--timeout-scale", "0.1")
"""Twice the default's, where there are four Nodes: beside other self-tests that computes more than it waits."""
SUITE = ("--disruptive", "--gate", "Extend.Worker", "--skip-tags", "slow")
DOMAIN = {
    "domain": "corp.example", "credSpecName": "webapp01", "dcHost": "dc1.corp.example",
    "smbUncAllowed": r"\\files.corp.example\apps", "smbUncDenied": r"\\files.corp.example\finance",
}  # fmt: skip
"""What `simulate up` tells of its domain."""
BUILDS = {"win-2019": "10.0.17763", "win-2022": "10.0.20348", "win-2025": "10.0.26100"}
MIXED: list[dict[str, str]] = [
    {"name": "win-2019", "os": "windows", "build": BUILDS["win-2019"], "runtime": "containerd://1.6.36"},
    {"name": "win-2022", "os": "windows", "build": BUILDS["win-2022"]},
    {"name": "win-2025", "os": "windows", "build": BUILDS["win-2025"]},
    {"name": "linux-1", "os": "linux"},
]
CI = ("--provider", "simulated", "--nodes", "windows=1,control-plane=1,linux=0", "--single-stack")

SLOW = ("left out by tag", "--skip-tags slow")
NO_LINUX = ("too few Nodes", "requires 1 Linux Node that takes Pods, this run has none (control-plane-1 is kept for")
ONE_WINDOWS = ("too few Nodes", "requires 2 Windows Nodes that take Pods, this run has 1")
ONE_FAMILY = ("not applicable", "the cluster is not dual-stack: Services and Linux Nodes have one family")
LEFT_OUT = dict.fromkeys(
    (
        "con-reschedule-50", "hp-rejoin-after-reboot", "net-service-recreate", "sch-cpu-limit", "sch-memory-limit",
        "sto-config-volumes", "sto-reboot-all-nodes", "sto-service-account-rotation", "sto-service-recreate",
        "sto-subpath-cleanup",
    ),
    SLOW,
)  # fmt: skip
SKIPPED_IN_CI = LEFT_OUT | {
    "net-linux-nodeport-from-windows": NO_LINUX,
    "net-linux-service-from-windows": NO_LINUX,
    "net-linux-to-windows-pod-ip": NO_LINUX,
    "net-source-ip": ONE_WINDOWS,
    "net-windows-nodeport-from-linux": NO_LINUX,
    "net-windows-service-from-linux": NO_LINUX,
    "net-windows-to-linux-pod-ip": NO_LINUX,
    "np-cross-os": NO_LINUX,
    "xn-clusterip-linux-from-windows": NO_LINUX,
    "xn-clusterip-windows-from-linux": NO_LINUX,
    "xn-dual-stack": ONE_FAMILY,
    "xn-nodeport-linux-from-windows": NO_LINUX,
    "xn-nodeport-windows-from-linux": NO_LINUX,
}
BETWEEN = {("between Windows Nodes", "one Windows Node is tested"), ("from Linux", "no Linux Node takes Pods")}
NOTHING_TO_COMPARE = "missing input: no Linux Node takes Pods, so there is nothing to compare with"
PATHS_LEFT_OUT_IN_CI = {"net-dns-external": {("outside name", NOTHING_TO_COMPARE)}} | dict.fromkeys(
    (
        "con-ten-clusterip", "con-ten-pods-at-once", "net-distinct-pod-ips-same-node", "net-endpointslice-routing",
        "net-node-pod", "net-pod-ip-windows", "net-statefulset-routed-endpoints", "net-windows-service-clusterip",
    ),
    BETWEEN,
)  # fmt: skip
PATHS_LEFT_OUT_OF_MIXED = {
    "hp-volume-mounts": {
        ("runtime", "volumes at their mount paths need containerd 1.7 or later, win-2019 has containerd://1.6.36")
    },
    "net-session-affinity": {
        ("ClusterIP with affinity", "build 10.0.17763 has no session affinity (kubernetes.io, reference/networking/"
         "virtual-ips and windows-networking: affinity from Server 2022 on)")
    },
}  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """A run of the whole suite, and what stood in the cluster before and after where that outlives it."""

    ran: Ran
    before: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)

    @property
    def verdicts(self) -> dict[str, str]:
        """Category -> verdict."""
        return {category["name"]: category["verdict"] for category in self.ran.report["categories"]}

    @property
    def passed(self) -> dict[str, dict[str, Any]]:
        """Ability -> its result, of those that passed."""
        return {id: one for id, one in self.ran.results.items() if one["outcome"] == "passed"}

    def paths_left_out(self) -> dict[str, set[tuple[str, str]]]:
        """Ability that passed -> the paths that it did not test, and why."""
        found = {
            id: {(part["path"], part["reason"]) for part in result["parts"] if part["outcome"] == "skipped"}
            for id, result in self.passed.items()
        }
        return {id: paths for id, paths in found.items() if paths}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Three builds of Windows, one of them with an old containerd, and both IP families."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "nodes.yaml").write_text(yaml.safe_dump(MIXED))
    told = [word for name, value in DOMAIN.items() for word in ("--input", f"gmsa.{name}={value}")]
    with ExitStack() as stack:
        kubeconfig = start_cluster(stack, folder / "up", *SCALE, "--nodes", str(folder / "nodes.yaml"))
        before = objects_in(kubeconfig)
        ran = run("--kubeconfig", kubeconfig, "--yes", *SCALE, *SUITE, *told, folder=folder, patience=600)
        return Suite(ran, before, objects_in(kubeconfig))


@pytest.fixture(scope="module")
def ci(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """The cluster of a CI job: one Windows Node, a tainted control plane, IPv4."""
    return Suite(run(*CI, *SUITE, folder=tmp_path_factory.mktemp("ci"), patience=600))


def catalogue() -> dict[str, list[str]]:
    """Ability -> its tags, of all categories."""
    files = sorted((ROOT / "categories").glob("*/spec.yaml"))
    cases = [case for file in files for case in yaml.safe_load(Path(file).read_text("utf-8"))["testCases"]]
    return {case["id"]: case.get("tags", []) for case in cases}


def must_be_as_declared(suite: Suite, skips: dict[str, tuple[str, str]]) -> None:
    """Every ability of the catalogue passed, or is skipped with exactly the declared reason."""
    results = suite.ran.results
    assert set(results) == set(catalogue()), suite.ran.said
    others = {id: one["outcome"] for id, one in results.items() if one["outcome"] not in ("passed", "skipped")}
    assert not others, suite.ran.said
    skipped = {id: (one["skip_reason"], one["skip_why"]) for id, one in results.items() if one["outcome"] == "skipped"}
    assert set(skipped) == set(skips)
    for id, (reason, why) in skips.items():
        assert skipped[id][0] == reason and skipped[id][1].startswith(why), (id, skipped[id])


def test_what_is_left_out_is_what_is_slow():
    """The table names each, so that nobody marks an ability slow and loses it here unseen."""
    assert set(LEFT_OUT) == {id for id, tags in catalogue().items() if "slow" in tags}


def test_one_windows_node_and_no_linux_worker(ci):
    """A verdict or a declared skip for each; one category cannot be judged there at all, and says so."""
    must_be_as_declared(ci, SKIPPED_IN_CI)
    assert ci.paths_left_out() == PATHS_LEFT_OUT_IN_CI
    assert ci.verdicts.pop("Extend.Network") == "undetermined"
    assert (ci.ran.code, ci.ran.report["leftovers"]) == (3, []), ci.ran.said
    assert {verdict for name, verdict in ci.verdicts.items() if name != "Extend.Network"} == {"ready"}


def test_mixed_builds(mixed):
    """Nothing is skipped but what is left out; what a build or a runtime lacks is a path not tested, and why."""
    must_be_as_declared(mixed, LEFT_OUT)
    assert mixed.paths_left_out() == PATHS_LEFT_OUT_OF_MIXED
    assert mixed.ran.code == 0 and set(mixed.verdicts.values()) == {"ready"} and len(mixed.verdicts) == 9
    domain = next(one for one in mixed.ran.report["categories"] if one["name"] == "Extend.ActiveDirectory")
    assert domain["partial"] is False, mixed.ran.said
    notes = [note for result in mixed.passed.values() for note in result["notes"]["texts"]]
    assert any("write emptyDir works in 6 Pods (recorded, not judged)" in note for note in notes)


def test_every_result_is_proved(mixed):
    """Windows Pods with UID, Node, build, image digest and their own answer stand behind each pass, or kubelets, or the
    API server's own answer where that is what is judged.
    """
    for ability, result in mixed.passed.items():
        proof = result["proof"]
        pods = [pod for pod in proof["pods"] if pod["os"] == "windows"]
        nodes = [*pods, *proof["nodes"]]
        assert nodes or (proof["kind"] == "api" and proof["api"]), ability
        for one in nodes:
            assert one["build"] == BUILDS[one["node"]] and one["answer"], (ability, one)
        for pod in pods:
            assert pod["uid"].count("-") == 4 and "@sha256:" in pod["image_id"], (ability, pod)


def test_every_build_was_tested(mixed):
    """All Windows Nodes are named as tested, in the report and in each result that is about Nodes."""
    assert mixed.ran.report["nodes_selected"] == list(BUILDS)
    for ability, result in mixed.passed.items():
        if result["proof"]["kind"] != "api":
            assert (result["nodes_tested"], result["nodes_not_tested"]) == (list(BUILDS), []), ability


def test_every_path_of_the_network_was_asked(mixed):
    """Each path says from where, to where and how often it was asked; nothing was lost silently."""
    network = {id: one for id, one in mixed.passed.items() if one["category"] == "Core.Network"}
    assert len(network) == 19
    for ability, result in network.items():
        assert result["seconds"] > 0 and result["attempts"] == 1
        for part in result["parts"]:
            assert part["path"] and part["target"] and part["source"]["node"], (ability, part)
        assert any(part["tries"] for part in result["parts"]), ability


def test_junit_has_a_case_for_each_ability(mixed):
    """JUnit parses; its counts are those of its cases."""
    junit = mixed.ran.junit
    cases = list(junit.iter("testcase"))
    assert len(cases) == len(catalogue()) == int(junit.get("tests") or 0)
    assert {case.get("classname") for case in cases} == set(mixed.verdicts)
    assert not [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    ids = {found.get("value") for case in cases for found in case.iter("property") if found.get("name") == "id"}
    assert ids == set(mixed.ran.results)


def test_the_report_says_that_it_was_simulated(mixed):
    """Screen, JSON and JUnit all say that this is no word about real Windows Nodes."""
    assert mixed.ran.report["simulated"] is True
    assert mixed.ran.out.count("SIMULATED") >= 2
    assert any("SIMULATED" in (found.get("value") or "") for found in mixed.ran.junit.iter("property"))


def test_nothing_is_left(mixed):
    """The cluster holds what it held before, object by object."""
    assert mixed.after == mixed.before
    assert mixed.ran.report["leftovers"] == []
