"""JUnit as Sonobuoy, Prow, TestGrid, Jenkins and GitLab read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from op_readiness.model.findings import Outcome, Part, Place
from op_readiness.model.results import CategoryResult, RunResult
from op_readiness.reports.junit import MOST_FAILURE, MOST_OUTPUT, render_junit

from .conftest import result


def parsed(run: RunResult) -> ET.Element:
    return ET.fromstring(render_junit(run).encode())


def case(root: ET.Element, id: str) -> ET.Element:
    return next(c for c in root.iter("testcase") if property_of(c, "id") == id)


def first(root: ET.Element) -> ET.Element:
    return next(root.iter("testcase"))


def property_of(element: ET.Element, name: str) -> str | None:
    return next((p.get("value") for p in element.findall("properties/property") if p.get("name") == name), None)


def test_the_counts_are_disjoint_and_right(run):
    """On the root and on each suite; planned abilities have no testcase."""
    root = parsed(run)
    figures = [[e.get(k) for k in ("tests", "failures", "errors", "skipped")] for e in (root, *root)]

    assert figures == [["6", "1", "1", "1"], ["5", "1", "1", "1"], ["1", "0", "0", "0"]]
    assert root[0].get("timestamp") == "2026-11-25T02:47:41"
    assert [float(e.get("time", "x")) for e in root] == [76.5, 1.0]


def test_the_category_stands_in_name_and_classname(run):
    """Sonobuoy keeps only the name."""
    found = case(parsed(run), "net-pass")

    assert found.get("name") == "[Core.Network] Ability to net-pass (net-pass)"
    assert (found.get("classname"), found.get("time")) == ("Core.Network", "12.000")


def test_failed_is_a_failure_and_could_not_tell_an_error(run):
    """One line of cause in the message and first in the text."""
    root = parsed(run)
    failure, error = case(root, "net-fail").find("failure"), case(root, "net-error").find("error")

    assert failure is not None and error is not None
    assert failure.get("message", "").startswith("Service is not reachable by ClusterIP at Pod opr-7f3a/client")
    assert (failure.text or "").startswith(failure.get("message", "?"))
    assert "hint:     kubectl" in (failure.text or "")
    assert "evidence: report/evidence/net-fail/events.txt" in (failure.text or "")
    assert error.get("type") == "CouldNotTell"


def test_the_text_of_an_error_stands_in_system_out_too(run):
    """Prow shows nothing of an error element."""
    assert "Pods did not come up" in (case(parsed(run), "net-error").findtext("system-out") or "")


def test_a_failure_without_words_is_still_a_failure():
    """junit-xml drops an empty one, and the test would count as passed."""
    root = parsed(RunResult("r", "", "0", [CategoryResult("C", [result("x", Outcome.FAILED)])]))

    assert case(root, "x").find("failure") is not None
    assert root.get("failures") == "1"


def test_the_skip_reason_stands_in_message_text_and_output(run):
    """TestGrid hides rows without a message; Sonobuoy drops the message."""
    found = case(parsed(run), "net-skip")
    skipped = found.find("skipped")

    assert skipped is not None
    assert skipped.get("message") == skipped.text == "too few Nodes: requires 3 Windows Nodes; there are 2"
    assert "too few Nodes" in (found.findtext("system-out") or "")


def test_a_part_that_was_not_tested_stands_in_the_output_once(run):
    """Of what passed too: a reader of JUnit sees no other report."""
    part = Part("from Linux", Place("win-1"), "every target", Outcome.SKIPPED, reason="no Linux Node")
    run.categories[0].results[0].parts = [part, part]
    output = case(parsed(run), "net-pass").findtext("system-out") or ""
    assert output.count("part not tested: from Linux: no Linux Node") == 1


def test_a_testcase_names_its_id_nodes_and_image(run):
    """Properties come first among its children; figures become metrics."""
    found = case(parsed(run), "net-pass")

    assert found[0].tag == "properties"
    assert property_of(found, "nodes") == "win-1, win-2"
    assert property_of(found, "image") == "agnhost:2"
    assert property_of(found, "figure p50 seconds") == "0.25"
    assert "proof: Pod opr-7f3a/client (UID u1) on Node win-1" in (found.findtext("system-out") or "")


def test_the_suite_names_versions_builds_and_verdict(run):
    """And whether it was simulated."""
    run.simulated = True
    suite = parsed(run)[1]

    assert property_of(suite, "windows builds") == "10.0.20348, 10.0.26100"
    assert property_of(suite, "verdict") == "ready (partial: 1 of 3; 1 of 2 Windows Nodes)"
    assert "SIMULATED" in (property_of(suite, "simulated") or "")
    assert property_of(suite, "planned abilities") == "2"


def test_no_suite_is_empty(run):
    """Sonobuoy counts an empty suite as passed; a category with planned abilities only is left out."""
    run.categories.append(CategoryResult("Extend.Worker", [], planned=3))

    assert [len(suite.findall("testcase")) for suite in parsed(run)] == [5, 1]


@pytest.mark.parametrize("categories", [[], [CategoryResult("Core.Network", [], planned=2)]])
def test_a_run_that_tested_nothing_is_one_error(categories):
    """It died in setup: that is no pass, and the reason is there."""
    root = parsed(RunResult("r", "2026", "0", categories, interrupted="SIGINT", warnings=["no API server"]))

    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert "interrupted (SIGINT); no API server" in root[0][0].findall("error")[0].get("message", "")


def test_hostile_text_gives_a_document_that_every_parser_reads(hostile):
    """Well-formed, valid XML 1.0 characters only, control characters visible, markup kept as text."""
    text = render_junit(hostile)
    root = ET.fromstring(text.encode("utf-8"))

    assert not [c for c in text if ord(c) < 32 and c not in "\n\t"]
    assert "\\x00" in text and "\\ud800" in text and "\x1b" not in text
    assert "<b>&amp;</b> [bold]" in first(root).get("name", "")
    assert "]]>" in first(root).findtext("failure", "")


def test_sizes_are_cut_in_the_middle(hostile):
    """A megabyte of output stays in report.json."""
    root = parsed(hostile)

    for found in root.iter("testcase"):
        for tag in ("failure", "error"):
            assert len(found.findtext(tag) or "") < MOST_FAILURE + 100
        assert len(found.findtext("system-out") or "") < MOST_OUTPUT + 100
        assert len(found.get("name", "")) <= 500
    assert "characters left out" in first(root).findtext("failure", "")


def test_line_breaks_in_attributes_do_not_occur(hostile):
    """Parsers would turn them into spaces."""
    for element in parsed(hostile).iter():
        assert not [value for value in element.attrib.values() if "\n" in value]


def test_what_does_not_gate_is_a_warning_and_no_failure():
    """Whoever reads failures alone is not stopped by it; its text and a property say it all the same."""
    warned = result("wk-node-ping", Outcome.FAILED, "Extend.Worker", gating=False)
    root = parsed(RunResult("r", "2026-11-25T02:47:41Z", "0", [CategoryResult("Extend.Worker", [warned])]))
    found = case(root, "wk-node-ping")
    assert (root.get("failures"), found.find("failure")) == ("0", None)
    assert "WARNING: wk-node-ping does not gate" in (found.findtext("system-err") or "")
    assert "wk-node-ping" in (property_of(root[0], "warnings") or "")
