"""Scripts of many tries, run by a real sh, and what is read from their output."""

import shlex
import shutil
import subprocess

import pytest

from op_readiness.model.findings import Place
from op_readiness.observe.shell import Ask, Client, holding, parse, script

SH = shutil.which("sh")


def run(asks):
    """Answers of the real sh."""
    done = subprocess.run([SH, "-c", script(asks, "n0nce")], capture_output=True, text=True, check=True)
    return parse(done.stdout, "n0nce", [ask.key for ask in asks]), done.stdout


@pytest.mark.skipif(SH is None, reason="needs a POSIX sh")
def test_each_try_gives_its_exit_code_and_output():
    """Three tries, three answers, stderr included."""
    answers, text = run([Ask("echo", "echo hello; echo problem >&2; false", times=3)])
    assert [(a.code, a.text) for a in answers["echo"]] == [(1, "hello\nproblem")] * 3
    assert text.rstrip().endswith("n0nce over")


@pytest.mark.skipif(SH is None, reason="needs a POSIX sh")
def test_until_good_stops_at_the_first_success_and_gates_what_follows():
    """A series after a first success runs, one after none does not."""
    answers, _ = run(
        [
            Ask("first", "true", times=5, until_good=True),
            Ask("then", "echo x", times=2, then_only_if_good="first"),
            Ask("never", "false", times=2, until_good=True),
            Ask("not-run", "echo y", then_only_if_good="never"),
        ]
    )
    assert {key: len(tries) for key, tries in answers.items()} == {"first": 1, "then": 2, "never": 2, "not-run": 0}


def test_output_without_the_nonce_is_no_answer():
    """An old or foreign line is not read."""
    assert parse("other first 0\nname\n", "n0nce", ["first"]) == {"first": []}


@pytest.mark.skipif(SH is None, reason="needs a POSIX sh")
def test_a_missing_program_is_told_from_a_missing_answer():
    """`holding` keeps exit code 127; an output that fails the test is not good; one that holds is."""
    test = 'echo "$o" | grep yes > /dev/null'
    answers, _ = run(
        [
            Ask("missing", holding("no-such-program-here", test)),
            Ask("empty", holding("true", test)),
            Ask("full", holding("echo yes", test)),
        ]
    )
    assert [answers[key][0].code for key in ("missing", "empty", "full")] == [127, 1, 0]
    assert answers["full"][0].text == "yes"


def test_the_line_to_repeat_survives_the_shell_that_it_is_pasted_into():
    """Quotes and dollars reach the Pod as they are."""
    command = holding("dig 'a b' A", 'echo "$o" | grep IN')
    line = Client("opr-x", "client", Place("win-1", "windows")).repeat(command)
    assert shlex.split(line)[-3:] == ["sh", "-c", command]
