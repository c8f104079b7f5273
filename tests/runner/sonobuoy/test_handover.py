"""`done` is written however the process ends, also where no run ever began."""

from __future__ import annotations

import json
import signal
import sys
import tarfile
from pathlib import Path

import pytest

from op_readiness import cli
from op_readiness.runner.record import Record
from op_readiness.runner.sonobuoy.archive import write_archive
from op_readiness.runner.sonobuoy.handover import ARCHIVE, DONE, Handover, Held, Terminated, handover_of
from tests.product import run
from tests.runner.sonobuoy.worker import leaves, plugin_environment, post_processed, sent_by_worker, unpacked

COMMANDS = sorted(cli.cli.commands)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Sonobuoy runs it on Linux")


def error_in(results: Path, folder: Path) -> str:
    """The one error that Sonobuoy shows."""
    tree = post_processed(unpacked(sent_by_worker(results), folder / "aggregator"))
    (leaf,) = leaves(tree)
    assert (tree["status"], leaf["status"]) == ("failed", "failed")
    return str(leaf["details"]["error"])


@posix
@pytest.mark.parametrize(
    ("words", "more", "code", "said"),
    [
        ((), {"OP_READINESS_CATEGORY": "Core.Netwrok"}, 2, "did you mean Core.Network?"),
        ((), {"OP_READINESS_CATEGORIES": "Core.Network"}, 2, "did you mean OP_READINESS_CATEGORY?"),
        (("--no-such-option",), {}, 2, "--no-such-option"),
        (("rnu",), {}, 2, "did you mean run?"),
        (("--kubeconfig", "no-such-file"), {}, 2, "no-such-file"),
    ],
    ids=["category", "variable", "option", "command", "kubeconfig"],
)
def test_what_stops_a_run_is_handed_over(tmp_path, words, more, code, said):
    """A misspelt word in a plugin's definition is read by `sonobuoy results`, not lost."""
    results = tmp_path / "results"
    ran = run(*words, folder=tmp_path, env=plugin_environment(results, **more))
    assert (ran.code, said in ran.err) == (code, True), ran.said
    assert said in error_in(results, tmp_path)


@pytest.mark.parametrize(
    ("words", "owed"),
    [
        ((), True), (("--category", "Core"), True), (("run",), True), (("rnu",), True), (("--help",), False),
        (("run", "--help"), False), (("list",), False), (("sonobuoy", "plugin"), False), (("--version",), False),
    ],
)  # fmt: skip
def test_only_what_runs_owes_a_handover(tmp_path, words, owed):
    """Looking around in the plugin's container ends nobody's wait."""
    assert (handover_of(words, {"SONOBUOY_RESULTS_DIR": str(tmp_path)}, COMMANDS) is not None) is owed
    assert handover_of(words, {}, COMMANDS) is None


@posix
def test_a_mistake_of_ours_is_handed_over(tmp_path, monkeypatch, capsys):
    """A crash keeps its traceback, leaves the verdict open and loses nothing."""

    def crash(*_: object) -> int:
        raise RuntimeError("went wrong")

    monkeypatch.setattr("op_readiness.runner.commands.run_command", crash)
    monkeypatch.setenv("SONOBUOY_RESULTS_DIR", str(tmp_path / "results"))
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 3
    assert "Traceback" in capsys.readouterr().err
    assert "RuntimeError: went wrong" in error_in(tmp_path / "results", tmp_path)


@posix
def test_a_signal_before_the_run_pays_attention(tmp_path):
    """A Pod that is deleted while it starts."""
    results = tmp_path / "results"
    with pytest.raises(Terminated) as raised, Handover(results):
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.exit_code == 143
    assert "SIGTERM" in error_in(results, tmp_path)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@posix
def test_what_was_recorded_is_reported(tmp_path):
    """A run that never came to its reports: what its log holds is handed over."""
    log = tmp_path / "events.jsonl"
    ability = {"id": "net-a", "category": "Core.Network", "description": "Ability to a"}
    events = [
        {"type": "run", "run_id": "abc", "time": 1.0, "report_dir": str(tmp_path), "abilities": {"net-a": ability},
         "categories": [{"name": "Core.Network", "abilities": ["net-a"]}]},
        {"type": "started", "time": 2.0, "ability": "net-a"},
    ]  # fmt: skip
    with Handover(tmp_path) as handover:
        log.write_text("".join(json.dumps(event) + "\n" for event in events))
        handover.event(events[0], Record.of(events))
    assert "net-a" in error_in(tmp_path, tmp_path)


def test_what_an_earlier_run_left_is_taken_away(tmp_path):
    """An old `done` would send an old archive."""
    (tmp_path / DONE).write_text("old")
    (tmp_path / ARCHIVE).write_text("old")
    (tmp_path / "events.jsonl").write_text('{"type": "run", "run_id": "old"}\n')
    with Handover(tmp_path) as handover:
        assert not (tmp_path / DONE).exists() and not (tmp_path / ARCHIVE).exists()
        handover.problem = "new"
    assert "new" in error_in(tmp_path, tmp_path)


def test_a_folder_that_takes_nothing_is_said(tmp_path, capsys):
    """Nothing more can be done, and the exit code stays."""
    (tmp_path / "file").write_text("")
    with Handover(tmp_path / "file" / "below") as handover:
        pass
    assert not handover.handed_over
    assert "nothing could be handed over" in capsys.readouterr().err


def test_the_archive_has_one_xml_file_and_no_links(tmp_path):
    """Whatever lies among the evidence, Sonobuoy parses our report alone."""
    (folder := tmp_path / "evidence" / "net-a").mkdir(parents=True)
    for name in ("junit_01.xml", "specs.XML", "log.txt"):
        (folder / name).write_text("x")
    (folder / "link.txt").symlink_to("/etc/passwd")
    for name in ("junit_01.xml", "report.json", "other.xml"):
        (tmp_path / name).write_text("y")
    files = [tmp_path / name for name in ("junit_01.xml", "report.json", "other.xml", "missing.txt")]
    write_archive(tmp_path / "a.tar.gz", files, tmp_path)
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        assert sorted(archive.getnames()) == [
            "evidence/net-a/junit_01.xml.txt", "evidence/net-a/log.txt", "evidence/net-a/specs.XML.txt",
            "junit_01.xml", "other.xml.txt", "report.json",
        ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@posix
def test_a_signal_waits_until_the_archive_is_whole():
    """It is delivered afterwards, once."""
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with Held():
            signal.raise_signal(signal.SIGTERM)
            assert heard == []
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
