"""pytest as an isolated child: nothing of the user's directory or environment changes a verdict."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from op_readiness.model.clock import SYSTEM_CLOCK
from op_readiness.model.errors import UsageError
from op_readiness.model.timeouts import Timeouts
from op_readiness.runner import child, processes
from op_readiness.runner.attention import Attention
from op_readiness.runner.events import EventLog
from op_readiness.runner.passes import Passes
from op_readiness.runner.record import Record

from .samples import ability, facts

TESTS = """
import os, time
from op_readiness.model.errors import AbilityNotMet, NotTested, SkipReason
from op_readiness.model.findings import Finding
from op_readiness.suite import ability

@ability("my-red")
def test_red():
    raise AbilityNotMet(Finding("Red", "here", "green", "red"))

@ability("my-assert")
def test_assert():
    assert False

@ability("my-skip")
def test_skip():
    raise NotTested("no input", reason=SkipReason.MISSING_INPUT)

@ability("my-crash")
def test_crash():
    os._exit(7)

@ability("my-hang")
def test_hang():
    time.sleep(600)
"""

HOSTILE = """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        yield
    except BaseException:
        pass
    return True
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    call.excinfo = None
"""


@pytest.fixture
def mine(tmp_path) -> Path:
    """A test directory of somebody's own, in a directory that is hostile to it."""
    folder = tmp_path / "hostile" / "tests" / "my_category"
    folder.mkdir(parents=True)
    (folder / "test_mine.py").write_text(TESTS)
    return folder.parent


@pytest.fixture
def passes(tmp_path, mine) -> Passes:
    work = tmp_path / "work"
    work.mkdir()
    log, record = EventLog(tmp_path / "report"), Record()
    ids = ("my-red", "my-assert", "my-skip", "my-crash", "my-hang")
    abilities = {id: ability(id) for id in ids}
    context = {
        "run_id": "r", "kubeconfig": "", "abilities": {id: a.to_dict() for id, a in abilities.items()},
        "facts": facts().to_dict(), "timeouts": Timeouts().to_dict(), "standing": {}, "images": {}, "pull_secret": "",
        "events_dir": str(log.folder), "windows_nodes": ["win-1"], "command": "op-readiness",
    }  # fmt: skip
    record.add({"type": "run", "abilities": context["abilities"], "categories": [
        {"name": "Core.Network", "abilities": list(ids)}]})  # fmt: skip
    made = Passes([mine], work, context, log, record, Timeouts(), Attention(60, lambda: None), record.add)
    yield made
    made.stop()


def outcomes(passes: Passes, *ids: str) -> list[str]:
    return [passes.record.result_of(id).outcome.value for id in ids]


def test_a_hostile_directory_and_environment_change_no_verdict(passes, mine, monkeypatch):
    """Foreign conftest.py, ini files, modules and variables: red stays red, a bare assert stays an error."""
    hostile = mine.parent
    (hostile / "conftest.py").write_text(HOSTILE)
    (hostile / "pytest.ini").write_text("[pytest]\naddopts = --collect-only\n")
    for name in ("random", "yaml", "click", "pytest"):
        (hostile / f"{name}.py").write_text("raise SystemExit(0)\n")
    monkeypatch.chdir(hostile)
    for name, value in {"PYTEST_ADDOPTS": "--collect-only", "PYTHONOPTIMIZE": "2", "PYTHONPATH": str(hostile),
                        "PYTEST_PLUGINS": "no_such_plugin", "PYTHONWARNINGS": "error"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    passes.run([ability("my-red"), ability("my-assert"), ability("my-skip")], workers=1)
    assert outcomes(passes, "my-red", "my-assert", "my-skip") == ["failed", "error", "skipped"]


def test_a_worker_that_dies_is_an_error_and_the_rest_goes_on(passes):
    """With pytest-xdist and without, what comes after a crash still runs."""
    passes.run([ability("my-crash"), ability("my-red")], workers=1)
    assert outcomes(passes, "my-crash", "my-red") == ["error", "failed"]
    assert passes.record.result_of("my-crash").findings[0].code == "worker"
    passes.record.results.clear()
    passes.run([ability("my-crash"), ability("my-red")], workers=2)
    assert outcomes(passes, "my-crash", "my-red") == ["error", "failed"]


def test_a_silent_worker_is_ended(passes, monkeypatch):
    """A test that says nothing past its deadline is an error; the others keep their results."""
    monkeypatch.setattr("op_readiness.runner.passes.SILENT_FLOOR", 0.3)
    passes.timeouts = Timeouts(scale=0.0001)
    passes.run([ability("my-hang"), ability("my-red")], workers=2)
    assert outcomes(passes, "my-hang", "my-red") == ["error", "failed"]
    assert "said nothing" in passes.record.result_of("my-hang").findings[0].what


def test_a_second_attempt_runs_what_did_not_pass(passes):
    """Skipped abilities are not tried again."""
    passes.run([ability("my-red"), ability("my-skip")], workers=1, attempts=2)
    assert passes.record.result_of("my-red").attempts == 2
    assert passes.record.result_of("my-skip").attempts == 1


def test_a_test_that_pytest_does_not_find_is_an_error(passes):
    """An id without a test is never left out."""
    passes.record.abilities["no-test"] = ability("no-test")
    passes.context["abilities"]["no-test"] = ability("no-test").to_dict()
    passes.run([ability("no-test")], workers=1)
    assert passes.record.result_of("no-test").findings[0].what == "pytest did not run the test"


def test_the_child_ends_with_the_runner(passes, tmp_path, mine):
    """When our end of its stdin closes, the child and its workers end."""
    running = child.start([mine], passes.work, workers=0, name="x")
    running.tell({**passes.context, "selected": ["my-hang"], "attempt": 1})
    deadline = time.monotonic() + 20
    while not passes.take() and time.monotonic() < deadline:
        SYSTEM_CLOCK.sleep(0.05)
    running.process.stdin.close()
    assert running.process.wait(10) != 0
    running.poll()


def test_the_environment_keeps_what_is_not_pythons_or_pytests():
    """Proxies, credentials and paths reach the child; what changes Python and pytest does not."""
    kept = child.environment({"HTTPS_PROXY": "p", "PYTHONOPTIMIZE": "2", "PYTEST_ADDOPTS": "-x", "PYTHONUTF8": "1"})
    assert {name for name in kept if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")} == {
        "HTTPS_PROXY", "PYTHONUTF8", "PYTHONSAFEPATH", "PYTEST_DISABLE_PLUGIN_AUTOLOAD",
    }  # fmt: skip


def test_a_conftest_above_a_second_test_directory_is_refused(tmp_path):
    """pytest would load it; nobody meant that."""
    first, second = tmp_path / "a" / "tests", tmp_path / "b" / "tests"
    for folder in (first, second):
        folder.mkdir(parents=True)
    (tmp_path / "a" / "conftest.py").touch()
    child.must_stand_alone([second, first])
    with pytest.raises(UsageError, match=r"conftest\.py would be loaded"):
        child.must_stand_alone([first, second])


def test_killing_a_process_that_is_gone_is_fine():
    """The worker may have ended by itself."""
    gone = processes.start(
        [sys.executable, "-c", ""], env=dict(os.environ), stdout=-3, stderr=-3
    )
    gone.wait()
    processes.kill(gone.pid)
    processes.end(gone, within=1)


def test_the_child_of_the_pass_that_follows_comes_up_meanwhile(passes):
    """Once nothing is left to begin; the next pass takes that one, and what is not taken ends with the passes."""
    passes.run([ability("my-red"), ability("my-skip")], workers=2, more=True)
    ahead = passes._next
    assert ahead is not None and ahead.poll() is None and passes._children == 2
    passes.run([ability("my-assert")], workers=1)
    assert (ahead.poll(), passes._next, passes._children) == (1, None, 2)
    assert outcomes(passes, "my-red", "my-skip", "my-assert") == ["failed", "skipped", "error"]
    passes.run([ability("my-red")], workers=1, more=True)
    left = passes._next
    passes.stop()
    assert left is None or left.poll() is not None
