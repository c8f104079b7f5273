"""What a user sees of a run."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from op_readiness.model.findings import Outcome, Part, Place
from op_readiness.model.results import CategoryResult, RunResult
from op_readiness.reports.blocks import block, result_line
from op_readiness.reports.footer import footer
from op_readiness.reports.header import SIMULATED, PlanSummary, header, plan
from op_readiness.reports.lines import Line, plain
from op_readiness.reports.screen import Screen, WaitingLine, foot_lines
from op_readiness.reports.terminal import render_text

from .conftest import result


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_the_header_names_cluster_and_every_node_with_its_build(run):
    """Windows Nodes first; what is wrong with a Node, and what is not tested, is said."""
    text = plain(header(run))

    assert "https://10.0.0.1:6443  Kubernetes v1.37.2" in text
    assert text.index("win-1") < text.index("linux-1")
    assert "10.0.26100" in text
    assert "not ready, not tested" in text
    assert "cordoned" in text
    assert "Windows builds: 10.0.20348 x 1, 10.0.26100 x 1" in text


def test_simulated_is_said_at_the_top_and_at_the_end(run):
    """Loudly, and never on a real cluster."""
    assert SIMULATED not in render_text(run)
    run.simulated = True
    text = render_text(run)
    assert text.count(SIMULATED) == 2
    assert text.rstrip().endswith(SIMULATED)


def test_the_plan_says_what_is_skipped_and_what_is_done_to_the_cluster():
    """With each reason."""
    summary = PlanSummary(9, {"net-x": ("too few Nodes", "requires 3")}, planned=2, workers=4, seconds=130.0,
                          acts=["Namespaces opr-7f3a-*"], notes=["4 workers instead of 8"])  # fmt: skip
    text = plain(plan(summary))

    assert "9 abilities to test, 1 skipped, 2 planned (no test yet); about 2 min 10 s with 4 workers" in text
    assert "skipped  too few Nodes: requires 3 (net-x)" in text
    assert "4 workers instead of 8" in text
    assert "  - Namespaces opr-7f3a-*" in text


def test_a_failure_block_has_the_five_facts_and_how_to_go_on(run):
    """What, where, expected, seen (all its lines), hint, repeat, evidence, and the path that did not do."""
    text = plain(block(run.categories[0].results[1], run))

    for fact in ("Service is not reachable by ClusterIP", "where:    Pod opr-7f3a/client (Node win-1)",
                 "expected: HTTP 200", "seen:     12 connect timeouts", "              the EndpointSlices offer",
                 "hint:     kubectl", "command:  kubectl exec",
                 "repeat:   op-readiness --provider local --ability net-fail",
                 "evidence: report/evidence/net-fail/events.txt  Events",
                 "paths:    1 path bad, 1 good", "10 of 10 tries lost"):  # fmt: skip
        assert fact in text


def test_what_a_finding_says_is_not_said_again(run):
    """The paths of a block are only counted where the finding lists them."""
    failed = run.categories[0].results[1]
    failed.findings = [replace(failed.findings[0], seen="win-1 by ClusterIP: TIMEOUT")]
    assert plain(block(failed, run)).count("TIMEOUT") == 1


def test_commands_meet_the_cluster_of_the_run(run):
    """Whoever pastes a line has the kubeconfig and the context of the run in it."""
    run.command = "op-readiness --kubeconfig 'a b' --context prod --windows-nodes 2"
    text = plain([*block(run.categories[0].results[1], run), *footer(run)])
    assert "command:  kubectl --kubeconfig 'a b' --context prod exec client" in text
    assert "hint:     kubectl --kubeconfig 'a b' --context prod -n kube-system logs" in text
    assert "remove:   op-readiness cleanup --kubeconfig 'a b' --context prod --run 7f3a" in text


def test_parts_that_could_not_be_tested_are_named(run):
    """Also of what passed, once for all abilities that share the reason."""
    part = Part("from Linux", Place("win-1"), "every target", Outcome.SKIPPED, reason="no Linux Node")
    for one in run.categories[0].results[:2]:
        one.parts = [*one.parts, part, part]
    assert "Parts not tested\n  from Linux: no Linux Node (net-fail, net-pass)\n" in plain(footer(run))


def test_what_passed_or_was_skipped_has_no_block(run):
    """Quiet when good."""
    quiet = [r for r in run.categories[0].results if r.outcome in (Outcome.PASSED, Outcome.SKIPPED)]
    assert [block(r, run) for r in quiet] == [[]] * 3


def test_a_failure_without_a_finding_still_says_something():
    """Never an empty block."""
    assert "No finding was recorded" in plain(block(result("x", Outcome.FAILED)))


def test_an_ability_that_does_not_gate_says_so():
    """In its line."""
    assert "(does not gate)" in str(result_line(result("x", Outcome.FAILED, gating=False)))


def test_the_footer_answers_every_question(run):
    """Verdicts, Nodes, skips, flaky, slowest, notes, warnings, leftovers, reports, next command."""
    text = plain(footer(run, ["report/junit_01.xml"]))

    for fact in ("Core.Network             not ready", "2 passed, 1 failed, 1 error, 1 skipped, 1 flaky",
                 "Core.Storage             ready (partial: 1 of 3; 1 of 2 Windows Nodes)", "2 planned",
                 "tested: win-1", "not tested: win-2 (not ready) (drawn with --seed 42)",
                 "Skipped (1)", "too few Nodes: requires 3 Windows Nodes; there are 2 (net-skip)",
                 "net-flaky (attempt 2)", "slowest  net-fail 62 s, net-pass 12 s", "net-pass: slow DNS",
                 "2 webhook deadlines", "1 object left in the cluster", "op-readiness cleanup --run 7f3a",
                 "report/junit_01.xml",
                 "not ready: 2 categories; 3 passed, 1 failed, 1 error, 1 skipped, 1 flaky; 3 min 20 s"):  # fmt: skip
        assert fact in text


def test_the_next_command_repeats_what_did_not_do(run):
    """Failures first, else errors, else what could be opted in."""
    assert "next     op-readiness --provider local --ability net-fail\n" in plain(footer(run))
    del run.categories[0].results[1]
    assert "next     op-readiness --provider local --ability net-error" in plain(footer(run))
    del run.categories[0].results[1]
    assert "next     op-readiness cleanup --run 7f3a" in plain(footer(run))


def test_nothing_left_is_said_too(run):
    """So that nobody has to look."""
    run.leftovers = []
    assert "nothing was left behind in the cluster" in plain(footer(run))


def test_what_could_not_be_looked_at_is_not_called_clean(run):
    """The API server was gone at the end: what is left is not known, and that is said."""
    run.leftovers, run.leftovers_known = [], False
    text = plain(footer(run))

    assert "nothing was left behind" not in text
    assert "left     not known: the cluster was not looked at after the clean-up" in text
    assert "remove:   op-readiness cleanup --run 7f3a" in text
    run.provider = "simulated"
    assert "op-readiness cleanup" not in plain(footer(run))


def test_an_interrupted_run_says_so(run):
    """And what that means for what had not ended."""
    run.interrupted = "SIGTERM"
    assert "interrupted (SIGTERM); what had not ended is an error" in plain(footer(run))


def test_an_empty_run_has_a_report():
    """Died in setup: undetermined, without a crash."""
    text = render_text(RunResult("7f3a", "", "0.1.0", [CategoryResult("Core.Network", [])], warnings=["no API server"]))
    assert "undetermined" in text
    assert "no API server" in text


def test_hostile_text_cannot_reach_the_terminal(hostile):
    """No control character but newline and tab, no lone surrogate; a megabyte is cut."""
    text = render_text(hostile)

    codes = {ord(character) for character in text} - {ord("\n"), ord("\t")}
    assert not [c for c in codes if c < 32 or 0x7F <= c < 0xA0 or 0xD800 <= c < 0xE000]
    assert len(text) < 200_000
    assert "[bold]x[/bold]" in text


def test_the_ascii_twin_is_ascii(run):
    """For CI logs that show nothing else."""
    run.warnings = ["größe → 1"]
    assert render_text(run, ascii=True).isascii()


def test_a_pipe_gets_plain_lines(run):
    """No escape sequence, and waiting shows nothing."""
    stream = io.StringIO()
    with Screen(stream, ascii=False, environ={}) as screen:
        screen.show(header(run))
        screen.waiting([WaitingLine("a", "Pods", 0.0)], now=1.0, done=0, total=1)

    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue() == plain(header(run))


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colour_gets_none(environ):
    """NO_COLOR, CI and dumb terminals."""
    stream = Terminal()
    with Screen(stream, environ=environ) as screen:
        screen.show([Line.of(("x", "bad"))])

    assert stream.getvalue() == "x\n"


def test_a_terminal_gets_colour_and_a_live_foot(monkeypatch):
    """Markup in text is shown as it stands; the foot is gone at the end."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    with Screen(stream, environ={"TERM": "xterm-256color"}) as screen:
        screen.show([Line.of(("[red]x[/red]", "bad"))])
        screen.waiting([WaitingLine("net-x", "Pods to run", 0.0, 60.0, "Pulling image")], now=12.0, done=1, total=2)

    text = stream.getvalue()
    assert "\x1b[1;31m" in text
    assert "[red]x[/red]" in text
    assert "net-x" in text


def test_a_narrow_terminal_wraps_at_words_and_breaks_no_command(monkeypatch):
    """The rest of a fact stands below its start; rows are cut; what is to be pasted is left whole."""
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    with Screen(stream, environ={"TERM": "xterm"}) as screen:
        screen.show([Line.of(("  seen:  ", "dim"), "one two three four five six"),
                     Line.of("a row that is too long for this terminal", fit="cut"),
                     Line.of(("  run:   ", "dim"), "x" * 30, fit="paste")])  # fmt: skip
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue()).replace("\r", "").split("\n")
    assert [line.rstrip() for line in shown[:4]] == [
        "  seen:  one two three four", "         five six", "a row that is too long for th…", "  run:   " + "x" * 30,
    ]  # fmt: skip


def test_waiting_lines_speak_in_cluster_seconds():
    """As all reports do, whatever the clock of a simulated cluster."""
    lines = foot_lines([WaitingLine("a", "Pods", 10.0, 25.0, scale=0.05)], 11.0, 0, 1, "cleaning up")
    assert str(lines[1]) == "  a  waits 20 s (at most 5 min) for Pods"
    assert str(foot_lines([], 11.0, 0, 1, "cleaning up")[0]) == "0 of 1 ability ended, cleaning up"


def test_the_foot_says_who_waits_for_what_since_and_until_when():
    """The longest wait first; only so many lines."""
    waits = [WaitingLine(f"a{n}", f"Pods {n}", float(n), 100.0, "Pulling") for n in range(12)]
    lines = [str(line) for line in foot_lines(waits[::-1], 60.0, 3, 20)]

    assert lines[0] == "3 of 20 abilities ended, 12 waiting"
    assert lines[1] == "  a0  waits 60 s (at most 100 s) for Pods 0; newest Event: Pulling"
    assert lines[-1] == "  and 4 more"
