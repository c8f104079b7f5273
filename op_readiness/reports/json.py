"""report.json: the whole RunResult as data, versioned, for programs. `report.schema.json` beside this file says what
each field means; within one version fields are only added.
"""

from __future__ import annotations

import json
import math
import re
from importlib.resources import files
from typing import Any

from op_readiness.model.results import RunResult
from op_readiness.reports.footer import verdict_of

SCHEMA = "op-readiness.dev/report/v1"
_SURROGATE = re.compile("[\ud800-\udfff]")


def render_json(run: RunResult) -> str:
    """The document; ASCII, so that nothing in a text can break a reader."""
    return json.dumps(document(run), indent=2, default=str) + "\n"


def document(run: RunResult) -> dict[str, Any]:
    """The run as JSON-ready data, the verdicts and the exit code that follow from it included."""
    data = {"schema": SCHEMA, **run.to_dict(), "exit_code": run.exit_code()}
    for entry, category in zip(data["categories"], run.categories, strict=True):
        entry["sentence"] = verdict_of(category, run)
    fit: dict[str, Any] = _fit(data)
    return fit


def read(text: str) -> RunResult:
    """The run of a report.json; raises ValueError for another document or a version that is not known."""
    data = json.loads(text)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise ValueError(f"not a report of this version: schema is {schema!r}, {SCHEMA!r} is known")
    return RunResult.from_dict(data)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    found: dict[str, Any] = json.loads(files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8"))
    return found


def _fit(value: Any) -> Any:
    """Lone surrogates spelled out: many JSON readers refuse them. NaN and infinities, which JSON lacks, become null."""
    if isinstance(value, str):
        return _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):04x}", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(_fit(str(key))): _fit(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fit(item) for item in value]
    return value
