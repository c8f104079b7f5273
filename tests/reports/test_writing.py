"""Reports on disk."""

from __future__ import annotations

import stat

import pytest

from op_readiness.model.errors import OpReadinessError
from op_readiness.reports import writing
from op_readiness.reports.writing import write_reports, write_whole


def test_all_formats_are_written_and_named(run, tmp_path):
    """In a stable order; the text names the files."""
    paths = write_reports(run, tmp_path / "new" / "folder")

    assert [path.name for path in paths] == ["junit_01.xml", "report.json", "report.txt"]
    assert str(paths[0]) in paths[2].read_text()
    assert sorted(p.name for p in paths[0].parent.iterdir()) == ["junit_01.xml", "report.json", "report.txt"]
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o644


def test_hostile_text_can_be_written(hostile, tmp_path):
    """Every format, as UTF-8."""
    for path in write_reports(hostile, tmp_path):
        path.read_text(encoding="utf-8")


def test_a_report_is_whole_or_not_there(tmp_path, monkeypatch):
    """The old one stays when the rename fails, and no temporary file does."""
    target = tmp_path / "report.json"
    target.write_text("old")
    monkeypatch.setattr(writing.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OpReadinessError, match=r"cannot write .*report.json: No space left on device"):
        write_whole(target, "new")

    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
    assert target.read_text() == "old"


def test_a_folder_that_is_a_file_is_said(tmp_path):
    """One line with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OpReadinessError, match=r"choose another --report-dir"):
        write_whole(tmp_path / "file" / "report.json", "")
