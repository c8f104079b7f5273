"""Verdicts and exit codes follow from results."""

import pytest

from op_readiness.model.findings import Finding, Outcome, Part, Place, PodProof, Proof
from op_readiness.model.results import CategoryResult, Result, RunResult, Verdict


def category(*outcomes, gating=True, planned=0):
    results = [Result(f"a-{n}", "Core.Network", "", outcome, gating=gating) for n, outcome in enumerate(outcomes)]
    return CategoryResult("Core.Network", results, planned)


@pytest.mark.parametrize(
    ("outcomes", "verdict", "code"),
    [
        ([Outcome.PASSED], Verdict.READY, 0),
        ([Outcome.PASSED, Outcome.FAILED, Outcome.ERROR], Verdict.NOT_READY, 1),
        ([Outcome.PASSED, Outcome.ERROR], Verdict.UNDETERMINED, 3),
        ([Outcome.SKIPPED], Verdict.UNDETERMINED, 3),
        ([], Verdict.UNDETERMINED, 3),
        ([Outcome.PASSED, Outcome.SKIPPED], Verdict.READY, 0),
    ],
)
def test_verdict_of_a_category(outcomes, verdict, code):
    """A failure decides, an error leaves it open, nothing passed is never ready."""
    run = RunResult("r", "", "0", [category(*outcomes)])
    assert (run.verdict, run.exit_code()) == (verdict, code)


def test_partial_is_said_and_strict_makes_it_3():
    """A skipped gating ability shows in the verdict's words."""
    run = RunResult("r", "", "0", [category(Outcome.PASSED, Outcome.SKIPPED)])
    assert run.categories[0].sentence() == "ready (partial: 1 of 2)"
    assert run.exit_code(strict=True) == 3


def test_planned_abilities_make_a_category_partial():
    """What has no test yet was not tested."""
    assert category(Outcome.PASSED, planned=6).sentence() == "ready (partial: 1 of 7)"


def test_no_category_is_undetermined():
    """An empty run is never ready."""
    assert RunResult("r", "", "0", []).exit_code() == 3


def test_a_signal_has_its_own_exit_code():
    """Ctrl-C is 130, SIGTERM 143, whatever was found so far."""
    assert RunResult("r", "", "0", [category(Outcome.FAILED)], interrupted="SIGINT").exit_code() == 130
    assert RunResult("r", "", "0", [], interrupted="SIGTERM").exit_code() == 143


def test_a_run_survives_json():
    """Everything comes back as it was, nested records included."""
    part = Part(
        "ClusterIP", Place("win-1", "windows", "10.0.20348", "n", "p"), "Service n/s", Outcome.FAILED, reason="x"
    )
    proof = Proof("pods", (PodProof("u", "n", "p", "win-1", "windows", "10.0.20348", "i", "d", "exec", "yes"),))
    result = Result("id", "Core.Network", "d", Outcome.FAILED, findings=[Finding("w", "h", "e", "s", nodes=("win-1",))])
    result.parts, result.proof = [part], proof
    run = RunResult("r", "now", "0", [CategoryResult("Core.Network", [result])])
    assert RunResult.from_dict(run.to_dict()) == run


def test_a_proof_of_linux_pods_alone_does_not_hold():
    """A pass proves Windows."""
    linux = PodProof("u", "n", "p", "linux-1", "linux", "6.1", "i", "d", "exec", "yes")
    assert not Proof("pods", (linux,)).holds


def test_what_does_not_gate_warns():
    """A failure of it is no verdict's: neither beside others nor in a category in which nothing gates."""
    failed = Result("w", "Extend.Worker", "d", Outcome.FAILED, gating=False)
    passed = Result("p", "Extend.Worker", "d", Outcome.PASSED)
    alone, beside = CategoryResult("Extend.Worker", [failed]), CategoryResult("Extend.Worker", [failed, passed])
    assert (alone.verdict, alone.sentence()) == (Verdict.READY, "ready (nothing gates; 1 warning)")
    assert (beside.verdict, beside.sentence()) == (Verdict.READY, "ready (1 warning)")
    assert RunResult("r", "now", "0", [alone]).exit_code() == 0


def test_nothing_found_out_is_undetermined_even_where_nothing_gates():
    """An error says nothing, so it is no readiness either."""
    lost = Result("w", "Extend.Worker", "d", Outcome.ERROR, gating=False)
    assert CategoryResult("Extend.Worker", [lost]).verdict is Verdict.UNDETERMINED
    some = CategoryResult("Core.Scheduling", [Result("b", "c", "d", Outcome.PASSED, gating=False)], not_selected=4)
    assert some.verdict is Verdict.UNDETERMINED
