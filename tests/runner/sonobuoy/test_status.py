"""What the aggregator's annotation comes to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from op_readiness.model.errors import OpReadinessError, UsageError
from op_readiness.runner.sonobuoy.status import ANNOTATION, status_of


def pods(text: str | None) -> list[dict[str, Any]]:
    annotations = {} if text is None else {ANNOTATION: text}
    return [{"metadata": {"name": "sonobuoy", "annotations": annotations}}]


def annotated(msg: str = "", status: str = "complete", result: str = "", **progress: Any) -> list[dict[str, Any]]:
    entry = {"plugin": "op-readiness", "node": "global", "status": status, "result-status": result,
             "result-counts": None, "progress": {"name": "op-readiness", "msg": msg, **progress}}  # fmt: skip
    return pods(json.dumps({"plugins": [{"plugin": "e2e", "status": "failed"}, entry], "status": "complete"}))


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (annotated("verdict: ready", result="passed"), 0, "ready"),
        (annotated("verdict: ready", result="failed"), 0, "counts it as failed"),
        (annotated("verdict: not ready", result="failed"), 1, "not ready"),
        (annotated("verdict: undetermined", result="failed"), 3, "undetermined"),
        (annotated("verdict: ready", result="unknown"), 3, "undetermined"),
        (annotated("", result="passed"), 0, "ready"),
        (annotated("", result="failed"), 1, "not ready"),
        (annotated("", result="passed: 3, warn: 1"), 3, "warn: 1"),
        (annotated("failed [Core.Network] a", status="running", total=9, completed=2, failures=["a"]), 3,
         "2 did not fail, 1 failed, 6 remaining"),
        (annotated("verdict: ready"), 3, "running"),
        (annotated("", status="failed"), 3, "failed without results"),
        (annotated("passed [Core.Network] a", status="failed", result="failed"), 3, "failed without results"),
    ],
)  # fmt: skip
def test_the_annotation_is_an_exit_code(given, code, said):
    """The run's own verdict where there are results, else Sonobuoy's status."""
    text, seen = status_of(given, "sonobuoy", "op-readiness")
    assert (seen, said in text, len(text.splitlines())) == (code, True, 1), text


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([], OpReadinessError, "no Pod with label"),
        (pods(None), OpReadinessError, "no annotation"),
        (pods("{"), OpReadinessError, "cannot be read"),
        (pods("[1]"), OpReadinessError, "cannot be read"),
        (pods('{"plugins": [3]}'), OpReadinessError, "cannot be read"),
        (pods('{"plugins": null}'), UsageError, "there is none"),
        (pods('{"plugins": [{"plugin": "e2e\\u001b[31m"}]}'), UsageError, "there is e2e:"),
    ],
)
def test_an_annotation_that_says_nothing(given, error, said):
    """One line, whatever stands there."""
    with pytest.raises(error, match=r"^[^\n\x1b]*$") as raised:
        status_of(given, "sonobuoy", "op-readiness")
    assert said in str(raised.value)
