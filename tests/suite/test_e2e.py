"""What e2e.test reports, read as ginkgo writes it; and entries of upstream's form in the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from op_readiness.model.errors import UsageError
from op_readiness.model.findings import Outcome
from op_readiness.runner.plan import version_allows
from op_readiness.suite.catalogue import read_spec
from op_readiness.suite.e2e.junit import Unreadable, read
from op_readiness.suite.e2e.running import command

CASES = """
  <testcase name="[SynchronizedBeforeSuite]" status="passed" time="0.4"></testcase>
  <testcase name="[It] a passes" status="passed" time="2.5"></testcase>
  <testcase name="[It] b is left out" status="skipped" time="0"><skipped message="skipped"></skipped></testcase>
  <testcase name="[It] c is pending" status="pending" time="0"><skipped message="pending"></skipped></testcase>
  <testcase name="[It] d skips itself" status="skipped" time="1">
    <skipped message="skipped - Only for Linux"></skipped></testcase>
  <testcase name="[It] e fails" time="3"><failure message="" type="failed">[FAILED] no&#xA;In [It]</failure>
    <system-err>timeline</system-err></testcase>
  <testcase name="[It] f times out" time="3"><failure message="" type="timedout">late</failure></testcase>
  <testcase name="[It] g is cut short"><error message="" type="interrupted">SIGTERM</error></testcase>
  <testcase name="[It] h is aborted" time="3"><failure message="m" type="aborted">by us</failure></testcase>
  <testcase name="[ReportAfterSuite] Kubernetes e2e suite report" status="passed" time="0"></testcase>
"""


def junit(folder: Path, cases: str) -> Path:
    (folder / "junit_x01.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return folder


def test_specs_that_matched_are_told_from_those_left_out(tmp_path):
    """Neither specs that focus leaves out nor nodes of the suite are results."""
    report = read(junit(tmp_path, CASES))
    assert {spec.name: (spec.outcome, spec.first_line) for spec in report.specs} == {
        "a passes": (Outcome.PASSED, ""),
        "d skips itself": (Outcome.SKIPPED, "Only for Linux"),
        "e fails": (Outcome.FAILED, "[FAILED] no"),
        "f times out": (Outcome.FAILED, "late"),
        "g is cut short": (Outcome.ERROR, "SIGTERM"),
        "h is aborted": (Outcome.ERROR, "m"),
    }
    assert (report.listed, report.suite) == (8, [])


def test_a_suite_that_broke_is_told_apart(tmp_path):
    """Its nodes are no specs, and say that nothing could be found out."""
    broken = '<testcase name="[SynchronizedBeforeSuite]"><failure type="failed">no Node</failure></testcase>'
    report = read(junit(tmp_path, broken))
    assert [(node.name, node.text) for node in report.suite] == [("[SynchronizedBeforeSuite]", "no Node")]
    assert report.specs == []


def test_names_of_ginkgo_one_are_read_too(tmp_path):
    """Without a kind; skipped ones are left out without a message."""
    cases = '<testcase name="BeforeSuite"/><testcase name="a"/><testcase name="b"><skipped/></testcase>'
    assert [spec.name for spec in read(junit(tmp_path, cases)).specs] == ["a"]


def test_a_report_that_cannot_be_read_says_so(tmp_path):
    """Not there, or cut short."""
    with pytest.raises(Unreadable, match="wrote no JUnit"):
        read(tmp_path)
    (tmp_path / "junit_x01.xml").write_text("<testsuites><testsuite>")
    with pytest.raises(Unreadable, match="cannot be read"):
        read(tmp_path)


def test_the_command_line_in_whole():
    """As upstream builds it; verbose adds two flags, empty texts add none."""
    e2e = {"binary": "/b/e2e.test", "provider": "azure", "verbose": True}
    words = command(e2e, "/k", Path("/r"), "id", ("A", "", "B"), ("",))
    assert " ".join(words) == (
        "/b/e2e.test --provider azure --kubeconfig /k --report-dir /r --report-prefix id --node-os-distro windows "
        "--non-blocking-taints os,node-role.kubernetes.io/master,node-role.kubernetes.io/control-plane "
        "--ginkgo.flakeAttempts 1 --ginkgo.v --ginkgo.trace --ginkgo.focus A|B"
    )


def abilities(folder: Path, text: str):
    (folder / "spec.yaml").write_text(f"category: Core.Network\ntestCases:\n{text}")
    return read_spec(folder / "spec.yaml").abilities


def test_ids_stay_when_entries_come_go_and_move(tmp_path):
    """They are made of category and sentence, and of the focus where two share a sentence."""
    one = " - {description: Ability to access pods by IP, focus: [x]}\n"
    two = " - {description: Ability to go, focus: [y], skip: ['']}\n - {description: Ability to go, focus: [z]}\n"
    first, *others = abilities(tmp_path, one + two)
    assert first.id.startswith("e2e-core-network-access-pods-by-ip-") and len({o.id for o in others}) == 2
    assert [a.id for a in abilities(tmp_path, two + one)] == [*[o.id for o in others], first.id]


def test_upstreams_entries_owe_a_nodes_word_and_run_alone(tmp_path):
    """Unless the entry says otherwise."""
    plain, own = abilities(
        tmp_path,
        " - {description: a, focus: [x, ''], skip: [''], skipProviders: [gce],\n"
        "    kubernetesVersions: ['1.24', '>=v1.30']}\n"
        " - {id: my-own, description: b, focus: [x], proof: pods, tags: [slow], seconds: 9}\n",
    )
    assert (plain.focus, plain.skip, plain.skip_providers, plain.proof, plain.tags) == (
        ("x",), (), ("gce",), "node", ("serial", "e2e"),
    )  # fmt: skip
    assert (own.id, own.proof, own.tags, own.seconds) == ("my-own", "pods", ("slow", "serial", "e2e"), 9)
    assert plain.kubernetes_versions == "==1.24.* || >=1.30"
    allowed = [version_allows(plain.kubernetes_versions, f"v1.{minor}.3") for minor in (23, 24, 25, 30, 37)]
    assert allowed == [False, True, False, True, True]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("{description: a, focus: ['']}", "focus: Names no spec"),
        ("{description: a, focus: []}", "focus: Names no spec"),
        ("{description: a}", "id: Field required"),
        ("{description: a, focus: x}", "focus: Input should be a valid tuple"),
        ("{description: a, focus: [x], kubernetesVersions: [new]}", "kubernetesVersions"),
        ("{description: a, focus: [x], skipProvider: [gce]}", "skipProvider: unknown field"),
        ("{description: a, focus: [x], planned: true}", "planned: Cannot be said"),
    ],
)
def test_wrong_entries_are_one_line(tmp_path, entry, why):
    """With file, line and field; an empty focus would match every spec."""
    with pytest.raises(UsageError, match=rf"spec.yaml:3: testCases\[0\]\S*{why}"):
        abilities(tmp_path, f" - {entry}\n")
