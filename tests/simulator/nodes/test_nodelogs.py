"""Node log query by Kubernetes' rules: statuses and words as pkg/kubelet/kubelet_server_journal.go has them."""

from __future__ import annotations

import pytest

from op_readiness.simulator.nodes.node import Node
from op_readiness.simulator.nodes.nodelogs import SPP, answer, listing
from op_readiness.simulator.nodes.specs import parse_nodes

NOW = 1_800_000_000.0


def asked(**query: object) -> tuple[int, str]:
    node = Node.of(parse_nodes({"windows": 1})[0], "quick")
    given = {name: value if isinstance(value, list) else [str(value)] for name, value in query.items()}
    found = answer(node, given, NOW)
    return found.status, found.text


def test_events_of_a_service() -> None:
    """Newest first cut by tailLines, matched by pattern, shown as a table."""
    status, text = asked(query=SPP)
    assert (status, f"ProviderName: {SPP}" in text, text.count("Information")) == (200, True, 5)
    assert asked(query=SPP, tailLines=3)[1].count("Information") == 3
    assert "Health" in asked(query=SPP, pattern="health")[1]
    assert asked(query=SPP, pattern="health")[1].count("Information") == 1
    assert "No events were found" in asked(query=SPP, sinceTime="2999-01-01T00:00:00Z")[1]


def test_files_below_the_log_folder() -> None:
    """By a path that stays inside, or by a service's name."""
    assert asked(query="./kubelet/kubelet.log")[1].startswith("I0101")
    assert asked(query="kubelet")[1].startswith("I0101")
    assert asked(query="nosuch") == (200, "log not found for nosuch\n")
    assert "try without specifying options" in asked(query="kubelet", tailLines=1)[1]


def test_folders_are_listed_and_files_given() -> None:
    """As Go's file server writes them; what leads outside is not found."""
    node = Node.of(parse_nodes({"windows": 1})[0], "quick")
    top = listing(node, "")
    assert (top.status, top.content_type) == (200, "text/html") and '<a href="kubelet/">kubelet/</a>' in top.text
    assert '<a href="kubelet.log">' in listing(node, "kubelet/").text
    assert listing(node, "kubelet/kubelet.log").text == asked(query="kubelet/kubelet.log")[1]
    assert [listing(node, path).status for path in ("nosuch", "../..")] == [404, 404]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"query": SPP, "boot": 0}, 406, "boot: Invalid value: 0: not supported on Windows"),
        ({"query": ""}, 400, "may not be empty"),
        ({"tailLines": 3}, 406, "query: Required value: cannot be empty with options"),
        ({"query": SPP, "tailLines": "many"}, 400, "invalid syntax"),
        ({"query": SPP, "tailLines": 100_001}, 406, "must be between 0 and 100000, inclusive"),
        ({"query": SPP, "sinceTime": "soon"}, 400, "invalid time format"),
        ({"query": ["a", "b", "c", "d", "e"]}, 406, "Too many: 5: must have at most 4 items"),
        ({"query": ["a", "b/c"]}, 406, "cannot specify a file and service"),
        ({"query": ["a/b", "b/c"]}, 406, "cannot specify more than one file"),
        ({"query": "a/b", "pattern": "x"}, 406, "cannot specify file with options"),
        ({"query": "a b"}, 406, "input contains unsupported characters"),
        ({"query": "/a.log"}, 406, "path escapes from parent"),
        ({"query": "./nosuch.log"}, 406, "The system cannot find the file specified."),
    ],
)
def test_what_breaks_a_rule_is_refused(query: dict[str, object], status: int, words: str) -> None:
    """400 for what does not parse, 406 for a broken rule."""
    found = asked(**query)
    assert (found[0], words in found[1]) == (status, True), found
