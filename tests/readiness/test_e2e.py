"""Upstream's form of a test case, run by a stand-in for e2e.test: what happened is what the result says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.product import Ran, report_in, results_of, run
from tests.readiness.conftest import objects_in

pytestmark = pytest.mark.cluster
FAKE = Path(__file__).with_name("fake_e2e.py")
CASES = """
category: Core.Concurrent
testCases:
  - description: Ability to be good
    focus: ['Good runs']
    skip: ['']
  - description: Ability to be bad
    focus: ['Bad fails', 'Bad runs']
    skip: ['']
  - description: Ability to be on Linux alone
    focus: ['Good runs elsewhere']
  - description: Ability to be apart
    focus: ['Apart']
  - description: Ability to be shy
    focus: ['Shy']
  - description: Ability to be nothing
    focus: ['should return within 10 seconds', '']
    skip: ['Slow|Driver']
  - description: Ability to be left out
    focus: ['Good']
    skip: ['runs']
  - description: Ability to begin
    focus: ['Setup']
  - description: Ability to panic
    focus: ['Panic']
  - description: Ability to crash
    focus: ['Crash']
  - description: Ability to run elsewhere
    focus: ['Good']
    skipProviders: [aws, skeleton]
  - description: Ability to be old
    focus: ['Good']
    kubernetesVersions: ['1.24', v1.25]
"""
HANGING = "category: Core.Mine\ntestCases: [{description: Ability to hang, focus: [Hang]}]\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with upstream's files and the binary."""
    made = tmp_path_factory.mktemp("e2e")
    empty = "category: Extend.Worker\ntestCases:\n"
    for name, text in (("specifications/conc", CASES), ("specifications/ext-worker", empty), ("hanging/h", HANGING)):
        (made / name).mkdir(parents=True)
        (made / name / "spec.yaml").write_text(text)
    binary = made / "e2e.test"
    binary.write_text(f"#!{sys.executable}\n{FAKE.read_text()}")
    binary.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def e2e(folder, kubeconfig) -> Ran:
    """One run of every case, and what stood in the cluster afterwards."""
    before = objects_in(kubeconfig)
    ran = run(
        "--kubeconfig", kubeconfig, "--provider", "skeleton", "--timeout-scale", "0.05", "--tags", "e2e",
        "--test-directory", "specifications", "--e2e-binary", "./e2e.test", "--e2e-timeout", "60",
        folder=folder,
    )  # fmt: skip
    assert objects_in(kubeconfig) - before == set()
    return ran


def result(ran: Ran, words: str) -> dict:
    """The result of the case whose sentence ends so."""
    found = [one for one in ran.results.values() if one["description"] == f"Ability to {words}"]
    assert len(found) == 1, ran.said
    return found[0]


def seen(one: dict) -> tuple[str, str]:
    """Outcome, and what the first finding says."""
    return one["outcome"], one["findings"][0]["what"] if one["findings"] else one["skip_reason"]


def test_specs_that_pass_on_windows_are_a_pass_with_proof(e2e):
    """A part a spec, the Windows Node's kubelet for proof, the log for evidence."""
    good = result(e2e, "be good")
    assert good["outcome"] == "passed", e2e.said
    assert [(part["target"], part["outcome"]) for part in good["parts"]] == [
        ("[sig-windows] Good runs on Windows", "passed"), ("[sig-windows] Good runs elsewhere", "passed"),
    ]  # fmt: skip
    (answer,) = good["proof"]["nodes"]
    assert good["nodes_tested"] == [answer["node"]] and answer["node"] in ("win-1", "win-2")
    assert answer["answer"].startswith("container containerd://") and "@sha256:" in answer["image_id"]
    (log,) = good["evidence"]
    text = (e2e.folder / "op-readiness-report" / log).read_text()
    assert "\x1b" not in text and "Will run 2 of 10 specs" in text


def test_the_command_line_is_upstreams(e2e):
    """Flags in upstream's order; empty texts do not reach ginkgo."""
    (log,) = [file for file in result(e2e, "be nothing")["evidence"] if file.endswith("/e2e.log")]
    text = (e2e.folder / "op-readiness-report" / log).read_text()
    (line,) = [line for line in text.splitlines() if "Will run" in line]
    words = line.partition(" specs ")[2].split()
    assert [word for word in words if word.startswith("--")] == [
        "--provider", "--kubeconfig", "--report-dir", "--report-prefix", "--node-os-distro", "--non-blocking-taints",
        "--ginkgo.flakeAttempts", "--ginkgo.focus", "--ginkgo.skip",
    ]  # fmt: skip
    assert "--node-os-distro windows --non-blocking-taints os,node-role.kubernetes.io/master," in line
    assert line.endswith("--ginkgo.focus should return within 10 seconds --ginkgo.skip Slow|Driver")


def test_a_failed_spec_fails_the_ability_in_its_own_words(e2e):
    """The finding is the spec's failure; the spec that passed is a part beside it."""
    bad = result(e2e, "be bad")
    assert seen(bad) == ("failed", "The spec failed")
    assert "expected 1 to equal <2>" in bad["findings"][0]["seen"]
    assert sorted(part["outcome"] for part in bad["parts"]) == ["failed", "passed"]


@pytest.mark.parametrize("words", ["be on Linux alone", "be apart"])
def test_specs_that_no_windows_node_took_part_in_are_an_error(e2e, words):
    """They passed, and that shows nothing of Windows."""
    one = result(e2e, words)
    assert one["outcome"] == "error" and one["findings"][0]["code"] == "no-proof"
    assert one["notes"]["texts"] == ["no Pod of these specs was seen to start on a Windows Node"]


@pytest.mark.parametrize(
    ("words", "what", "text"),
    [
        ("be nothing", "No spec of e2e.test matches", "0 of 10 specs"),
        ("be left out", "No spec of e2e.test matches", "0 of 10 specs"),
        ("begin", "The spec could not run to its end", "no Node is ready"),
        ("panic", "The spec could not run to its end", "Test Panicked"),
        ("crash", "e2e.test ended with exit code 2; it wrote no JUnit file", "panic: runtime error"),
    ],
)
def test_what_could_not_be_found_out_is_an_error(e2e, words, what, text):
    """With what was seen, or the end of the log."""
    one = result(e2e, words)
    assert seen(one) == ("error", what)
    assert text in one["findings"][0]["seen"]


def test_a_binary_that_does_not_end_is_ended(folder, kubeconfig):
    """At its own deadline, with the end of its log; the Namespace that it could not delete goes with the run."""
    before = objects_in(kubeconfig)
    ran = run(
        "--kubeconfig", kubeconfig, "--timeout-scale", "0.05", "--category", "Core.Mine", "--test-directory", "hanging",
        "--e2e-binary", "./e2e.test", "--e2e-timeout", "6", "--report-dir", "op-readiness-hanging", folder=folder,
    )  # fmt: skip
    (one,) = results_of(report_in(folder / "op-readiness-hanging")).values()
    assert (ran.code, *seen(one)) == (3, "error", "e2e.test did not end")
    assert "Will run 1 of 10 specs" in one["findings"][0]["seen"]
    assert one["proof"]["nodes"] and objects_in(kubeconfig) - before == set()


@pytest.mark.parametrize(
    ("words", "reason", "why"),
    [
        ("be shy", "skipped by e2e.test", "Only supported with <luck>"),
        ("run elsewhere", "provider", "skipProviders"),
        ("be old", "Kubernetes version", "==1.24.* || ==1.25.*"),
    ],
)
def test_skips_have_their_reason(e2e, words, reason, why):
    """By the spec itself, by the entry, by its versions."""
    one = result(e2e, words)
    assert seen(one) == ("skipped", reason) and why in one["skip_why"]


def test_without_the_binary_nothing_is_run_and_the_reason_is_said(folder, kubeconfig):
    """Missing input, with the option that gives it."""
    ran = run(
        "--kubeconfig", kubeconfig, "--tags", "e2e", "--test-directory", "specifications", "--report-dir", "other",
        "--dry-run", folder=folder,
    )  # fmt: skip
    assert "missing input" in ran.out and "--e2e-binary" in ran.out, ran.said


def test_a_binary_that_is_none_is_a_usage_error(folder):
    """Before anything else."""
    ran = run("--e2e-binary", "specifications", folder=folder)
    assert (ran.code, ran.err) == (
        2, "op-readiness: --e2e-binary specifications: no such file, or it cannot be executed\n"
    )  # fmt: skip
