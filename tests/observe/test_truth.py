"""Truth tables: what is right, what the table shows, and which Nodes explain what is wrong."""

from dataclasses import replace

from op_readiness.model.findings import Place
from op_readiness.observe.shell import Client
from op_readiness.observe.traffic import Target
from op_readiness.observe.truth import Question, Reply, guilty, table, wrong_lines

WINDOWS = frozenset({"win-1", "win-2", "win-3"})
NODES = ("win-1", "win-2", "win-3")


def question(source, target, allowed, path="Pod IP"):
    client = Client("y", f"y-{source}", Place(source, "windows"))
    there = Target(path, f"Pod x/x-{target}", "10.0.0.1", 8080, {f"x-{target}": target}, node=target)
    return Question(client, f"y/a {source}", there, f"x/a {target}", allowed)


def reply(source, target, allowed, reached, path="Pod IP"):
    asked = question(source, target, allowed, path)
    return Reply(asked, f"x-{target}" if reached else "", "timed out")


def every(allowed, reached):
    """A full mesh; `reached(source, target)` says what was seen."""
    return [reply(a, b, allowed, reached(a, b)) for a in NODES for b in NODES]


def test_a_denial_is_right_only_in_silence_and_a_connection_only_with_the_servers_name():
    """A stranger's answer is wrong in either case."""
    assert reply("win-1", "win-2", False, False).right
    assert not reply("win-1", "win-2", False, True).right
    assert not Reply(question("win-1", "win-2", True), "stranger").right


def test_the_table_shows_expected_and_seen_and_marks_what_differs():
    """A row a client, a column a server, by path."""
    shown = table([reply("win-1", "win-1", True, True), reply("win-1", "win-2", False, True)])
    head, row = shown.splitlines()
    assert head.split("  ")[0] == "Pod IP (should/did)"
    assert "yes/yes" in row and row.endswith("no/yes !")


def test_a_target_that_lets_everybody_in_is_accused():
    """Rules of ingress are in force where the server is."""
    assert guilty(every(False, lambda a, b: b == "win-2"), WINDOWS) == ("win-2",)


def test_a_client_that_reaches_no_other_node_is_accused_though_denials_look_right():
    """Silence that was wanted, and answers on the Node itself, do not speak for its network."""
    cut = every(True, lambda a, b: a == b or a != "win-3")
    assert guilty([*cut, *every(False, lambda a, b: False)], WINDOWS) == ("win-3",)


def test_lines_are_bounded():
    """The first wrong cells, and how many more there are."""
    lines = wrong_lines(every(False, lambda a, b: True), 2)
    assert len(lines) == 3
    assert lines[-1] == "... and 7 more"
    assert "should be denied: x-win-1 answered" in lines[0]


def test_a_way_out_that_should_be_closed_accuses_the_clients_node():
    """Rules of egress are in force where the client is, whoever answered."""
    seen = [
        Reply(replace(one.question, closed_at=one.question.client.place.node), one.name, one.words)
        for one in every(False, lambda source, _: source == "win-2")
    ]
    assert guilty(seen, WINDOWS) == ("win-2",)
