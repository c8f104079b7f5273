"""The files that CI systems read: sound by their schemas, and duties split by rights."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hack.bot.comments import JOBS
from op_readiness.runner.listing import catalogue_of
from tests.product import ROOT, environment, junit_in

WORKFLOW = ROOT / ".github" / "workflows" / "operational-tests.yml"
PROVE = ROOT / ".github" / "workflows" / "prove.yml"
PROW = ROOT / ".prow" / "operational-tests.yaml"
PROW_SCHEMA = Path(__file__).parent / "prow.schema.json"
FAULT = "windows-to-linux-pod-ip-lost:node=win-1"
TRUSTED = ("gate", "cluster", "report", "teardown")
posix = pytest.mark.skipif(sys.platform == "win32" or not shutil.which("bash"), reason="no bash")


def workflow() -> dict[str, Any]:
    return yaml.load(WORKFLOW.read_text("utf-8"), yaml.BaseLoader)  # with which `on` stays a word


def steps(job: str) -> list[dict[str, Any]]:
    return workflow()["jobs"][job]["steps"]


# -- GitHub ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [WORKFLOW, PROVE], ids=lambda path: path.stem)
def test_the_workflow_is_sound_by_its_schema(path):
    """GitHub's own schema of workflows, as check-jsonschema ships it."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_sees_a_mistake(tmp_path):
    """A key that is misspelt is no workflow."""
    (bad := tmp_path / "bad.yml").write_text(WORKFLOW.read_text("utf-8").replace("runs-on:", "run-on:"))
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(bad)]
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0


def test_the_matrix_is_proved_for_every_category():
    """With the commit as the seed of what is drawn, and no right but to read."""
    found = yaml.load(PROVE.read_text("utf-8"), yaml.BaseLoader)
    job = found["jobs"]["prove"]
    assert set(job["strategy"]["matrix"]["category"]) == {one.name for one in catalogue_of(())}
    assert found["permissions"] == {"contents": "read"} and "permissions" not in job
    assert any('prove --category "$CATEGORY" --seed "$GITHUB_SHA"' in step.get("run", "") for step in job["steps"])


def test_it_starts_on_new_comments_alone():
    """Edits start nothing; no event that would bring a pull request's own workflow."""
    assert workflow()["on"] == {"issue_comment": {"types": ["created"]}}


def test_nothing_from_the_event_reaches_a_shell():
    """No expression stands in a script; the comment is in no expression but the condition that looks for `/test`."""
    for job in workflow()["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), step
    text = WORKFLOW.read_text("utf-8")
    found = re.findall(r"github\.event\.([a-z_.]+)", text)
    assert found == ["issue.pull_request", "comment.body"]
    assert "github.head_ref" not in text and "author_association" not in text


def test_rights_are_split():
    """Nothing by default; cloud identity and writing only where no code of the pull request runs."""
    jobs = workflow()["jobs"]
    assert workflow()["permissions"] == {}
    assert set(jobs) == {*TRUSTED, "readiness"}
    assert jobs["readiness"]["permissions"] == {"contents": "read"}
    assert "environment" not in jobs["readiness"]
    for job in ("cluster", "teardown"):
        assert jobs[job]["permissions"] == {"contents": "read", "id-token": "write"}
        assert jobs[job]["environment"] == "capz"
    for job in ("gate", "report"):
        assert "id-token" not in jobs[job]["permissions"]
        assert jobs[job]["permissions"]["contents"] == "read"


def test_the_pull_request_s_code_runs_in_one_job_alone():
    """Trusted jobs check out the default branch; readiness the pinned commit; no job leaves its token in the tree."""
    for name, job in workflow()["jobs"].items():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] == "false"
                ref = step["with"].get("ref")
                assert ref == ("${{ needs.gate.outputs.sha }}" if name == "readiness" else None)
    secrets = re.findall(r"secrets\.[A-Z_]+", json.dumps(steps("readiness")))
    assert set(secrets) <= {"secrets.KUBECONFIG_KEY"}, "only what opens the throw-away cluster's kubeconfig"


def test_the_kubeconfig_travels_closed():
    """Artifacts of a public repository can be read by everybody."""
    uploads = [step for step in steps("cluster") if "upload-artifact" in step.get("uses", "")]
    assert [step["with"]["path"] for step in uploads] == ["kubeconfig.enc"]
    assert "kubeconfig.enc" in next(step["run"] for step in steps("readiness") if "openssl" in step.get("run", ""))


def test_actions_are_pinned():
    """A tag can be moved."""
    uses = [step["uses"] for job in workflow()["jobs"].values() for step in job["steps"] if "uses" in step]
    assert uses and all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", one) for one in uses)


def test_everything_after_the_gate_waits_for_its_commit():
    """An empty output starts nothing; reporting and tearing down happen however the others ended."""
    jobs = workflow()["jobs"]
    assert jobs["cluster"]["if"] == "needs.gate.outputs.sha"
    assert jobs["readiness"]["needs"] == ["gate", "cluster"] and "if" not in jobs["readiness"]
    for job in ("report", "teardown"):
        assert jobs[job]["if"] == "always() && needs.gate.outputs.sha"
        assert jobs[job]["needs"] == ["gate", "cluster", "readiness"]
    assert all("timeout-minutes" in job for job in jobs.values())
    assert set(jobs["gate"]["outputs"]) == {"job", "sha", "pull", "windows"}


def test_modules_that_it_starts_are_there():
    """And need nothing that is not in Python."""
    text = WORKFLOW.read_text("utf-8")
    for module in re.findall(r"python3 -m (\S+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}"
        words = [sys.executable, "-S", "-I", "-c", code]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for script in re.findall(r"run: (hack/\S+\.sh)", text):
        assert (ROOT / script).stat().st_mode & stat.S_IXUSR


# -- Prow --------------------------------------------------------------------------------------------------------------


def presubmits() -> list[dict[str, Any]]:
    return yaml.safe_load(PROW.read_text("utf-8"))["presubmits"]


def test_presubmits_are_sound_by_their_schema():
    """Fields of Prow's presubmits and of a Pod, no others."""
    jsonschema.validate(yaml.safe_load(PROW.read_text("utf-8")), json.loads(PROW_SCHEMA.read_text("utf-8")))
    bad = yaml.safe_load(PROW.read_text("utf-8"))
    bad["presubmits"][0]["allways_run"] = False
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, json.loads(PROW_SCHEMA.read_text("utf-8")))


def test_both_bots_answer_to_the_same_names():
    """And the cluster has the Windows Server that the name says."""
    for job in presubmits():
        variables = {entry["name"]: entry["value"] for entry in job["spec"]["containers"][0]["env"]}
        assert variables["WINDOWS_SERVER_VERSION"] == JOBS[job["name"]]
    assert [job["name"] for job in presubmits()] == list(JOBS)


def test_a_presubmit_blocks_nothing_and_ends():
    """Only on its command; the run's own deadline is earlier than the job's."""
    for job in presubmits():
        assert (job["always_run"], job["optional"], job["decorate"]) == (False, True, True)
        assert job["decoration_config"]["timeout"] == "8h"
        assert not {"trigger", "rerun_command", "run_if_changed"} & job.keys()
        (work,) = [ref for ref in job["extra_refs"] if ref.get("workdir")]
        assert work["repo"] == "cluster-api-provider-azure"
        assert "hack/run-tests.sh" in job["spec"]["containers"][0]["args"][-1]


# -- the script --------------------------------------------------------------------------------------------------------


@posix
def test_the_script_wants_a_cluster(tmp_path):
    """Nothing is guessed."""
    script = str(ROOT / "hack" / "run-tests.sh")
    done = subprocess.run([script], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "KUBECONFIG" in done.stderr


@posix
@pytest.mark.cluster
@pytest.mark.parametrize(("fault", "code"), [("", 0), (FAULT, 1)], ids=["green", "red"])
def test_the_script_gives_the_verdict(tmp_path, fault, code):
    """Exit code, junit*.xml and metadata.json with string values."""
    command = tmp_path / "op-readiness"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m op_readiness "$@"\n')
    command.chmod(0o755)
    env = environment(OP_READINESS=str(command), KUBECONFIG="unused", ARTIFACTS=str(tmp_path / "artifacts"),
                      OP_READINESS_PROVIDER="simulated", OP_READINESS_NODES="windows=1,linux=1",
                      OP_READINESS_ABILITY="net-windows-to-linux-pod-ip", OP_READINESS_FAULT=fault)  # fmt: skip
    done = subprocess.run([str(ROOT / "hack" / "run-tests.sh")], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert junit_in(tmp_path / "artifacts").get("failures") == str(code)
    values = json.loads((tmp_path / "artifacts" / "metadata.json").read_text())
    assert values["revision"].startswith("v1.") and {type(value) for value in values.values()} == {str}
