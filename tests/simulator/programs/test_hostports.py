"""Ports of a Windows Node: refused while they are taken, gone with their program, and what faults make of that."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from op_readiness.simulator.network.interface import Refused, Server
from op_readiness.simulator.network.table import Drop, Table
from op_readiness.simulator.programs.goserver import ListenFailed, ports
from tests.simulator.programs.containers import Net

PORT = 20001


def program(net: Net, *, host_process: bool = True) -> Any:
    """A program of a HostProcess container on win-1, whose table is `net.table`."""
    network: Any = net.namespaces["10.240.0.11"]
    world = SimpleNamespace(nodes={network.node: SimpleNamespace(host=SimpleNamespace(table=net.table))})
    return SimpleNamespace(world=world, network=network, host_process=host_process, os="windows")


@pytest.fixture
def net() -> Any:
    made: Any = Net()
    made.namespace("10.240.0.11", "windows")
    made.namespace("10.244.1.5", "windows")
    made.table = Table("NODE", "win-1")
    return made


def connect(net: Any) -> Any:
    return asyncio.run(net.namespaces["10.244.1.5"].connect("10.240.0.11", PORT, 3.0))


def test_a_taken_port_is_refused_and_goes_with_its_program(net):
    """In Go's words for Windows; afterwards nothing stands in the table."""
    with ports(program(net)) as first:
        first.listen("TCP", PORT, Server())
        assert [key.name for key in net.table] == [f"TCP {PORT}"]
        with ports(program(net)) as second, pytest.raises(ListenFailed, match="bind: Only one usage"):
            second.listen("TCP", PORT, Server())
        connect(net)
    assert list(net.table) == []
    with pytest.raises(Refused):
        connect(net)


def test_a_port_that_is_not_looked_up_is_shared(net):
    """The second is told nothing, and takes nothing with it when it ends."""
    net.table.on_lookup.append(lambda table, key, value: None)
    with ports(program(net)) as first:
        first.listen("TCP", PORT, Server())
        with ports(program(net)) as second:
            second.listen("TCP", PORT, Server())
        connect(net)


def test_a_port_whose_entry_stays_takes_connections(net):
    """As one whose handle lives on."""

    def keep(table: Any, operation: str, key: Any, value: Any) -> Any:
        if operation == "delete":
            raise Drop
        return value

    net.table.on_write.append(keep)
    with ports(program(net)) as first:
        first.listen("TCP", PORT, Server())
    connect(net)
    assert [key.name for key in net.table] == [f"TCP {PORT}"]


def test_ports_of_ordinary_containers_are_no_ports_of_the_node(net):
    """They have a stack of their own."""
    with ports(program(net, host_process=False)) as first:
        first.listen("TCP", PORT, Server())
        assert list(net.table) == []
