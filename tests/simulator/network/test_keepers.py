"""Keepers: addresses, endpoints, remote endpoints and what kube-proxy writes when."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network import AttachFailed, DetachFailed
from op_readiness.simulator.network.interface import AddressInUse, Server
from tests.simulator.network import hooks
from tests.simulator.network.seeing import VIP, answers
from tests.simulator.network.worlds import World, name_at, run


def writes(world: World, node: str) -> list[tuple[str, str]]:
    """Every write to the LB table of a Node from now on."""
    seen: list[tuple[str, str]] = []
    world.network.tables[node].lb.on_write.append(
        lambda _, operation, key, value: (seen.append((operation, key.face)), value)[1]
    )
    return seen


def test_addresses_rest_before_they_are_used_again() -> None:
    """The next address is taken, not the lowest free one, until the range ends."""

    async def story(world: World) -> None:
        assert world.pod("a", "win-1").ips == ["10.244.1.3"]
        world.network.detach("uid-1")
        assert world.pod("b", "win-1").ips == ["10.244.1.4"]
        world.network.tables["win-1"].ipam.set("next", "10.244.1.254")
        assert world.pod("c", "win-1").ips == ["10.244.1.254"]
        assert world.pod("d", "win-1").ips == ["10.244.1.3"]

    run(story)


def test_a_full_range_and_a_failed_write_are_told_as_the_plugin_tells_them() -> None:
    """C32, C33: the Event names the shortage or the component's error; a failed attempt leaks nothing by itself."""

    async def story(world: World) -> None:
        net = world.network
        net.tables["win-1"].ipam.set("range", "10.244.1.0/29")
        hooks.on_write(net.tables["win-1"].ep, {"create"}, lambda _: True, "fail", times=1)
        with pytest.raises(AttachFailed, match="Element not found"):
            world.pod("a", "win-1")
        for at in range(4):
            world.pod(f"p{at}", "win-1")
        with pytest.raises(AttachFailed, match="no IP addresses available in range set"):
            world.pod("b", "win-1")

    run(story)


def test_a_leak_takes_addresses_for_good() -> None:
    """C32: releases are lost, so three failures leave one address of four."""

    async def story(world: World) -> None:
        tables = world.network.tables["win-1"]
        tables.ipam.set("range", "10.244.1.0/29")
        hooks.on_write(tables.ipam, {"delete"}, lambda _: True, "drop")
        hooks.on_write(tables.ep, {"create"}, lambda _: True, "fail", times=3)
        for _ in range(3):
            with pytest.raises(AttachFailed):
                world.pod("a", "win-1")
        world.pod("b", "win-1")
        with pytest.raises(AttachFailed, match="no IP addresses"):
            world.pod("c", "win-1")

    run(story)


def test_every_other_node_learns_and_forgets_where_a_pod_lives() -> None:
    """Remote endpoints come and go with the Pod; a detach that fails leaves all of it."""

    async def story(world: World) -> None:
        net = world.network
        pod = world.pod("p", "win-1")
        assert {node: net.tables[node].rep.lookup(pod.ips[0]) for node in world.nodes} == {
            "win-1": None, "win-2": "win-1", "linux-1": "win-1", "linux-2": "win-1",
        }
        hooks.on_write(net.tables["win-1"].ep, {"delete"}, lambda _: True, "fail", times=1)
        with pytest.raises(DetachFailed):
            net.detach("uid-1")
        assert net.tables["win-2"].rep.lookup(pod.ips[0]) == "win-1"
        net.detach("uid-1")
        assert net.tables["win-2"].rep.lookup(pod.ips[0]) is None
        assert [event for event, _ in world.events if event.startswith("pod")] == ["pod attached", "pod detached"]
        assert world.events[0][1]["node"] == "win-1"

    run(story)


def test_a_remote_endpoint_lives_as_long_as_a_service_holds_it() -> None:
    """C01, C18: the Pod's end and each Service's end lower the count; the last one deletes."""

    async def story(world: World) -> None:
        operations: list[str] = []
        pod = world.pod("p", "linux-1")
        world.service("a", [pod])
        world.service("b", [pod], clusterIP="10.96.0.51")
        await world.settled()
        rep = world.network.tables["win-1"].rep
        rep.on_write.append(lambda _, operation, __, value: (operations.append(operation), value)[1])
        world.services.drop("t", "a")
        await world.settled()
        world.network.detach("uid-1")
        assert rep.lookup(pod.ips[0]) == "linux-1"
        world.slice("b", [])
        await world.settled()
        assert operations == ["update", "update", "delete"]
        assert rep.lookup(pod.ips[0]) is None

    run(story)


def test_kube_proxy_writes_once_for_many_changes_and_nothing_for_none() -> None:
    """Changes within the lag come together; a Service seen again unchanged is not written again."""

    async def story(world: World) -> None:
        pods = [world.pod(f"p{at}", "linux-1") for at in range(3)]
        seen = writes(world, "win-1")
        world.service("s", pods[:1], type="NodePort")
        world.slice("s", pods[:2])
        world.slice("s", pods)
        await world.clock.turn(0.9)
        assert seen == []
        await world.clock.turn(0.2)
        assert seen == [("create", "ClusterIP"), ("create", "NodePort")] * 2
        seen.clear()
        world.slice("s", pods)
        await world.settled()
        assert seen == []
        world.slice("s", pods[1:])
        await world.settled()
        assert seen == [("update", "ClusterIP"), ("update", "NodePort")] * 2

    run(story)


def test_a_windows_service_that_loses_its_last_endpoint_loses_its_load_balancers() -> None:
    """And gets them back with the next endpoint."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        world.service("s", [pod])
        await world.settled()
        lb = world.network.tables["win-1"].lb
        assert len(lb.programmed) == 2
        world.slice("s", [])
        await world.settled()
        assert not lb.programmed
        world.slice("s", [pod])
        await world.settled()
        assert len(lb.programmed) == 2

    run(story)


def test_an_address_that_is_still_taken_cannot_be_given_to_another_service() -> None:
    """HNS refuses a second load balancer for one address and port; the old one goes on until kube-proxy restarts."""

    async def story(world: World) -> None:
        old, new, client = world.pod("old", "linux-1"), world.pod("new", "linux-2"), world.pod("c", "win-1")
        world.service("a", [old])
        await world.settled()
        lb = world.network.tables["win-1"].lb
        hooks.on_write(lb, {"delete"}, lambda key: key.name == "a", "drop", times=2)
        world.services.drop("t", "a")
        world.service("b", [new])
        await world.settled()
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "old"
        world.network.restart("kube-proxy", "win-1")
        await world.settled()
        assert await answers(world, name_at(client.namespace, VIP, 80)) == "new"

    run(story)


def test_a_stopped_kube_proxy_sees_nothing_until_it_starts() -> None:
    """Tables stay as they are; the start brings everything."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        world.network.stop("kube-proxy", "win-1")
        world.service("s", [pod])
        await world.settled()
        assert not world.network.tables["win-1"].lb.programmed
        world.network.restart("kube-proxy", "win-1")
        assert ("kube-proxy restarted", {"node": "win-1"}) in world.events
        await world.settled()
        assert world.network.tables["win-1"].lb.programmed

    run(story)


def test_a_restart_of_the_cni_puts_back_remote_endpoints() -> None:
    """An entry that was lost is there again a second later."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        tables = world.network.tables["win-1"]
        tables.rep.set(pod.ips[0], None)
        world.network.restart("cni", "win-1")
        await world.settled()
        assert tables.rep.lookup(pod.ips[0]) == "linux-1"

    run(story)


def test_events_tell_faults_what_happened_to_services() -> None:
    """Created, changed and deleted, with the addresses behind it."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        world.service("s", [pod])
        world.slice("s", [])
        world.services.drop("t", "s")
        told = [(event, fields) for event, fields in world.events if event.startswith(("service", "endpoint"))]
        assert [event for event, _ in told] == [
            "service created", "endpoint changed", "endpoint changed", "service deleted",
        ]
        assert told[1][1]["added"] == pod.ips
        assert told[2][1]["removed"] == pod.ips

    run(story)


def test_a_node_that_joins_late_is_programmed_too() -> None:
    """It knows the Pods and Services that were there before."""

    async def story(world: World) -> None:
        pod = world.pod("p", "linux-1")
        world.service("s", [pod])
        await world.settled()
        from op_readiness.simulator.network.keys import Host

        world.nodes["win-3"] = Host("win-3", "10.240.0.31", "windows", "10.0.20348", "10.244.9.0/24")
        world.network.add_node("win-3")
        late = world.network.tables["win-3"]
        assert late.rep.lookup(pod.ips[0]) == "linux-1"
        assert len(late.lb.programmed) == 2
        world.network.remove_node("win-3")
        assert "win-3" not in world.network.tables

    run(story)


def test_host_network_pods_share_ports_but_not_dns() -> None:
    """A port taken on the host is taken for them; their resolver follows their own dnsPolicy."""

    async def story(world: World) -> None:
        host = world.network.host("linux-1")
        pod = world.pod("h", "linux-1", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")
        assert pod.ips == [world.nodes["linux-1"].ip]
        host.listen("TCP", 9000, Server())
        with pytest.raises(AddressInUse):
            pod.namespace.listen("TCP", 9000, Server())
        assert pod.namespace.dns.servers == ("10.96.0.10",)
        assert host.dns.servers == ("10.240.0.3",)
        world.network.detach("uid-1")
        assert pod.namespace.dns.servers == ()

    run(story)


def test_host_network_pods_of_windows_have_the_dns_servers_of_their_node() -> None:
    """ClusterFirstWithHostNet is not supported there: there is one adapter, and it stays when a Pod goes."""

    async def story(world: World) -> None:
        host = world.network.host("win-1")
        pod = world.pod("h", "win-1", hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")
        assert pod.namespace.dns.servers == host.dns.servers == ("10.240.0.3",)
        world.network.detach("uid-1")
        assert host.dns.servers == ("10.240.0.3",)

    run(story)
