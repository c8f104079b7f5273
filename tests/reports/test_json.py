"""report.json and its JSON Schema."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import jsonschema
import pytest

from op_readiness.model.findings import Finding, Outcome, Part, Place, PodProof, Proof
from op_readiness.model.results import CategoryResult, Result, RunResult
from op_readiness.reports.json import SCHEMA, document, read, render_json, schema


def test_the_document_follows_its_schema(run, hostile):
    """An ordinary run and a hostile one."""
    jsonschema.Draft202012Validator.check_schema(schema())
    for one in (run, hostile, RunResult("r", "", "0", [])):
        jsonschema.validate(json.loads(render_json(one)), schema())


def strict(part: Any) -> Any:
    """The schema with every object closed: finds what it forgot to describe."""
    if isinstance(part, dict):
        closed = {key: strict(value) for key, value in part.items()}
        if part.get("type") == "object" and "properties" in part and "additionalProperties" not in part:
            closed["additionalProperties"] = False
        return closed
    return [strict(item) for item in part] if isinstance(part, list) else part


def test_every_field_is_described(run):
    """A field of the model that the schema does not know fails here."""
    jsonschema.validate(document(run), strict(schema()))


@pytest.mark.parametrize(
    ("model", "name"),
    [(RunResult, None), (CategoryResult, "category"), (Result, "result"), (Finding, "finding"), (Part, "part"),
     (Place, "place"), (Proof, "proof")],
)  # fmt: skip
def test_the_schema_names_the_fields_of_the_model(model, name):
    """No more and no fewer, but for what is computed."""
    described = schema()["$defs"][name] if name else schema()
    computed = {"schema", "verdict", "exit_code", "sentence", "partial", "warning"}
    computed |= {"warnings"} if model is CategoryResult else set()
    fields = {field.name for field in dataclasses.fields(model)}

    assert set(described["properties"]) - computed == fields
    assert dataclasses.fields(PodProof)[0].name == "uid"


def test_a_wrong_document_does_not_follow_it(run):
    """The schema can say no."""
    data = document(run)
    data["categories"][0]["results"][0]["outcome"] = "fine"

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())


def test_it_is_read_back_as_it_was(run):
    """The same run, the same verdicts."""
    again = read(render_json(run))

    assert again == run
    assert json.loads(render_json(run))["exit_code"] == 1


def test_another_version_is_refused():
    """With what is known."""
    with pytest.raises(ValueError, match=r"schema is 'x/v9', 'op-readiness.dev/report/v1' is known"):
        read(json.dumps({"schema": "x/v9"}))
    assert SCHEMA == "op-readiness.dev/report/v1"


def test_hostile_text_and_figures_are_plain_json(hostile):
    """ASCII, no NaN, no lone surrogate."""
    text = render_json(hostile)

    assert text.isascii()
    assert "NaN" not in text
    json.dumps(json.loads(text), ensure_ascii=False).encode()


def test_a_warning_is_told_of_the_ability_and_counted_in_its_category():
    """Of what is not met and does not gate."""
    warned = Result("wk-node-ping", "Extend.Worker", "d", Outcome.FAILED, gating=False)
    category = document(RunResult("r", "now", "0", [CategoryResult("Extend.Worker", [warned])]))["categories"][0]
    assert (category["warnings"], category["results"][0]["warning"]) == (1, True)
