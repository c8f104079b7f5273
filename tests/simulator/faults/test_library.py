"""The named faults that ship: each loads, can be put in, and says where it comes from."""

from __future__ import annotations

import asyncio

import pytest
from fault_world import FakeWorld

from op_readiness.simulator.faults import FaultError, Faults
from op_readiness.simulator.faults.library import library, parse_request, read, read_file

FIRST_CASES = {f"C{number:02}" for number in range(1, 53)}


@pytest.mark.parametrize("name", list(library()))
def test_a_named_fault_can_be_put_in_and_taken_out(name: str) -> None:
    """With its defaults it fits a cluster of three Windows and two Linux Nodes, and leaves no hook."""

    async def scene() -> None:
        world = FakeWorld()
        faults = Faults(world)
        described = faults.put_in([name])[0]
        assert described["name"] == name
        assert set(described["nodes"]) <= set(world.nodes)
        faults.take_out_all()
        assert not any(t.on_write or t.on_lookup for node in world.nodes.values() for t in node.tables.values())

    asyncio.run(scene())


def test_every_fault_says_where_it_was_seen() -> None:
    """A title and a report stand in each file."""
    assert [name for name, fault in library().items() if not fault.title or not fault.report] == []


def test_at_least_25_of_the_first_cases_are_there() -> None:
    """Cases C01 to C52 are the ones about networking."""
    assert len({fault.case for fault in library().values()} & FIRST_CASES) >= 25


def test_a_request_is_parsed() -> None:
    """NAME:key=value,key=value as people type it."""
    wanted = {"name": "square-wave-loss", "parameters": {"node": "win-1", "pass": "3s"}}
    assert parse_request("square-wave-loss:node=win-1,pass=3s") == wanted


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("kube-proxy-stail", "unknown fault 'kube-proxy-stail'; did you mean 'kube-proxy-stale'?"),
        ("kube-proxy-stale:nod=win-1", "unknown parameter 'nod'; did you mean 'node'?"),
        ("kube-proxy-stale:win-1", "'win-1' is not key=value"),
        ("overlay-split:node=win-1", "unknown parameter 'node'; it has none"),
    ],
)
def test_a_misspelt_request_offers_the_nearest(typed: str, said: str) -> None:
    """Names of faults and parameters are checked where they are typed."""
    with pytest.raises(FaultError) as caught:
        parse_request(typed)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("kube-proxy-stale:node=win-9", "no windows-node 'win-9'; did you mean 'win-"),
        ("kube-proxy-stale:node=linux-1", "no windows-node 'linux-1'"),
        ("square-wave-loss:pass=soon", "'soon' is not a duration"),
        ("exec-never-returns:every=often", "'often' is not a number"),
        ("omitted-targetport-misread:port=70000", "'70000' is not a port"),
    ],
)
def test_parameters_are_held_against_the_cluster(typed: str, said: str) -> None:
    """A Node that is not there, or a value of another kind, is refused before anything changes."""
    with pytest.raises(FaultError) as caught:
        Faults(FakeWorld()).put_in([typed])
    assert said in str(caught.value)


GOOD = """
name: mine
title: Something broke here
steps:
  - state: LB
    key: {node: win-1}
    point: write
    on: create
    do: drop
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title:", "tittle:", "unknown field 'tittle'; did you mean 'title'?"),
        ("state: LB", "state: LBB", "unknown word 'LBB'; did you mean 'LB'?"),
        ("point: write", "piont: write", "unknown field 'piont'; did you mean 'point'?"),
        ("do: drop", "do: dorp", "unknown word 'dorp'; did you mean 'drop'?"),
        ("do: drop", "do: restart", "LB at point write cannot 'restart'"),
        ("do: drop", "do: delay", "do: delay needs a value"),
        ("on: create", "when: {evry: 3}", "did you mean 'every'?"),
        ("on: create", "when: {at: soon}", "'soon' is not a duration"),
        ("win-1", "$nodde", "no parameter 'nodde'"),
        ("on: create", "on: [create", "line"),
        ("name: mine", "name: My Fault", "name"),
    ],
)
def test_a_file_that_says_something_unknown_is_refused_in_one_line(old: str, new: str, said: str) -> None:
    """The line names the file, the place and the nearest word."""
    with pytest.raises(FaultError) as caught:
        read(GOOD.replace(old, new), "mine.yaml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("mine.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"state": "ROUTE", "key": {"fromos": "linux"}, "point": "lookup", "do": "drop"}, "did you mean 'from_os'?"),
        ({"state": "LB", "point": "lookup", "do": "alter", "value": {"verdikt": "drop"}}, "did you mean 'verdict'?"),
        ({"state": "LIMIT", "key": {"resorce": "cpu"}, "point": "write", "do": "drop"}, "did you mean 'resource'?"),
        ({"state": "LB", "point": "lookup", "do": "loss", "value": 7}, "a part from 0 to 1"),
        ({"state": "LB", "point": "lookup", "do": "square-wave", "value": {"on": 1}}, "a square wave is"),
        ({"state": "LB", "point": "write", "do": "drop", "when": {"while": "podds > 8"}}, "did you mean 'pods'?"),
        ({"state": "LB", "point": "write", "do": "drop", "when": {"while": "many"}}, "write it like `pods > 8`"),
        ({"state": "API", "key": {"resorce": "pods"}, "point": "lookup", "do": "fail"}, "did you mean 'resource'?"),
        ({"state": "NODE", "key": {"node": "win-1"}, "point": "set", "do": "restart"}, "needs the component"),
    ],
)
def test_a_step_that_does_not_fit_the_tables_is_refused(step: dict[str, object], said: str) -> None:
    """Key fields, value fields, counts and deeds are held against what the simulator keeps."""
    with pytest.raises(FaultError) as caught:
        Faults(FakeWorld()).put_in([{"file": {"name": "mine", "title": "Mine", "steps": [step]}}])
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: object) -> None:
    """The path and the operating system's words."""
    with pytest.raises(FaultError, match="cannot be read: No such file"):
        read_file(f"{tmp_path}/nowhere.yaml")
