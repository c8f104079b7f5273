"""The conformance image's contract, as Hydrophone reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from op_readiness.model.abilities import Ability
from op_readiness.model.errors import UsageError
from op_readiness.reports.junit import render_junit
from op_readiness.runner.record import Record
from op_readiness.runner.ways import conformance
from op_readiness.runner.ways.conformance import Conformance, focused, options
from op_readiness.runner.ways.started import owed
from tests.product import environment, junit_in, run

WILL_RUN = re.compile(r"Will run (0|[1-9]\d{0,3}|10000) of (0|[1-9]\d{0,3}|10000) specs")
"""As Hydrophone looks for it."""
ABILITIES = [
    Ability("net-a", "Core.Network", "Ability to reach (a) Pod"),
    Ability("net-b", "Core.Network", "Ability to resolve"),
    Ability("hp-a", "Extend.HostProcess", "Ability to run"),
]


def hydrophone(results: Path, focus: str, **more: str) -> dict[str, str]:
    """What Hydrophone gives the container."""
    given = {"E2E_FOCUS": focus, "E2E_SKIP": "", "E2E_PROVIDER": "skeleton", "E2E_VERBOSITY": "4",
             "E2E_USE_GO_RUNNER": "true", "E2E_EXTRA_ARGS": "", "E2E_EXTRA_GINKGO_ARGS": "",
             "RESULTS_DIR": str(results)}  # fmt: skip
    return {**given, **more}


@pytest.mark.parametrize(
    ("focus", "skip", "chosen"),
    [
        ("", "", ["net-a", "net-b", "hp-a"]),
        (r"\[Core.Network\]", "", ["net-a", "net-b"]),
        (r"\(net-a\)|Host", "", ["net-a", "hp-a"]),
        ("Ability", "resolve|run$", ["net-a", "hp-a"]),
        (r"reach \(a\) Pod", "", ["net-a"]),
    ],
)
def test_focus_and_skip_choose_by_name(focus, skip, chosen):
    """Regular expressions, searched in the name that JUnit has."""
    found = focused(ABILITIES, {"E2E_FOCUS": focus, "E2E_SKIP": skip})
    assert [ability.id for ability in found] == chosen


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"E2E_FOCUS": r"\[Conformance\]"}, "none of 3 abilities"),
        ({"E2E_FOCUS": "("}, "no regular expression"),
        ({"E2E_FOCUS": "a", "E2E_SKIP": "["}, "E2E_SKIP"),
    ],
)
def test_what_chooses_nothing_is_refused(environ, said):
    """Never an empty run that looks like a pass."""
    with pytest.raises(UsageError, match=re.escape(said)):
        focused(ABILITIES, environ)


def test_other_variables_are_options(tmp_path):
    """Dry run, verbosity, processes, registries, extra arguments; our own variables win."""
    listed = tmp_path / "list.yaml"
    listed.write_text("promoterE2eRegistry: registry.example/e2e\ngcRegistry: x\n")
    environ = hydrophone(tmp_path, "a", E2E_DRYRUN="true", E2E_VERBOSITY="6", E2E_EXTRA_GINKGO_ARGS="--procs=3 -v",
                         KUBE_TEST_REPO_LIST=str(listed), E2E_EXTRA_ARGS="--strict --run-timeout=60")  # fmt: skip
    assert list(options(environ, tmp_path)) == [
        "--report-dir", str(tmp_path), "--provider", "skeleton", "--dry-run", "--verbose",
        "--image-registry", "registry.example/e2e", "--workers", "3", "--verbose", "--strict", "--run-timeout=60",
    ]  # fmt: skip
    own = {"OP_READINESS_PROVIDER": "simulated", "OP_READINESS_REPORT_DIR": "elsewhere"}
    assert list(options(hydrophone(tmp_path, "a", **own), tmp_path)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"KUBE_TEST_REPO": "registry.example/all"},
        {"KUBE_TEST_REPO_LIST": "/no/such/file"},
        {"E2E_EXTRA_GINKGO_ARGS": "--focus=x"},
    ],
    ids=lambda more: next(iter(more)),
)
def test_what_is_not_supported_is_refused(tmp_path, more):
    """Not ignored: the run would be another than was asked for."""
    with pytest.raises(UsageError, match=next(iter(more))):
        list(options(hydrophone(tmp_path, "a", **more), tmp_path))


def test_only_a_container_without_arguments_is_meant(tmp_path):
    """Words that somebody typed are theirs; Sonobuoy's contract goes first."""
    environ = hydrophone(tmp_path, "a")
    assert isinstance(owed([], environ, ["run"]), Conformance)
    assert owed(["--category", "Core"], environ, ["run"]) is None
    assert not isinstance(owed([], {**environ, "SONOBUOY_RESULTS_DIR": str(tmp_path)}, ["run"]), Conformance)


def test_names_are_those_of_the_report():
    """A focus that was copied from junit_01.xml finds its ability."""
    record = Record.of([
        {"type": "run", "abilities": {a.id: a.to_dict() for a in ABILITIES},
         "categories": [{"name": "Core.Network", "abilities": ["net-a"]}]},
    ])  # fmt: skip
    assert f'name="{conformance.name(ABILITIES[0])}"' in render_junit(record.run_result())


def refused(ran: Any, said: str) -> None:
    assert (ran.code, said in ran.err) == (2, True), ran.said


def test_a_focus_for_nothing_leaves_its_reports(tmp_path):
    """Hydrophone copies both files whatever happened, and exits with our code."""
    env = environment(**hydrophone(tmp_path / "results", r"\[Conformance\]"))
    refused(run(folder=tmp_path, env=env), "E2E_FOCUS")
    assert "E2E_FOCUS" in junit_in(tmp_path / "results").find(".//error").get("message")
    assert "E2E_FOCUS" in (tmp_path / "results" / "e2e.log").read_text()


@pytest.mark.cluster
def test_a_run_that_hydrophone_starts(tmp_path):
    """The log says how many of how many, a dot each; the report lies beside it; the exit code is the verdict."""
    results = tmp_path / "results"
    env = environment(**hydrophone(results, r"net-(windows-to-linux|linux-to-windows)-pod-ip"),
                      OP_READINESS_PROVIDER="simulated", OP_READINESS_NODES="windows=1,linux=1",
                      OP_READINESS_FAULT="windows-to-linux-pod-ip-lost:node=win-1")  # fmt: skip
    ran = run(folder=tmp_path, env=env)
    assert ran.code == 1, ran.said
    log = (results / "e2e.log").read_text("utf-8")
    assert log == ran.out
    found = WILL_RUN.search(log)
    assert found and found[1] == "2" and int(found[2]) > 2
    assert log[found.end() :].count("•") == 2
    names = [case.get("name", "") for case in junit_in(results).iter("testcase")]
    assert sorted(name.rpartition("(")[2] for name in names) == [
        "net-linux-to-windows-pod-ip)", "net-windows-to-linux-pod-ip)",
    ]  # fmt: skip
