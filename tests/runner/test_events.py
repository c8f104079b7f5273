"""The event log: merged from workers, torn lines ignored, readable after a crash."""

from __future__ import annotations

import json

from op_readiness.runner.events import EventLog, read_log


def append(log: EventLog, worker: str, text: str) -> None:
    with (log.folder / f"{worker}.jsonl").open("a") as file:
        file.write(text)


def line(time: float, kind: str = "started", **more) -> str:
    return json.dumps({"type": kind, "time": time, **more}) + "\n"


def test_lines_of_all_workers_come_once_and_in_time(tmp_path):
    """Each line is given once, ordered by time."""
    log = EventLog(tmp_path)
    append(log, "gw0", line(2) + line(5))
    append(log, "gw1", line(1))
    assert [e["time"] for e in log.take()] == [1, 2, 5]
    append(log, "gw1", line(3))
    assert [(e["time"], e["worker"]) for e in log.take()] == [(3, "gw1")]


def test_a_torn_line_waits_for_its_end(tmp_path):
    """Half a line is not read, and not lost."""
    log = EventLog(tmp_path)
    whole = line(1)
    append(log, "gw0", whole[:7])
    assert log.take() == []
    append(log, "gw0", whole[7:])
    assert len(log.take()) == 1


def test_what_is_no_json_is_left_out(tmp_path):
    """A line broken in the middle does not stop the others."""
    log = EventLog(tmp_path)
    append(log, "gw0", '{"type": \n' + "[1]\n" + line(1))
    assert [e["time"] for e in log.take()] == [1]


def test_a_crashed_run_is_read_with_what_was_not_merged(tmp_path):
    """After kill -9 the workers' own files still count, each line once."""
    log = EventLog(tmp_path)
    log.say("run", run_id="x")
    append(log, "gw0", line(1))
    log.take()
    append(log, "gw0", line(2) + '{"type": "resu')
    assert [e.get("time") for e in read_log(tmp_path)][1:] == [1, 2]


def test_an_earlier_runs_files_are_gone(tmp_path):
    """A report directory is of one run."""
    log = EventLog(tmp_path)
    log.say("run", run_id="old")
    append(log, "gw0", line(1))
    (tmp_path / "report.json").write_text("{}")
    EventLog(tmp_path).say("run", run_id="new")
    assert [e["run_id"] for e in read_log(tmp_path)] == ["new"]
    assert not (tmp_path / "report.json").exists()


def test_closing_leaves_the_merged_log_only(tmp_path):
    """The workers' own files go once they are merged."""
    log = EventLog(tmp_path)
    append(log, "gw0", line(1))
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
    assert len(read_log(tmp_path)) == 1
