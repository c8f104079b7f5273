"""--nodes: by number, or one by one in a file."""

from __future__ import annotations

import pytest

from op_readiness.model.errors import UsageError
from op_readiness.runner.options import parse_nodes

DEFAULT = {"windows": 2, "linux": 2}


def test_nodes_by_number():
    """What is not said stays as it is."""
    assert parse_nodes("", DEFAULT) == DEFAULT
    assert parse_nodes("windows=1,control-plane=1", DEFAULT) == {"windows": 1, "linux": 2, "control-plane": 1}


def test_nodes_one_by_one(tmp_path):
    """A YAML list of Nodes."""
    file = tmp_path / "nodes.yaml"
    file.write_text("- {name: a, os: windows, build: 10.0.17763}\n- {name: b, os: linux}\n")
    assert [one["name"] for one in parse_nodes(str(file), DEFAULT)] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("window=1", "did you mean windows"),
        ("windows=many", "windows=N"),
        ("windows=2000", "windows=N"),
        ("nowhere.yaml", "No such file"),
        ("nodes.yaml", "build 1 is none of"),
        ("map.yaml", "expected a YAML list"),
    ],
)
def test_what_cannot_be_used_is_refused(text, why, tmp_path, monkeypatch):
    """One line that says why."""
    (tmp_path / "nodes.yaml").write_text("- {name: a, os: windows, build: 1}\n")
    (tmp_path / "map.yaml").write_text("windows: 2\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=why):
        parse_nodes(text, DEFAULT)
