"""The gate before a job, fed with events as GitHub sends them, hostile ones among them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.bot import gate
from hack.bot.comments import JOBS, MOST, asked_in, help_text
from hack.bot.gate import decide
from hack.bot.github import GitHub

HERE = Path(__file__).parent
PAYLOAD = json.loads((HERE / "payload.json").read_text("utf-8"))
CASES = yaml.safe_load((HERE / "payloads.yaml").read_text("utf-8"))
HEAD = "a" * 40


class Api:
    """GitHub as a case says that it answers; keeps what was done."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._case, self.comments, self.statuses = case, [], []

    def permission(self, login: str) -> str:
        return self._case.get("permission", "write")

    def pull(self, number: int) -> dict[str, Any]:
        assert number == 7
        return {"state": self._case.get("state", "open"), "head": {"sha": self._case.get("head", HEAD)}}

    def pushed_at(self, number: int, sha: str) -> str:
        return self._case.get("pushed", "2026-03-01T09:00:00Z")

    def comment(self, number: int, text: str) -> None:
        self.comments.append((number, text))

    def status(self, sha: str, job: str, state: str, text: str) -> None:
        self.statuses.append((sha, job, state))


def laid_over(base: Any, over: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: laid_over(base.get(key), value) for key, value in over.items()}}


def event_of(case: dict[str, Any]) -> dict[str, Any]:
    event = copy.deepcopy(PAYLOAD)
    body = case["body"]
    event["comment"]["body"] = body.replace("LONG", "x\n" * MOST) if body else body
    return laid_over(event, case.get("event", {}))


def test_there_are_enough_payloads():
    """Each with a name of its own and one expectation."""
    assert len(CASES) >= 25 and len({case["name"] for case in CASES}) == len(CASES)
    assert all(len({"starts", "answers", "ignores"} & case.keys()) == 1 for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_payload(case, tmp_path, monkeypatch, capsys):
    """A known job on a checked commit starts, or a fixed text is answered, or nothing happens."""
    (file := tmp_path / "event.json").write_text(json.dumps(event_of(case)), "utf-8")
    output, api = tmp_path / "output", Api(case)
    output.touch()
    monkeypatch.setattr(GitHub, "of", lambda environ: api)
    assert gate.main({"GITHUB_EVENT_PATH": str(file), "GITHUB_OUTPUT": str(output)}) == 0
    said = capsys.readouterr().out
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert list(outputs) == ["job", "sha", "pull", "windows"]
    assert len(said.splitlines()) == 1 and "::" not in said
    if job := case.get("starts"):
        assert outputs == {"job": job, "sha": HEAD, "pull": "7", "windows": JOBS[job]}
        assert (api.statuses, api.comments) == ([(HEAD, job, "pending")], [])
        return
    assert set(outputs.values()) == {""}
    assert api.statuses == []
    if answer := case.get("answers"):
        ((number, text),) = api.comments
        assert number == 7 and answer in text
        assert not set("<>@$") & set(text) and "::" not in text
    else:
        assert case["ignores"] in said and api.comments == []


@pytest.mark.parametrize("event", [{}, [], None, "x", 7, {"action": "created", "issue": [], "comment": 3}], ids=str)
def test_what_is_no_event_starts_nothing(event):
    """Whatever the file holds."""
    decision = decide(event, Api({}))
    assert (decision.sha, decision.answer) == ("", "") and "expected" in decision.why


def test_the_first_command_counts():
    """One comment, one job."""
    jobs = list(JOBS)
    assert asked_in(f"/test {jobs[1]}\n/test {jobs[0]}").job == jobs[1]


def test_the_help_names_every_job():
    """What is offered can be asked for."""
    for line in help_text(asked_in("/test ?")).splitlines():
        if line.startswith("* `"):
            assert asked_in(line.strip("* `")).job in JOBS
    assert sorted(JOBS) == [f"operational-tests-capz-windows-{version}" for version in (2019, 2022, 2025)]


def test_a_mistake_starts_nothing(tmp_path, monkeypatch):
    """Outputs are written last."""

    class Broken(Api):
        def status(self, *_: Any) -> None:
            raise RuntimeError("no")

    (file := tmp_path / "event.json").write_text(json.dumps(event_of(CASES[0])), "utf-8")
    monkeypatch.setattr(GitHub, "of", lambda environ: Broken(CASES[0]))
    with pytest.raises(RuntimeError):
        gate.main({"GITHUB_EVENT_PATH": str(file), "GITHUB_OUTPUT": str(tmp_path / "output")})
    assert not (tmp_path / "output").exists()
