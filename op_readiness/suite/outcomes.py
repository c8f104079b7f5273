"""From what a readiness test raised, wherever it raised it, to its outcome."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field

from op_readiness.cluster.errors import ApiError
from op_readiness.model.abilities import Ability
from op_readiness.model.errors import AbilityNotMet, CouldNotTell, NotApplicable, NotTested
from op_readiness.model.findings import Finding, Outcome, Proof
from op_readiness.model.results import Result
from op_readiness.observe.recorder import Recorder


@dataclass
class Raised:
    """Exceptions of one test by pytest's phase (setup, call, teardown)."""

    by_phase: dict[str, BaseException] = field(default_factory=dict)

    @property
    def first(self) -> BaseException | None:
        """What decides: an exception of setup or call. A failed teardown is told apart, as a warning."""
        return self.by_phase.get("setup") or self.by_phase.get("call")

    @property
    def cleaning(self) -> BaseException | None:
        """What went wrong while cleaning up."""
        return self.by_phase.get("teardown")


def result_of(
    ability: Ability,
    raised: Raised,
    recorder: Recorder,
    proof: Proof,
    *,
    seconds: float,
    attempt: int,
    nodes: list[str],
) -> Result:
    """The result of one test. `nodes` are the selected Windows Nodes."""
    result = Result(
        ability.id, ability.category, ability.description, Outcome.PASSED, gating=ability.gating,
        parts=list(recorder.parts), proof=proof, notes=recorder.notes, seconds=round(seconds, 2), attempts=attempt,
        flaky=attempt > 1,
    )  # fmt: skip
    touched = {part.source.node for part in recorder.parts} | {part.target_node for part in recorder.parts}
    touched |= {pod.node for pod in proof.pods} | {answer.get("node", "") for answer in proof.nodes}
    result.nodes_tested = [node for node in nodes if node in touched]
    result.nodes_not_tested = [node for node in nodes if node not in touched]
    _judge(result, raised.first, proof)
    if raised.cleaning is not None:
        result.notes.texts.append(f"cleaning up: {_one_line(raised.cleaning)}")
    if result.outcome is not Outcome.PASSED:
        result.flaky = False
    return result


def _judge(result: Result, error: BaseException | None, proof: Proof) -> None:
    if error is None and not proof.holds:
        result.outcome = Outcome.ERROR
        result.findings = [_no_proof(result, proof)]
    elif isinstance(error, AbilityNotMet):
        result.outcome, result.findings = Outcome.FAILED, list(error.findings)
    elif isinstance(error, CouldNotTell):
        result.outcome, result.findings = Outcome.ERROR, list(error.findings)
    elif isinstance(error, (NotApplicable, NotTested)):
        result.outcome, result.skip_reason, result.skip_why = Outcome.SKIPPED, str(error.reason), str(error)
    elif isinstance(error, ApiError):
        result.outcome, result.findings = Outcome.ERROR, [_unanswered(error)]
    elif error is not None:
        result.outcome, result.findings = Outcome.ERROR, [_unexpected(error)]


def _no_proof(result: Result, proof: Proof) -> Finding:
    seen = ", ".join(f"{pod.pod} on {pod.node} ({pod.os})" for pod in proof.pods) or "no Pod that answered"
    expected = {
        "pods": "a Windows Pod that answered",
        "node": "an answer of a Windows Node's kubelet",
        "api": "an answer of the API server",
    }
    return Finding(
        "Not proven: nothing shows that Windows took part", result.ability, expected[proof.kind], seen, code="no-proof"
    )


def _unanswered(error: ApiError) -> Finding:
    what = "The API server gave no usable answer"
    return Finding(what, str(error.call), "what was asked for", str(error), code="api")


def _unexpected(error: BaseException) -> Finding:
    last = traceback.extract_tb(error.__traceback__)
    where = f"{last[-1].filename.rpartition('/')[2]}:{last[-1].lineno}" if last else "unknown"
    return Finding("The test itself went wrong", where, "no exception", _one_line(error), code="exception")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:600]
