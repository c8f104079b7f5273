"""One fault for each state of the simulated cluster, as a user puts it in: the verdict turns and says where and why."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.product import run

pytestmark = pytest.mark.cluster


@dataclass(frozen=True)
class Case:
    """A state, a fault of it, an ability that meets it, and how the run must end."""

    state: str
    fault: str
    ability: str
    outcome: str = "failed"
    nodes: str = "windows=2,linux=1"

    @property
    def code(self) -> int:
        return {"failed": 1, "error": 3}[self.outcome]


NODE = "win-1"
CASES = (
    Case("CHAN", "exec-never-returns:node=win-1", "net-windows-to-linux-pod-ip", "error"),
    Case("LB", "nodeport-missing-on-node:node=win-1", "net-linux-nodeport-from-windows"),
    Case("REP", "remote-endpoint-points-elsewhere:node=win-1", "net-pod-ip-windows", nodes="windows=3,linux=1"),
    Case("EP", "pod-without-adapter:node=win-1", "net-linux-to-windows-pod-ip"),
    Case("ROUTE", "windows-to-linux-pod-ip-lost:node=win-1", "net-windows-to-linux-pod-ip"),
    Case("DNS", "dns-over-tcp-blocked:node=win-1", "net-dns-cluster"),
    Case("IMG", "image-cannot-be-pulled:node=win-1", "net-windows-service-from-linux", "error"),
    Case("API", "api-answers-500", "net-pod-ip-windows", "error"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.state)
def test_a_fault_turns_the_verdict(case, tmp_path):
    """The exit code follows the outcome; the finding names the Node, what was expected, what was seen."""
    words = ("--provider", "simulated", "--fault", case.fault, "--nodes", case.nodes)
    ran = run(*words, "--ability", case.ability, folder=tmp_path)
    assert ran.code == case.code, ran.said
    result = ran.results[case.ability]
    assert result["outcome"] == case.outcome
    assert result["findings"]
    for finding in result["findings"]:
        assert finding["what"] and finding["expected"] and finding["seen"], finding
    if NODE in case.fault:
        assert {node for finding in result["findings"] for node in finding["nodes"]} == {NODE}
    heading = {"failed": "not met", "error": "could not be judged"}[case.outcome]
    block = ran.out.partition(heading)[2].partition("Verdict")[0]
    assert all(finding["what"] in block and finding["where"] in block for finding in result["findings"]), ran.said
    assert f"--fault {case.fault}" in block and f"--ability {case.ability}" in block, block
    assert ran.report["leftovers"] == [], ran.said
    problem = ran.junit.find(".//" + {"failed": "failure", "error": "error"}[case.outcome])
    assert problem is not None
    assert result["findings"][0]["what"] in f"{problem.get('message')} {problem.text}"
