"""Labels that every object of a run carries, so that one selector finds what a killed run left."""

from __future__ import annotations

RUN = "op-readiness.dev/run"
ABILITY = "op-readiness.dev/ability"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "op-readiness"


def run_labels(run_id: str, ability: str = "", **more: str) -> dict[str, str]:
    """Labels of an object made by run `run_id`, for `ability` or (empty) for the run itself."""
    labels = {MANAGED_BY: MANAGER, RUN: run_id, **more}
    return {**labels, ABILITY: ability} if ability else labels


def own_namespace(run_id: str) -> str:
    """The run's own Namespace: holds its Lease and its undo journal, and is deleted last."""
    return f"opr-{run_id}"
