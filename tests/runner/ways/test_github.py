"""Annotations and summary of a GitHub job, and Prow's metadata: what is written, and that no text becomes a command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from op_readiness.model.findings import Finding, Outcome
from op_readiness.model.results import CategoryResult, Result, RunResult
from op_readiness.runner.record import Record
from op_readiness.runner.ways.around import listeners_of
from op_readiness.runner.ways.github import GitHub, annotated, command, summary
from op_readiness.runner.ways.prow import Artifacts, metadata
from tests.product import environment, run

HOSTILE = "x\n::set-output name=a::b\r\n%0A<img src=x onerror=1> | @everyone [l](javascript:1) \x1b[31m `c` ::"


def run_of(*results: Result, **more: object) -> RunResult:
    return RunResult("abc", "2026-01-01T00:00:00", "0.1.0", [CategoryResult("Core.Network", list(results))],
                     facts={"version": "v1.37.2", "nodes": [{"os": "windows", "build": "10.0.20348"}]}, **more)  # type: ignore[arg-type]  # fmt: skip


def result(id: str, outcome: Outcome, text: str = "seen", **more: object) -> Result:
    findings = [] if outcome is Outcome.PASSED else [Finding(text, text, text, text)]
    return Result(id, "Core.Network", text, outcome, findings=findings, **more)  # type: ignore[arg-type]


def test_what_did_not_pass_is_annotated():
    """An error each, a warning for what is flaky, and a notice where nothing is bad."""
    lines = list(annotated(run_of(result("net-a", Outcome.FAILED), result("net-b", Outcome.ERROR),
                                  result("net-c", Outcome.PASSED, flaky=True, attempts=2))))  # fmt: skip
    assert lines == [
        "::error title=Core.Network net-a%3A failed::seen at seen: expected seen, seen seen",
        "::error title=Core.Network net-b%3A error::seen at seen: expected seen, seen seen",
        "::warning title=op-readiness::net-c passed on attempt 2 only",
    ]
    (good,) = annotated(run_of(result("net-a", Outcome.PASSED)))
    assert good.startswith("::notice title=op-readiness::ready: 1 passed")


def test_no_text_becomes_a_command():
    """Each annotation stays one line and one command, whatever a container wrote."""
    for line in (*annotated(run_of(result(HOSTILE, Outcome.FAILED, HOSTILE), warnings=[HOSTILE])),
                 command("error", HOSTILE, HOSTILE)):  # fmt: skip
        assert re.fullmatch(r"::(error|warning) title=[^:,\n\r]*::[^\n\r\x1b]*", line), line


def test_no_text_becomes_markup():
    """In the summary hostile text is text: no HTML, no link, no mention, no cell that ends early."""
    text = summary(run_of(result(HOSTILE, Outcome.FAILED, HOSTILE), warnings=[HOSTILE], simulated=True))
    assert "SIMULATED" in text
    body = text.replace("> SIMULATED", "")
    assert not re.search(r"[<>@`\x1b]|\]\(", body), body
    assert {line.count("|") for line in body.splitlines() if line.startswith("| failed")} == {4}


def test_a_summary_has_a_limit():
    """GitHub takes a megabyte."""
    many = [result(f"net-{number}", Outcome.FAILED, HOSTILE * 1000) for number in range(1000)]
    assert len(summary(run_of(*many)).encode()) < 1024**2


def test_commands_are_stopped_while_the_run_prints(tmp_path, capsys):
    """Between the first event and the end, a line that a container wrote is no command."""
    listener = GitHub(str(tmp_path / "summary.md"))
    listener.event({"type": "run"}, Record())
    listener.event({"type": "started"}, Record())
    listener.reported(run_of(result("net-a", Outcome.FAILED)), tmp_path, ())
    listener.close()
    first, again, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith("::stop-commands::")
    assert again == f"::{first.rpartition('::')[2]}::"
    assert [line[:8] for line in rest] == ["::error "]
    assert "net-a" in (tmp_path / "summary.md").read_text()


def test_metadata_is_flat_text():
    """Spyglass shows strings and nothing else."""
    values = metadata(run_of(result("net-a", Outcome.FAILED)))
    assert values["revision"] == "v1.37.2" and values["op-readiness-verdict"] == "not ready"
    assert values["verdict Core.Network"] == "not ready"
    assert all(type(value) is str and value for value in values.values())


@pytest.mark.parametrize("there", [None, '{"other": "kept", "revision": "old"}', "{", "[1]"])
def test_metadata_of_others_stays(tmp_path, there):
    """What the job wrote before us is kept, what cannot be read is replaced."""
    if there is not None:
        (tmp_path / "metadata.json").write_text(there)
    Artifacts(tmp_path).reported(run_of(result("net-a", Outcome.PASSED)), tmp_path, ())
    values = json.loads((tmp_path / "metadata.json").read_text())
    assert values["revision"] == "v1.37.2"
    assert ("other" in values) is ("kept" in (there or ""))


def test_listeners_follow_the_environment(tmp_path):
    """Nobody listens who was not asked to."""
    assert listeners_of({}, None)._listeners == []
    assert listeners_of({"GITHUB_STEP_SUMMARY": "x"}, None)._listeners == []
    found = listeners_of({"ARTIFACTS": str(tmp_path)}, None, github=True)._listeners
    assert [type(one).__name__ for one in found] == ["Artifacts", "GitHub"]


@pytest.mark.cluster
def test_a_run_in_a_github_job(tmp_path):
    """Reports and metadata in ARTIFACTS, annotations after the log, the summary where GitHub reads it."""
    artifacts, told = tmp_path / "artifacts", tmp_path / "summary.md"
    env = environment(ARTIFACTS=str(artifacts), GITHUB_STEP_SUMMARY=str(told))
    ran = run("--provider", "simulated", "--nodes", "windows=1,linux=1", "--github", "--ability",
              "net-windows-to-linux-pod-ip", "--fault", "windows-to-linux-pod-ip-lost:node=win-1",
              folder=tmp_path, env=env)  # fmt: skip
    assert ran.code == 1, ran.said
    assert ran.out.strip().splitlines()[-1].startswith("::error title=Core.Network net-windows-to-linux-pod-ip%3A")
    assert ran.out.count("::stop-commands::") == 1
    assert "| failed | net-windows-to-linux-pod-ip |" in told.read_text()
    assert {"junit_01.xml", "report.json", "metadata.json"} <= {path.name for path in Path(artifacts).iterdir()}
    assert json.loads((artifacts / "metadata.json").read_text())["simulated"] == "true"
