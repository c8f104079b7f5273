"""JUnit, in the profile that Sonobuoy, Prow, TestGrid, Jenkins and GitLab all read.

Built with the package junit-xml, whose faults are worked around: an empty failure is dropped by it and counts as
passed (so messages are never empty), control characters vanish or break the document (so text is made visible first),
pretty-printing parses everything again (so the tree is written by ElementTree), a testcase has no properties and
`time` is left out for 0 (so they are added to its tree).

One suite a category, none empty: Sonobuoy counts an empty suite as a passed test. The category stands in the name
too, since Sonobuoy drops the classname. `failure` says that the cluster lacks the ability, `error` that it could not
be found out; Prow shows no text of an `error`, so that text stands in system-out as well. A skip's reason stands in
message and text: TestGrid hides rows whose message says nothing. Planned abilities have no testcase.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from op_readiness.model.findings import Outcome
from op_readiness.model.results import CategoryResult, Result, RunResult
from op_readiness.reports.blocks import block
from op_readiness.reports.footer import verdict_of, warning_of
from op_readiness.reports.lines import plain
from op_readiness.reports.text import cut, one_line, visible

NAME = "Windows Operational Readiness"
MOST_FAILURE, MOST_OUTPUT, MOST_MESSAGE, MOST_NAME = 16_384, 65_536, 500, 500
"""Characters; GitLab, Jenkins and TestGrid cut or refuse what is longer. report.json has everything."""
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def render_junit(run: RunResult) -> str:
    """The document, to be written as UTF-8."""
    root = ET.Element("testsuites", {"name": NAME})
    for category in run.categories:
        if category.results:
            root.append(_suite(category, run))
    if not len(root):
        root.append(_nothing_ran(run))
    _count(root, list(root))
    ET.indent(root)
    return HEAD + ET.tostring(root, encoding="unicode") + "\n"


def _suite(category: CategoryResult, run: RunResult) -> ET.Element:
    from junit_xml import TestSuite

    properties = {
        "harness version": run.version,
        "run id": run.run_id,
        "kubernetes version": str(run.facts.get("version") or "unknown"),
        "provider": run.provider,
        "windows builds": ", ".join(_builds(run)),
        "windows nodes tested": ", ".join(run.nodes_selected),
        "verdict": verdict_of(category, run),
        "planned abilities": str(category.planned),
        "warnings": ", ".join(result.ability for result in category.warnings),
        "simulated": "SIMULATED: says nothing about real Windows Nodes" if run.simulated else "no",
    }
    suite = TestSuite(
        one_line(category.name, MOST_NAME),
        [_case(result, run) for result in category.results],
        timestamp=_timestamp(run.started),
        hostname=one_line(run.facts.get("server") or "", 200),
        properties={name: one_line(value, 1000) for name, value in properties.items() if value},
    )
    element: ET.Element = suite.build_xml_doc()
    for case, result in zip(element.iter("testcase"), category.results, strict=True):
        _complete(case, result)
    element.set("time", f"{sum(result.seconds for result in category.results):.3f}")
    del element.attrib["disabled"]
    return element


def _case(result: Result, run: RunResult) -> object:
    from junit_xml import TestCase

    case = TestCase(
        one_line(f"[{result.category}] {result.description} ({result.ability})", MOST_NAME),
        classname=one_line(result.category, MOST_NAME),
        stdout=_output(result, run),
        stderr=cut(f"WARNING: {warning_of(result)}\n{_text(result, run)}", MOST_OUTPUT) if result.warns else None,
    )
    if result.warns:
        return case  # a failure here would stop whoever reads nothing but failures, and it does not gate
    if result.outcome is Outcome.FAILED:
        case.add_failure_info(_message(result), _text(result, run), "AbilityNotMet")
    elif result.outcome is Outcome.ERROR:
        case.add_error_info(_message(result), _text(result, run), "CouldNotTell")
    elif result.outcome is Outcome.SKIPPED:
        why = f"{result.skip_reason or 'skipped'}: {result.skip_why or 'no reason was recorded'}"
        case.add_skipped_info(one_line(why, MOST_MESSAGE), one_line(why, MOST_MESSAGE))
    return case


def _complete(case: ET.Element, result: Result) -> None:
    """What junit-xml cannot write: `time` also when 0, and properties, which stand first."""
    case.set("time", f"{result.seconds:.3f}")
    images = sorted({pod.image for pod in result.proof.pods}) if result.proof else []
    values = {
        "id": result.ability,
        "nodes": ", ".join(result.nodes_tested),
        "nodes not tested": ", ".join(result.nodes_not_tested),
        "image": ", ".join(images),
        "gating": "yes" if result.gating else "no",
        "warning": warning_of(result) if result.warns else "",
        "attempts": str(result.attempts) if result.attempts > 1 else "",
        "flaky": "yes" if result.flaky else "",
        **{f"figure {name}": f"{value:g}" for name, value in sorted(result.notes.figures.items())},
    }
    properties = ET.Element("properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", {"name": one_line(name, 200), "value": one_line(value, 1000)})
    case.insert(0, properties)


def _message(result: Result) -> str:
    """The cause in one line, the essential words first."""
    if not result.findings:
        return "no finding was recorded"
    finding = result.findings[0]
    seen = f": seen {finding.seen}" if finding.seen else ""
    more = f" (and {len(result.findings) - 1} more findings)" if len(result.findings) > 1 else ""
    return one_line(f"{finding.what}{f' at {finding.where}' if finding.where else ''}{seen}", MOST_MESSAGE) + more


def _text(result: Result, run: RunResult) -> str:
    """The cause again (GitLab shows no message), then the whole block."""
    return cut(_message(result) + "\n" + plain(block(result, run)), MOST_FAILURE)


def _output(result: Result, run: RunResult) -> str | None:
    parts = []
    if result.outcome is Outcome.ERROR:
        parts.append(_text(result, run))
    if result.outcome is Outcome.SKIPPED:
        parts.append(f"skipped: {one_line(result.skip_reason)}: {visible(result.skip_why)}")
    left_out = [f"{part.path}: {part.reason}" for part in result.parts if part.outcome is Outcome.SKIPPED]
    parts += [f"part not tested: {one_line(text)}" for text in dict.fromkeys(left_out)]
    parts += [f"note: {visible(text)}" for text in result.notes.texts]
    if result.proof and result.proof.pods:
        parts += [
            visible(f"proof: Pod {p.namespace}/{p.pod} (UID {p.uid}) on Node {p.node}, {p.os} {p.build}, "
                    f"image {p.image} {p.image_id}, by {p.channel}: {one_line(p.answer, 200)}")
            for p in result.proof.pods
        ]  # fmt: skip
    elif result.proof and (result.proof.nodes or result.proof.api):
        parts.append(one_line(f"proof: {result.proof.api or list(result.proof.nodes)}", 2000))
    parts += [visible(f"evidence: {name}: {what}") for name, what in sorted(result.evidence.items())]
    return cut("\n".join(parts), MOST_OUTPUT) or None


def _nothing_ran(run: RunResult) -> ET.Element:
    """A document without a testcase would be read as passed: the run itself is then the one testcase, in error."""
    why = f"interrupted ({run.interrupted})" if run.interrupted else "no ability was reached"
    message = one_line("; ".join([f"The run tested nothing: {why}", *run.warnings]), MOST_MESSAGE)
    suite = ET.Element("testsuite", {"name": NAME, "timestamp": _timestamp(run.started), "time": "0.000"})
    case = ET.SubElement(suite, "testcase", {"name": "[op-readiness] the run", "classname": "op-readiness"})
    case.set("time", "0.000")
    ET.SubElement(case, "error", {"message": message, "type": "CouldNotTell"}).text = message
    ET.SubElement(case, "system-out").text = message
    _count(suite, [suite], itself=True)
    return suite


def _count(element: ET.Element, suites: Iterable[ET.Element], *, itself: bool = False) -> None:
    """Disjoint counts of testcases, from the elements themselves."""
    cases = [case for suite in suites for case in suite.iter("testcase")]
    for name, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    element.set("tests", str(len(cases)))
    if not itself:
        element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _builds(run: RunResult) -> list[str]:
    nodes = run.facts.get("nodes") or ()
    return sorted({str(node.get("build")) for node in nodes if node.get("os") == "windows" and node.get("build")})


def _timestamp(started: str) -> str:
    """ISO 8601 without a zone's letters, which some readers refuse."""
    found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", started)
    return found.group() if found else "1970-01-01T00:00:00"
