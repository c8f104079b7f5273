"""Every option from the environment, as a user sets it, in processes that end before there is any cluster."""

from __future__ import annotations

import json

import pytest

from op_readiness.cli import PREFIX, cli, variables
from tests.product import environment, run

OPTIONS = (
    "category", "ability", "provider", "kubeconfig", "context", "windows-nodes", "report-dir", "dry-run", "yes",
    "verbose", "strict", "test-directory", "tags", "skip-tags", "disruptive", "image-registry", "pull-secret", "fault",
    "fault-file", "latency", "timeout-scale", "run-timeout", "cleanup-timeout", "workers", "flake-attempts", "no-color",
    "config", "input",
    "gate",
)  # fmt: skip
"""What a run promises; each has a variable."""


def test_every_promised_option_has_its_variable():
    """Explicit names: click's automatic ones would differ between the default command and `run`."""
    of_run = {param.opts[0]: param.envvar for param in cli.commands["run"].params}
    for name in OPTIONS:
        assert of_run[f"--{name}"] == PREFIX + name.replace("-", "_").upper()
    assert "OP_READINESS_RUN_CATEGORY" not in variables()


@pytest.mark.parametrize("words", [[], ["run"], ["list"], ["prove"]], ids=["default", "run", "list", "prove"])
def test_a_misspelt_category_in_the_environment_is_refused(words, tmp_path):
    """The variable reaches the default command and the named ones alike."""
    ran = run(*words, folder=tmp_path, env=environment(OP_READINESS_CATEGORY="Core.Netwrok"))
    assert (ran.code, "did you mean Core.Network?" in ran.err) == (2, True), ran.said


@pytest.mark.parametrize("words", [[], ["run"], ["list"], ["prove"], ["cleanup"], ["simulate", "faults"]], ids=" ".join)
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("OP_READINESS_CATEGORIES", "OP_READINESS_CATEGORY"),
        ("OP_READINESS_RUN_CATEGORY", "OP_READINESS_CATEGORY"),
        ("OP_READINESS_DRYRUN", "OP_READINESS_DRY_RUN"),
        ("OP_READINESS_KUBECONFG", "OP_READINESS_KUBECONFIG"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(words, name, near, tmp_path):
    """A variable that nothing reads would choose nothing, silently."""
    ran = run(*words, folder=tmp_path, env=environment(**{name: "Core"}))
    assert (ran.code, f"did you mean {near}?" in ran.err) == (2, True), ran.said
    assert len(ran.err.strip().splitlines()) == 1


def test_a_list_in_the_environment(tmp_path):
    """Commas separate; the command line takes the variable's place and does not add to it."""
    env = environment(OP_READINESS_ABILITY="net-dns-cluster,net-dns-external")
    listed = run("list", "--format", "json", folder=tmp_path, env=env)
    assert listed.code == 0, listed.said
    assert {"net-dns-cluster", "net-dns-external"} == ids_in(json.loads(listed.out))
    typed = run("list", "--format", "json", "--ability", "net-pod-ip-windows", folder=tmp_path, env=env)
    assert ids_in(json.loads(typed.out)) == {"net-pod-ip-windows"}


def ids_in(listed: object) -> set[str]:
    """The abilities in a list, wherever they stand."""
    if isinstance(listed, dict):
        own = {str(listed["id"])} if str(listed.get("id", "")).startswith("net-") else set()
        return own.union(*(ids_in(value) for value in listed.values()))
    return set().union(*(ids_in(value) for value in listed)) if isinstance(listed, list) else set()


@pytest.mark.parametrize("value", ["", "maybe"])
def test_a_flag_that_is_neither_yes_nor_no(value, tmp_path):
    """An empty variable is as if it were not set; anything that is no truth value is refused."""
    ran = run("list", folder=tmp_path, env=environment(OP_READINESS_DRY_RUN=value))
    assert ran.code == 0, ran.said  # list has no such option, and the name is known
    ran = run("run", "--category", "Core.Netwrok", folder=tmp_path, env=environment(OP_READINESS_DRY_RUN=value))
    assert ran.code == 2
    assert ("OP_READINESS_DRY_RUN" in ran.err) == bool(value), ran.said


def test_inputs_from_the_environment_are_checked_before_there_is_a_cluster(tmp_path):
    """A file with a misspelt field, and a field that no section has: exit code 2, one line, the nearest name."""
    (tmp_path / "readiness.yaml").write_text("gmsa:\n  domian: corp.example\n  credSpecName: webapp01\n")
    ran = run("--provider", "simulated", folder=tmp_path, env=environment(OP_READINESS_CONFIG="readiness.yaml"))
    assert (ran.code, ran.err.count("\n")) == (2, 1), ran.said
    assert "readiness.yaml:2: gmsa.domian: unknown field; did you mean domain?" in ran.err
    ran = run("--provider", "simulated", folder=tmp_path, env=environment(OP_READINESS_INPUT="gmsa.share=x"))
    assert (ran.code, "--input gmsa.share: unknown field" in ran.err) == (2, True), ran.said
