"""Nodes, Pods and Services of both IP families: addresses, ways, and what one family's tables do to the other."""

from __future__ import annotations

import pytest

from op_readiness.simulator.network.interface import NoRoute, TimedOut
from tests.simulator.network import hooks
from tests.simulator.network.worlds import World, get, name_at, run, udp_name_at

VIPS = ("10.96.0.50", "fd00:10:96::50")
BOTH = {"clusterIPs": list(VIPS), "ipFamilies": ["IPv4", "IPv6"]}


def test_a_pod_has_an_address_of_each_family_and_gives_both_back() -> None:
    """The first is the one of old, the second has the same end; both are free when the Pod is gone."""

    async def story(world: World) -> None:
        assert world.pod("a", "win-1").ips == ["10.244.1.3", "fd00:10:244:1::103"]
        assert world.pod("host", "win-1", hostNetwork=True).ips == ["10.240.0.12", "fd00:10:240::12"]
        world.network.detach("uid-1")
        ipam = world.network.tables["win-1"].ipam.programmed
        assert not {"10.244.1.3", "fd00:10:244:1::103"} & set(ipam)

    run(story, dual_stack=True)


@pytest.mark.parametrize("client", ["win-1", "win-2", "linux-1"])
@pytest.mark.parametrize("server", ["win-1", "linux-2"])
def test_every_pod_reaches_every_pod_over_ipv6(client: str, server: str) -> None:
    """The server sees the client's own IPv6 address."""

    async def story(world: World) -> None:
        there, here = world.pod("there", server), world.pod("here", client)
        response = await world.after(get(here.namespace, there.ips[1]))
        assert (response.body, response.headers["X-Peer"]) == (b"there", here.ips[1])
        assert await world.after(udp_name_at(here.namespace, there.ips[1])) == "there"

    run(story, dual_stack=True)


@pytest.mark.parametrize("client", ["win-1", "linux-1"])
@pytest.mark.parametrize("vip", VIPS)
def test_a_service_reaches_every_backend_by_each_of_its_addresses(client: str, vip: str) -> None:
    """Windows needs no source VIP for it: a network of both families is no overlay."""

    async def story(world: World) -> None:
        pods = [world.pod(f"p{at}", node) for at, node in enumerate(("win-1", "win-2", "linux-1"))]
        here = world.pod("here", client)
        world.service("s", pods, **BOTH)
        await world.settled()
        seen = {await world.after(name_at(here.namespace, vip, 80)) for _ in range(40)}
        assert seen == {"p0", "p1", "p2"}

    run(story, dual_stack=True)


@pytest.mark.parametrize("node", ["win-2", "linux-2"])
def test_node_ports_answer_at_each_address_of_a_node(node: str) -> None:
    """One port, both families."""

    async def story(world: World) -> None:
        pod, here = world.pod("p", "win-1"), world.pod("here", "linux-1")
        world.service("s", [pod], type="NodePort", **BOTH)
        await world.settled()
        machine = world.nodes[node]
        for ip in (machine.ip, machine.ip6):
            assert await world.after(name_at(here.namespace, ip, 30080)) == "p"

    run(story, dual_stack=True)


def test_a_lost_load_balancer_of_one_family_leaves_the_other() -> None:
    """Winkernel keeps a load balancer a family (kubernetes/kubernetes#115501)."""

    async def story(world: World) -> None:
        lb = world.network.tables["win-1"].lb
        hooks.on_write(lb, {"create"}, lambda key: key.family == "IPv6", "drop")
        pod, here = world.pod("p", "win-2"), world.pod("here", "win-1")
        world.service("s", [pod], **BOTH)
        await world.settled()
        assert await world.after(name_at(here.namespace, VIPS[0], 80)) == "p"
        with pytest.raises(TimedOut):
            await world.after(name_at(here.namespace, VIPS[1], 80))

    run(story, dual_stack=True)


def test_a_pod_whose_ipv6_address_is_refused_has_ipv4_alone() -> None:
    """It starts all the same, and has no way to an IPv6 address."""

    async def story(world: World) -> None:
        hooks.on_write(world.network.tables["win-1"].ipam, {"create"}, lambda key: ":" in key, "fail")
        here, there = world.pod("here", "win-1"), world.pod("there", "win-2")
        assert here.ips == ["10.244.1.3"]
        assert await world.after(name_at(here.namespace, there.ips[0])) == "there"
        with pytest.raises(NoRoute):
            await world.after(name_at(here.namespace, there.ips[1]))

    run(story, dual_stack=True)


def test_a_healed_world_has_both_families_again() -> None:
    """Remote endpoints and addresses of IPv6 are written from what is wanted, as those of IPv4 are."""

    async def story(world: World) -> None:
        there, here = world.pod("there", "win-2"), world.pod("here", "win-1")
        world.network.tables["win-1"].rep.set(there.ips[1], "linux-1")
        with pytest.raises(TimedOut):
            await world.after(name_at(here.namespace, there.ips[1]))
        await world.network.heal()
        assert await world.after(name_at(here.namespace, there.ips[1])) == "there"

    run(story, dual_stack=True)
