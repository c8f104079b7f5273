"""What a Job needs next. Pure functions over counts, so that a self-test needs no API server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from op_readiness.simulator.api import Object

INDEX = "batch.kubernetes.io/job-completion-index"
REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
BACKOFF = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 600.0  # seconds, of the Job controller


@dataclass(frozen=True)
class Tally:
    """Pods of a Job: active ones, ended ones, and restarts of containers that count as failures."""

    active: int
    succeeded: int
    failed: int
    restarts: int = 0


def verdict(spec: Object, tally: Tally, active_seconds: float) -> tuple[str, tuple[str, str]] | None:
    """("Complete" or "Failed", (reason, message)), or None while it goes on."""
    completions = spec.get("completions")
    if tally.failed > spec.get("backoffLimit", 6) or tally.restarts > spec.get("backoffLimit", 6):
        return "Failed", BACKOFF
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and active_seconds >= deadline:
        return "Failed", DEADLINE
    enough = tally.succeeded > 0 and tally.active == 0
    done = enough if completions is None else tally.succeeded >= completions
    return ("Complete", REACHED) if done else None


def wanted_active(spec: Object, tally: Tally) -> int:
    """How many Pods should be active now."""
    if spec.get("suspend"):
        return 0
    parallelism, completions = int(spec.get("parallelism", 1)), spec.get("completions")
    if completions is None:
        return tally.active if tally.succeeded else parallelism
    return max(0, min(parallelism, int(completions) - tally.succeeded))


def backoff(failures: int) -> float:
    """Seconds to wait after the last failure before the next Pod is made."""
    return 0.0 if failures == 0 else min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** (failures - 1))


def free_indexes(completions: int, taken: Iterable[int], count: int) -> list[int]:
    """The lowest indexes of an Indexed Job that have neither succeeded nor an active Pod."""
    gone = set(taken)
    return [index for index in range(completions) if index not in gone][:count]


def index_text(indexes: Iterable[int]) -> str:
    """Indexes as a Job's status spells them: `1,3-5`."""
    spans: list[list[int]] = []
    for index in sorted(set(indexes)):
        if spans and index == spans[-1][1] + 1:
            spans[-1][1] = index
        else:
            spans.append([index, index])
    return ",".join(_span(first, last) for first, last in spans)


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"


def unsupported(spec: Object) -> str | None:
    """The first field that this controller does not know, or None."""
    fields = ("podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes")
    return next((field for field in fields if spec.get(field) is not None), None)
