"""Runs to report: one with everything in it, and one full of hostile text."""

from __future__ import annotations

import pytest

from op_readiness.model.findings import Finding, Notes, Outcome, Part, Place, PodProof, Proof
from op_readiness.model.results import CategoryResult, Result, RunResult

HOSTILE = (
    "\x1b[31mred\x1b[0m \x00 \x07 ]]> <b>&amp;</b> [bold]x[/bold] \ud800 \ufffe "
    "\x9b31m \u202eevil\u202c a\r\nb\tc"
)


def result(id: str, outcome: Outcome, category: str = "Core.Network", **fields: object) -> Result:
    return Result(id, category, f"Ability to {id}", outcome, **fields)  # type: ignore[arg-type]


@pytest.fixture
def finding() -> Finding:
    return Finding(
        what="Service is not reachable by ClusterIP",
        where="Pod opr-7f3a/client (Node win-1) -> Service opr-7f3a/echo 10.96.0.12:80",
        expected="HTTP 200 from one of echo-0, echo-1 within 60 s",
        seen="12 connect timeouts\nthe EndpointSlices offer 2 ready addresses",
        hint="kubectl -n kube-system logs kube-proxy-windows-x2k",
        nodes=("win-1",),
        command="kubectl exec client -- curl http://10.96.0.12",
    )


@pytest.fixture
def run(finding: Finding) -> RunResult:
    """Every outcome, a flaky pass, a partial category, Nodes not tested, leftovers."""
    win = Place("win-1", "windows", "10.0.20348", "opr-7f3a", "client")
    pod = PodProof("u1", "opr-7f3a", "client", "win-1", "windows", "10.0.20348", "agnhost:2", "sha256:1", "exec", "ok")
    network = [
        result("net-pass", Outcome.PASSED, seconds=12.0, nodes_tested=["win-1", "win-2"],
               proof=Proof("pods", pods=(pod,)), notes=Notes(["slow DNS"], {"p50 seconds": 0.25})),
        result("net-fail", Outcome.FAILED, seconds=61.5, findings=[finding],
               evidence={"evidence/net-fail/events.txt": "Events"},
               parts=[Part("ClusterIP", win, "10.96.0.12:80", Outcome.FAILED, reason="TIMEOUT", tries=10, lost=10),
                      Part("ClusterIP", win, "10.96.0.13:80", Outcome.PASSED)]),
        result("net-error", Outcome.ERROR,
               findings=[Finding("Pods did not come up", "Node win-2", "Running", "Pending")]),
        result("net-skip", Outcome.SKIPPED, skip_reason="too few Nodes",
               skip_why="requires 3 Windows Nodes; there are 2"),
        result("net-flaky", Outcome.PASSED, flaky=True, attempts=2, seconds=3.0),
    ]  # fmt: skip
    storage = [result("sto-pass", Outcome.PASSED, "Core.Storage", seconds=1.0)]
    nodes = [
        {"name": "win-1", "os": "windows", "build": "10.0.20348",
         "os_image": "Windows Server 2022", "kubelet": "v1.37.2"},
        {"name": "win-2", "os": "windows", "build": "10.0.26100", "ready": False},
        {"name": "linux-1", "os": "linux", "build": "6.8", "schedulable": False},
    ]  # fmt: skip
    return RunResult(
        run_id="7f3a", started="2026-11-25T02:47:41Z", version="0.1.0",
        categories=[CategoryResult("Core.Network", network), CategoryResult("Core.Storage", storage, planned=2)],
        facts={"server": "https://10.0.0.1:6443",
               "version": "v1.37.2", "context": "prod", "user": "me", "nodes": nodes},
        provider="local", seconds=200.0, leftovers=["Namespace opr-7f3a"], warnings=["2 webhook deadlines"],
        command="op-readiness --provider local", report_dir="report", nodes_selected=["win-1"],
        windows_nodes=["win-1", "win-2"], seed="42",
    )  # fmt: skip


@pytest.fixture
def hostile() -> RunResult:
    """Text from containers, in every place where text may stand, a megabyte of it in one."""
    finding = Finding(HOSTILE, HOSTILE, HOSTILE, HOSTILE + "x" * 1_000_000, HOSTILE, (HOSTILE,), HOSTILE)
    bad = Result(HOSTILE, HOSTILE, HOSTILE, Outcome.FAILED, findings=[finding], evidence={HOSTILE: HOSTILE},
                 notes=Notes([HOSTILE * 10_000], {HOSTILE: float("nan")}))  # fmt: skip
    error = Result("e", HOSTILE, HOSTILE, Outcome.ERROR, findings=[finding])
    skipped = Result("s", HOSTILE, HOSTILE, Outcome.SKIPPED, skip_reason=HOSTILE, skip_why=HOSTILE)
    return RunResult("id" + HOSTILE, HOSTILE, HOSTILE, [CategoryResult(HOSTILE, [bad, error, skipped])],
                     facts={"server": HOSTILE, "nodes": [{"name": HOSTILE, "os": "windows", "build": HOSTILE}]},
                     warnings=[HOSTILE], leftovers=[HOSTILE], command=HOSTILE)  # fmt: skip
